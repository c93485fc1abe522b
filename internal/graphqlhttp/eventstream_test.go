package graphqlhttp_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/internal/graphqlhttp"
)

// A stream of events is for those who name it, and prefer it.
func TestEventStreamNegotiation(t *testing.T) {
	t.Parallel()
	s := startStreaming(t, graphqlhttp.EventStream{})
	for _, c := range []struct {
		what   string
		accept []string
		want   string // the media type
	}{
		{"named", []string{typeEvents}, typeEvents},
		{"any case", []string{"Text/Event-Stream"}, typeEvents},
		{"with a charset", []string{typeEvents + "; charset=utf-8"}, typeEvents},
		{"with a quality", []string{typeEvents + ";q=0.1"}, typeEvents},
		{"beside anything", []string{typeEvents + ", */*;q=0.1"}, typeEvents},
		{"in the second header", []string{"text/html;q=0.1", typeEvents}, typeEvents},
		{"preferred to JSON", []string{typeJSON + ";q=0.9, " + typeEvents}, typeEvents},
		{"missing", nil, typeJSON},
		{"anything", []string{"*/*"}, typeJSON},
		{"not acceptable, but anything", []string{typeEvents + ";q=0, */*"}, typeJSON},
		{"not acceptable, but JSON", []string{typeJSON + ", " + typeEvents + ";q=0"}, typeJSON},
		{"not acceptable, to three digits", []string{typeJSON + ", " + typeEvents + ";q=0.000"}, typeJSON},
		{"JSON preferred", []string{typeJSON + ", " + typeEvents + ";q=0.5"}, typeJSON},
		{"the newer JSON preferred", []string{typeEvents + ";q=0.5, " + typeResponse}, typeResponse},
		{"JSON named first, as clients of several transports do for queries", []string{typeResponse + ", " + typeJSON + ", " + typeEvents + ", multipart/mixed"}, typeResponse},
		{"another charset", []string{typeEvents + "; charset=latin1, " + typeJSON}, typeJSON},
		{"another type that begins alike", []string{typeEvents + "s, " + typeJSON}, typeJSON},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			header := []string{}
			for _, a := range c.accept {
				header = append(header, "Accept", a)
			}
			if got := mediaTypeOf(t, s.url, header...); got != c.want {
				t.Errorf("%q gave %s, want %s", c.accept, got, c.want)
			}
		})
	}
}

func mediaTypeOf(t *testing.T, address string, header ...string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(`{"query":"{ hello }"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", typeJSON)
	for i := 0; i < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	name, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";")
	return name
}

// What is no subscription gives one next, and then complete; over POST and, but for mutations, over GET.
func TestEventStreamOfOneResult(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what, method, query, body string
		want                      string
	}{
		{"query", http.MethodPost, "", `{"query":"{ hello }"}`, `{"data":{"hello":"world"}}`},
		{"query by GET", http.MethodGet, "{ hello }", "", `{"data":{"hello":"world"}}`},
		{"mutation", http.MethodPost, "", `{"query":"mutation { change }"}`, `{"data":{"change":"world"}}`},
		{"partial", http.MethodPost, "", `{"query":"{ partial }"}`, `{"errors":[{"message":"no such thing"}],"data":{"partial":null}}`},
		{"nothing left", http.MethodPost, "", `{"query":"{ none }"}`, `{"errors":[{"message":"no such thing"}],"data":null}`},
		{"refused before it ran", http.MethodPost, "", `{"query":"{ refused }"}`, `{"errors":[{"message":"not before it has run"}]}`},
		{"newlines in data", http.MethodPost, "", `{"query":"query($v: Any) { show(value: $v) }","variables":{"v":"a\nb\r\u2028c\n\ndata: x"}}`, `{"data":{"show":"a\nb\r\u2028c\n\ndata: x \u003cnil\u003e"}}`},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			s := startStreaming(t, graphqlhttp.EventStream{})
			address := s.url
			if c.query != "" {
				address += "?query=" + url.QueryEscape(c.query)
			}
			l := s.listen(c.method, address, c.body)
			l.expect(aComment, next(c.want), completed, endOfAll)
			wait(t, s.ended, "the end of the operation")
		})
	}
}

// What is wrong with a document is told as an event, since a browser's EventSource shows nothing of a failed request.
func TestEventStreamOfInvalidDocument(t *testing.T) {
	t.Parallel()
	s := startStreaming(t, graphqlhttp.EventStream{})
	for what, query := range map[string]string{
		"GRAPHQL_VALIDATION_FAILED": "{ nonsense }",
		"GRAPHQL_PARSE_FAILED":      "{ hello",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			l := s.listen(method, s.url+"?query="+url.QueryEscape(query), `{"query":"`+query+`"}`)
			l.expect(aComment)
			if got := l.block(); !strings.HasPrefix(got, `event: next`+"\n"+`data: {"errors":[{`) || !strings.Contains(got, what) || strings.Contains(got, `"data":`) {
				t.Errorf("%s %q: %q", method, query, got)
			}
			l.expect(completed, endOfAll)
		}
	}
	if n := s.begun.Load(); n != 0 {
		t.Errorf("%d operations began", n)
	}
}

// What is no GraphQL request, or must not run, is an ordinary answer with its status.
func TestEventStreamProblems(t *testing.T) {
	t.Parallel()
	s := startStreaming(t, graphqlhttp.EventStream{})
	mutation := "?query=" + url.QueryEscape("mutation { change }")
	for _, c := range []struct {
		what, method, query, body, contentType string
		status                                 int
		allow                                  string
	}{
		{"no JSON", http.MethodPost, "", `{`, typeJSON, 400, ""},
		{"no query", http.MethodPost, "", `{}`, typeJSON, 400, ""},
		{"no query by GET", http.MethodGet, "", ``, "", 400, ""},
		{"a batch", http.MethodPost, "", `[{"query":"{ hello }"}]`, typeJSON, 400, ""},
		{"a form", http.MethodPost, "", `query=x`, "application/x-www-form-urlencoded", 415, ""},
		{"too large", http.MethodPost, "", `{"query":"` + strings.Repeat(" ", maxBody) + `"}`, typeJSON, 413, ""},
		{"mutation by GET", http.MethodGet, mutation, "", "", 405, "POST"},
		{"mutation by HEAD", http.MethodHead, mutation, "", "", 405, "POST"},
		{"PUT", http.MethodPut, "", `{"query":"{ hello }"}`, typeJSON, 405, "GET, HEAD, POST"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			a := call(t, c.method, s.url+c.query, strings.NewReader(c.body), "Accept", typeEvents, "Content-Type", c.contentType)
			if a.status != c.status || a.mediaType != typeJSON || a.header.Get("Allow") != c.allow || a.data != "" {
				t.Errorf("status %d, %s, Allow %q: %s", a.status, a.mediaType, a.header.Get("Allow"), a.body)
			}
			if c.method != http.MethodHead && a.code != "BAD_USER_INPUT" {
				t.Errorf("code %v", a.code)
			}
		})
	}
	t.Cleanup(func() {
		if n := s.begun.Load(); n != 0 {
			t.Errorf("%d operations began", n)
		}
	})
}

func TestEventStreamHeaders(t *testing.T) {
	t.Parallel()
	s := startStreaming(t, graphqlhttp.EventStream{})
	l := s.listen(http.MethodPost, s.url, `{"query":"subscription { events }"}`)
	for name, want := range map[string]string{
		"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"X-Accel-Buffering": "no", "Content-Encoding": "", "Content-Length": "",
	} {
		if got := l.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(strings.Join(l.header.Values("Vary"), ","), "Accept") {
		t.Errorf("Vary is %v", l.header.Values("Vary"))
	}
}

// A subscription has begun when the client sees its first line; events have ids where there are any, and the end is
// told.
func TestEventStreamOfSubscription(t *testing.T) {
	t.Parallel()
	ids := []string{"one", "", "three"}
	s := startStreaming(t, graphqlhttp.EventStream{Begin: func(ctx context.Context, kind ast.Operation) (graphqlhttp.Stream, string) {
		if kind != ast.Subscription {
			t.Errorf("began a %s", kind)
		}
		return graphqlhttp.Stream{Context: ctx, EventID: func() string {
			first := ids[0]
			ids = ids[1:]
			return first
		}}, ""
	}})
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		ids = []string{"one", "", "three"}
		l := s.listen(method, s.url+"?query="+url.QueryEscape("subscription { events }"), `{"query":"subscription { events }"}`)
		l.expect(aComment)
		stream := wait(t, s.streams, "the subscription")
		stream.give(t, event("a"))
		l.expect("id: one\n" + next(`{"data":{"events":"a"}}`)) // at once, not with what follows
		stream.give(t, event("b"))
		l.expect(next(`{"data":{"events":"b"}}`))
		stream.give(t, event("c"))
		stream.give(t, nil)
		l.expect("id: three\n"+next(`{"data":{"events":"c"}}`), completed, endOfAll)
		wait(t, s.ended, "the end of the operation")
	}
}

// A subscription that gives a result without data has failed, and is over.
func TestEventStreamOfFailedSubscription(t *testing.T) {
	t.Parallel()
	s := startStreaming(t, graphqlhttp.EventStream{})
	l := s.listen(http.MethodPost, s.url, `{"query":"subscription { events }"}`)
	stream := wait(t, s.streams, "the subscription")
	stream.give(t, graphql.ErrorResponse(context.Background(), "cannot go on"))
	l.expect(aComment, next(`{"errors":[{"message":"cannot go on"}]}`), completed, endOfAll)
	wait(t, s.ended, "the end of the operation")
}

func TestEventStreamTimeout(t *testing.T) {
	t.Parallel()
	s := startStreaming(t, graphqlhttp.EventStream{Timeout: 20 * time.Millisecond})
	l := s.listen(http.MethodPost, s.url, `{"query":"{ wait }"}`)
	wait(t, s.ended, "the end of the operation")
	l.expect(aComment)
	if got := l.block(); !strings.Contains(got, `"errors":[{`) {
		t.Errorf("a client is not told that its query ran out of time: %q", got)
	}
	l.expect(completed, endOfAll) // else it would ask again
	// A subscription has no such time.
	l = s.listen(http.MethodPost, s.url, `{"query":"subscription { events }"}`)
	stream := wait(t, s.streams, "the subscription")
	if deadline, ok := stream.ctx.Deadline(); ok {
		t.Errorf("a subscription has the deadline %v", deadline)
	}
	l.leave()
	wait(t, s.ended, "the end of the operation")
}
