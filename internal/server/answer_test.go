package server_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/server"
)

// Of the schema, one answer is longer than what is worth compressing, and one is shorter.
const (
	longAnswer  = "{ __schema { types { name description fields { name description } } } }"
	shortAnswer = "{ __typename }"
)

// raw sends a request with just these headers, and gives the answer as it came.
func raw(t *testing.T, method, address, body string, header ...string) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}, Timeout: patience}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, read
}

func TestCompression(t *testing.T) {
	t.Parallel()
	page := strings.Repeat("<p>a page</p>\n", 500)
	r := start(t, server.Options{Pages: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, page)
	})})
	long, short := r.url+"/graphql?query="+url.QueryEscape(longAnswer), r.url+"/graphql?query="+url.QueryEscape(shortAnswer)
	for _, c := range []struct {
		what, address, accept, encoding string
	}{
		{"accepted", long, "gzip", "gzip"},
		{"accepted with a quality", long, "gzip;q=0.5", "gzip"},
		{"one of several", long, "deflate, gzip, br", "gzip"},
		{"small", short, "gzip", ""},
		{"not accepted", long, "", ""},
		{"another accepted", long, "br", ""},
		{"refused", long, "gzip;q=0", ""},
		{"the plain only", long, "identity", ""},
		{"a page", r.url + "/", "gzip", "gzip"},
		{"a page, not accepted", r.url + "/", "", ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			var header []string
			if c.accept != "" {
				header = []string{"Accept-Encoding", c.accept}
			}
			response, body := raw(t, http.MethodGet, c.address, "", header...)
			if response.StatusCode != http.StatusOK || response.Header.Get("Content-Encoding") != c.encoding {
				t.Fatalf("status %d, Content-Encoding %q", response.StatusCode, response.Header.Get("Content-Encoding"))
			}
			vary := strings.Join(response.Header.Values("Vary"), ", ")
			if !strings.Contains(vary, "Accept-Encoding") {
				t.Errorf("Vary is %q", vary)
			}
			if strings.Contains(c.address, "/graphql") && (!strings.Contains(vary+",", "Accept,") || !strings.Contains(vary, "Origin")) {
				t.Errorf("Vary is %q", vary)
			}
			_, plain := raw(t, http.MethodGet, c.address, "")
			if c.encoding == "gzip" {
				unzip, err := gzip.NewReader(bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				if len(body) >= len(plain) {
					t.Errorf("%d bytes compressed to %d", len(plain), len(body))
				}
				if body, err = io.ReadAll(unzip); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(body, plain) || len(body) == 0 {
				t.Errorf("%.200s", body)
			}
			if length := response.Header.Get("Content-Length"); length != "" && c.encoding != "" && length == fmt.Sprint(len(plain)) {
				t.Error("Content-Length is that of the plain text")
			}
		})
	}
}

// A refusal is readable whatever is accepted; and a HEAD has no body, compressed or not.
func TestCompressionOfOthers(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{})
	long := r.url + "/graphql?query=" + url.QueryEscape(longAnswer)
	if response, body := raw(t, http.MethodHead, long, "", "Accept-Encoding", "gzip"); response.StatusCode != http.StatusOK || len(body) != 0 || response.ContentLength >= 0 {
		t.Errorf("status %d, %d bytes, said to be %d", response.StatusCode, len(body), response.ContentLength)
	}
	if response, body := raw(t, http.MethodGet, long, ""); response.ContentLength != int64(len(body)) || len(body) < 2048 { // net/http counts shorter ones
		t.Errorf("%d bytes, said to be %d", len(body), response.ContentLength)
	}
	response, body := raw(t, http.MethodGet, r.url+"/graphql", "", "Accept-Encoding", "gzip", "Authorization", "Bearer bad")
	if response.StatusCode != http.StatusUnauthorized || response.Header.Get("Content-Encoding") != "" || !bytes.Contains(body, []byte("UNAUTHENTICATED")) {
		t.Errorf("status %d: %q", response.StatusCode, body)
	}
	for _, query := range []string{longAnswer, shortAnswer} {
		address := r.url + "/graphql?query=" + url.QueryEscape(query)
		response, body = raw(t, http.MethodGet, address, "", "Accept-Encoding", "gzip", "Accept", "text/event-stream")
		if response.StatusCode != http.StatusOK || response.Header.Get("Content-Encoding") != "" || !bytes.Contains(body, []byte("\n:\n\nevent: next\n")) {
			t.Errorf("a stream: status %d, %s: %.200q", response.StatusCode, response.Header.Get("Content-Encoding"), body)
		}
	}
}

// A body over the limit is refused as soon as that is clear; the connection and the server go on.
func TestBodyLimitOnOneConnection(t *testing.T) {
	t.Parallel()
	limits := server.DefaultLimits()
	limits.Body = 2000
	r := start(t, server.Options{Limits: limits})
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	reader := bufio.NewReader(conn)
	for size, status := range map[int]int{2000: http.StatusOK, 2001: http.StatusRequestEntityTooLarge, 50: http.StatusOK} {
		body := `{"query":"{ __typename }"`
		body += strings.Repeat(" ", size-len(body)-1) + "}"
		if a := call(t, http.MethodPost, r.url+"/graphql", body, "Content-Type", "application/json"); a.status != status {
			t.Errorf("%d bytes: status %d: %.200s", size, a.status, a.body)
		}
	}
	// The length that is announced is not waited for: a client that lies, or dawdles, is answered.
	fmt.Fprintf(conn, "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n%s", strings.Repeat("x", 2001))
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusRequestEntityTooLarge || !bytes.Contains(body, []byte("BAD_USER_INPUT")) {
		t.Errorf("status %d: %s", response.StatusCode, body)
	}
	if a := r.query("{ __typename }"); a.status != http.StatusOK {
		t.Errorf("another client: status %d: %s", a.status, a.body)
	}
}

// A page of another site that may call may also go on after its last event.
func TestPreflightOfResuming(t *testing.T) {
	t.Parallel()
	r := start(t, server.Options{Origins: []string{"https://app.example"}})
	a := call(t, http.MethodOptions, r.url+"/graphql", "", "Origin", "https://app.example",
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type,last-event-id")
	if got := a.header.Get("Access-Control-Allow-Headers"); !strings.Contains(strings.ToLower(got), "last-event-id") {
		t.Errorf("allowed are %q", got)
	}
}
