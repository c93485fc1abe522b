package graphqlhttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"

	"github.com/acquaint/acquaint/internal/graphqlhttp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	typeJSON     = "application/json"
	typeResponse = "application/graphql-response+json"
	maxBody      = 4096
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	scalar Any
	type Query { hello: String!  partial: String  none: String!  wait: String!  refused(code: String): String!  show(value: Any, n: Int): String! }
	type Mutation { change(to: String): String! }
	type Subscription { events: String! }
`})

// executable is the schema, with resolvers by hand.
type executable struct{}

func (executable) Schema() *ast.Schema { return schema }

func (executable) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (executable) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	field, _ := op.Operation.SelectionSet[0].(*ast.Field)
	text := func(value string) graphql.ResponseHandler {
		encoded, err := json.Marshal(map[string]string{field.Name: value})
		if err != nil {
			panic(err)
		}
		return graphql.OneShot(&graphql.Response{Data: encoded})
	}
	switch field.Name {
	case "hello", "change", "events":
		return text("world")
	case "show":
		arguments := field.ArgumentMap(op.Variables)
		return text(fmt.Sprintf("%v %v", arguments["value"], arguments["n"]))
	case "refused":
		refused := graphql.ErrorResponse(ctx, "not before it has run")
		if code, ok := field.ArgumentMap(op.Variables)["code"]; ok {
			refused.Errors[0].Extensions = map[string]any{"code": code}
		}
		return graphql.OneShot(refused)
	}
	return func(ctx context.Context) *graphql.Response {
		if field.Name == "wait" {
			<-ctx.Done()
		}
		graphql.AddError(ctx, errors.New("no such thing"))
		if field.Name == "partial" {
			return &graphql.Response{Data: []byte(`{"partial":null}`)}
		}
		return &graphql.Response{Data: []byte(`null`)}
	}
}

// newHandler makes a handler of the transport alone, of which a panic is a failure.
func newHandler(t *testing.T, transport graphqlhttp.Transport) http.Handler {
	t.Helper()
	graphQL := handler.New(executable{})
	graphQL.SetRecoverFunc(func(_ context.Context, cause any) error {
		t.Errorf("panic: %v", cause)
		return errors.New("a panic")
	})
	graphQL.AddTransport(transport)
	return graphQL
}

// start starts a server, and gives its address.
func start(t *testing.T, transport graphqlhttp.Transport) string {
	t.Helper()
	server := httptest.NewUnstartedServer(newHandler(t, transport))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func usual(t *testing.T) string {
	t.Helper()
	return start(t, graphqlhttp.Transport{MaxBody: maxBody, Timeout: time.Minute})
}

// answer is a response, read.
type answer struct {
	status    int
	header    http.Header
	mediaType string
	body      string
	errors    []string // their messages
	code      any      // of the first error
	data      string   // "" where there is no such entry
}

// call sends a request, and checks what holds for every answer.
func call(t *testing.T, method, url string, body io.Reader, header ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(read)}
	var params map[string]string
	if a.mediaType, params, err = mime.ParseMediaType(response.Header.Get("Content-Type")); err != nil || params["charset"] != "utf-8" {
		t.Errorf("Content-Type %q", response.Header.Get("Content-Type"))
	}
	if response.Header.Get("X-Content-Type-Options") != "nosniff" || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", response.Header)
	}
	if !strings.Contains(strings.Join(response.Header.Values("Vary"), ","), "Accept") {
		t.Errorf("Vary is %v", response.Header.Values("Vary"))
	}
	if method == http.MethodHead {
		return a
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(read, &fields); err != nil {
		t.Fatalf("the body is no JSON object: %q", read)
	}
	for name := range fields {
		if name != "data" && name != "errors" && name != "extensions" {
			t.Errorf("an entry %q in %s", name, read)
		}
	}
	var errs []struct {
		Message    string
		Extensions map[string]any
	}
	if raw, ok := fields["errors"]; ok {
		if err := json.Unmarshal(raw, &errs); err != nil || len(errs) == 0 || errs[0].Message == "" {
			t.Errorf("errors %s", raw)
		}
		for _, e := range errs {
			a.errors = append(a.errors, e.Message)
		}
		if len(errs) > 0 {
			a.code = errs[0].Extensions["code"]
		}
	}
	a.data = string(fields["data"])
	if a.data == "" && len(a.errors) == 0 {
		t.Errorf("neither data nor errors: %s", read)
	}
	return a
}

// post sends a body as a JSON request.
func post(t *testing.T, url, body string, header ...string) answer {
	t.Helper()
	return call(t, http.MethodPost, url, bytes.NewReader([]byte(body)), append([]string{"Content-Type", typeJSON}, header...)...)
}
