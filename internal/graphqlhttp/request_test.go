package graphqlhttp_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// marker is in everything that is sent, and in nothing that comes back.
const marker = "Zaphod"

// A request that is no GraphQL request is 400 in both media types, says why, and echoes nothing.
func TestMalformedBody(t *testing.T) {
	t.Parallel()
	address := usual(t)
	for _, c := range []struct {
		what, body, says string
	}{
		{"empty", ``, "JSON object"},
		{"blank", " \n", "JSON object"},
		{"no JSON", `query { Zaphod }`, "JSON object"},
		{"half of an object", `{"query":"{ Zaphod }"`, "JSON object"},
		{"trailing garbage", `{"query":"{ hello }"} Zaphod`, "JSON object"},
		{"two objects", `{"query":"{ hello }"}{"Zaphod":1}`, "JSON object"},
		{"a byte order mark", "\ufeff{\"query\":\"{ hello }\",\"x\":\"Zaphod\"}", "JSON object"},
		{"null", `null`, "JSON object"},
		{"a string", `"Zaphod"`, "JSON object"},
		{"a number", `1`, "JSON object"},
		{"a batch", `[{"query":"{ Zaphod }"}]`, "Batches"},
		{"a batch after blanks", "\n [ ]", "Batches"},
		{"deep nesting", strings.Repeat(`{"Zaphod":`, 300) + "1" + strings.Repeat("}", 299), "JSON object"},
		{"invalid UTF-8", "{\"query\":\"{ hello }\",\"operationName\":\"Zaphod\xff\"}", "UTF-8"},
		{"invalid UTF-8 in a name", "{\"query\":\"{ hello }\",\"Zaphod\xc3\":1}", "UTF-8"},
		{"query missing", `{"Zaphod":1}`, `"query"`},
		{"query in another case", `{"Query":"{ hello }"}`, `"query"`},
		{"query empty", `{"query":"","x":"Zaphod"}`, `"query"`},
		{"query null", `{"query":null,"x":"Zaphod"}`, `"query"`},
		{"query a number", `{"query":1}`, `"query"`},
		{"query an object", `{"query":{"Zaphod":1}}`, `"query"`},
		{"query an array", `{"query":["{ Zaphod }"]}`, `"query"`},
		{"operationName a number", `{"query":"{ hello }","operationName":1}`, `"operationName"`},
		{"operationName an object", `{"query":"{ hello }","operationName":{"Zaphod":1}}`, `"operationName"`},
		{"operationName false", `{"query":"{ hello }","operationName":false}`, `"operationName"`},
		{"variables a string", `{"query":"{ hello }","variables":"{\"Zaphod\":1}"}`, `"variables"`},
		{"variables empty string", `{"query":"{ hello }","variables":""}`, `"variables"`},
		{"variables an array", `{"query":"{ hello }","variables":["Zaphod"]}`, `"variables"`},
		{"variables a number", `{"query":"{ hello }","variables":0}`, `"variables"`},
		{"variables true", `{"query":"{ hello }","variables":true}`, `"variables"`},
		{"extensions a string", `{"query":"{ hello }","extensions":"Zaphod"}`, `"extensions"`},
		{"extensions an array", `{"query":"{ hello }","extensions":["Zaphod"]}`, `"extensions"`},
		{"extensions a number", `{"query":"{ hello }","extensions":1}`, `"extensions"`},
	} {
		for _, mediaType := range []string{typeJSON, typeResponse} {
			t.Run(c.what+" "+mediaType, func(t *testing.T) {
				t.Parallel()
				a := post(t, address, c.body, "Accept", mediaType)
				if a.status != http.StatusBadRequest || a.mediaType != mediaType || a.data != "" || a.code != "BAD_USER_INPUT" {
					t.Errorf("status %d, %s: %s", a.status, a.mediaType, a.body)
				}
				if len(a.errors) != 1 || !strings.Contains(a.errors[0], c.says) {
					t.Errorf("it says %q, and not %s", a.errors, c.says)
				}
				if strings.Contains(a.body, marker) {
					t.Errorf("it echoes what was sent: %s", a.body)
				}
			})
		}
	}
}

func TestWellFormedBody(t *testing.T) {
	t.Parallel()
	address := usual(t)
	for _, c := range []struct {
		what, body, data string
	}{
		{"nulls", `{"query":"{ hello }","operationName":null,"variables":null,"extensions":null}`, `{"hello":"world"}`},
		{"empty", `{"query":"{ hello }","operationName":"","variables":{},"extensions":{}}`, `{"hello":"world"}`},
		{"unknown entries", `{"query":"{ hello }","id":1,"doc_id":[]}`, `{"hello":"world"}`},
		{"blanks", " \r\n\t{ \"query\" : \"{ hello }\" } \n", `{"hello":"world"}`},
		{"escapes", `{"query":"{ \u0068ello }"}`, `{"hello":"world"}`},
		{"one of two operations", `{"query":"query A { none } query B { hello }","operationName":"B"}`, `{"hello":"world"}`},
		{"a variable null", `{"query":"query($v: Any) { show(value: $v) }","variables":{"v":null}}`, `{"show":"\u003cnil\u003e \u003cnil\u003e"}`},
		{
			"a number that no float holds", `{"query":"query($v: Any) { show(value: $v) }","variables":{"v":9007199254740993}}`,
			`{"show":"9007199254740993 \u003cnil\u003e"}`,
		},
		{
			"more digits than any float has", `{"query":"query($v: Any) { show(value: $v) }","variables":{"v":[0.1000000000000000055511151231257827]}}`,
			`{"show":"[0.1000000000000000055511151231257827] \u003cnil\u003e"}`,
		},
		{"an Int", `{"query":"query($n: Int) { show(n: $n) }","variables":{"n":2147483647}}`, `{"show":"\u003cnil\u003e 2147483647"}`},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			if a := post(t, address, c.body); a.status != http.StatusOK || a.data != c.data || len(a.errors) > 0 {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
		})
	}
}

func TestContentType(t *testing.T) {
	t.Parallel()
	address := usual(t)
	const good = `{"query":"{ hello }"}`
	for _, c := range []struct {
		what, contentType, body string
		status                  int
	}{
		{"json", typeJSON, good, 200},
		{"json with charset", typeJSON + "; charset=utf-8", good, 200},
		{"json with charset in capitals", `Application/JSON;Charset="UTF-8"`, good, 200},
		{"missing", "", good, 415},
		{"text", "text/plain", good, 415},
		{"text with a hint", "text/plain; application/json", good, 415},
		{"form", "application/x-www-form-urlencoded", "query=%7Bhello%7D", 415},
		{"multipart form", "multipart/form-data; boundary=x", "--x--", 415},
		{"graphql", "application/graphql", "{ hello }", 415},
		{"json with charset latin1", typeJSON + "; charset=latin1", good, 415},
		{"json with charset utf-16", typeJSON + "; charset=utf-16", good, 415},
		{"malformed", "application/json; charset", good, 415},
		{"the type of responses", typeResponse, good, 415},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			var header []string
			if c.contentType != "" {
				header = []string{"Content-Type", c.contentType}
			}
			a := call(t, http.MethodPost, address, strings.NewReader(c.body), header...)
			if a.status != c.status || (c.status == 200) != (a.data != "") {
				t.Fatalf("status %d: %s", a.status, a.body)
			}
		})
	}
}

func TestCompressedBody(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	_, _ = io.WriteString(w, `{"query":"{ hello }"}`)
	w.Close()
	a := call(t, http.MethodPost, usual(t), &body, "Content-Type", typeJSON, "Content-Encoding", "gzip")
	if a.status != http.StatusUnsupportedMediaType || a.data != "" {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
}

func TestBodySize(t *testing.T) {
	t.Parallel()
	address := usual(t)
	body := func(size int) string {
		const frame = `{"query":"{ hello }","x":""}`
		return frame[:len(frame)-2] + strings.Repeat("x", size-len(frame)) + frame[len(frame)-2:]
	}
	for _, mediaType := range []string{typeJSON, typeResponse} {
		if a := post(t, address, body(maxBody), "Accept", mediaType); a.status != http.StatusOK {
			t.Errorf("%d bytes: status %d: %s", maxBody, a.status, a.body)
		}
		a := post(t, address, body(maxBody+1), "Accept", mediaType)
		if a.status != http.StatusRequestEntityTooLarge || a.data != "" || a.mediaType != mediaType {
			t.Errorf("%d bytes: status %d: %s", maxBody+1, a.status, a.body)
		}
	}
	// Nor when the length is not told beforehand.
	a := call(t, http.MethodPost, address, io.MultiReader(strings.NewReader(body(maxBody+1))), "Content-Type", typeJSON)
	if a.status != http.StatusRequestEntityTooLarge {
		t.Errorf("in chunks: status %d: %s", a.status, a.body)
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	address := usual(t)
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
		a := call(t, method, address+"?query=%7Bhello%7D", strings.NewReader(`{"query":"{ hello }"}`), "Content-Type", typeJSON)
		if allow := a.header.Get("Allow"); a.status != http.StatusMethodNotAllowed || !strings.Contains(allow, "POST") || !strings.Contains(allow, "GET") {
			t.Errorf("%s: status %d, Allow %q", method, a.status, allow)
		}
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	address := usual(t)
	for _, c := range []struct {
		what   string
		params url.Values
		data   string
	}{
		{"query", url.Values{"query": {"{ hello }"}}, `{"hello":"world"}`},
		{"variables", url.Values{"query": {"query($n: Int) { show(n: $n) }"}, "variables": {`{"n":12}`}}, `{"show":"\u003cnil\u003e 12"}`},
		{
			"numbers as they were written", url.Values{"query": {"query($v: Any) { show(value: $v) }"}, "variables": {`{"v":9007199254740993}`}},
			`{"show":"9007199254740993 \u003cnil\u003e"}`,
		},
		{"variables null", url.Values{"query": {"{ hello }"}, "variables": {"null"}, "extensions": {" null "}}, `{"hello":"world"}`},
		{"all empty", url.Values{"query": {"{ hello }"}, "variables": {""}, "extensions": {""}, "operationName": {""}}, `{"hello":"world"}`},
		{
			"operationName", url.Values{"query": {"mutation A { change } query B { hello }"}, "operationName": {"B"}},
			`{"hello":"world"}`,
		},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				a := call(t, method, address+"?"+c.params.Encode(), nil)
				if a.status != http.StatusOK || method == http.MethodGet && a.data != c.data || method == http.MethodHead && a.body != "" {
					t.Errorf("%s: status %d: %s", method, a.status, a.body)
				}
			}
		})
	}
}

func TestMalformedGet(t *testing.T) {
	t.Parallel()
	address := usual(t)
	for what, query := range map[string]string{
		"no query":              "",
		"empty query":           "query=&x=Zaphod",
		"malformed escapes":     "query=%7Bhello%7D&x=%zzZaphod",
		"semicolons":            "query=%7Bhello%7D;x=Zaphod",
		"invalid UTF-8":         "query=%7Bhello%7D&operationName=Zaphod%ff",
		"variables an array":    "query=%7Bhello%7D&variables=%5B%22Zaphod%22%5D",
		"variables a string":    "query=%7Bhello%7D&variables=%22Zaphod%22",
		"variables a number":    "query=%7Bhello%7D&variables=0",
		"variables no JSON":     "query=%7Bhello%7D&variables=Zaphod",
		"variables and garbage": "query=%7Bhello%7D&variables=%7B%7DZaphod",
		"extensions an array":   "query=%7Bhello%7D&extensions=%5B%22Zaphod%22%5D",
		"extensions no JSON":    "query=%7Bhello%7D&extensions=Zaphod",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for _, mediaType := range []string{typeJSON, typeResponse} {
				a := call(t, http.MethodGet, address+"?"+query, nil, "Accept", mediaType)
				if a.status != http.StatusBadRequest || a.data != "" || a.code != "BAD_USER_INPUT" || strings.Contains(a.body, marker) {
					t.Errorf("status %d: %s", a.status, a.body)
				}
			}
		})
	}
}

// A link or an image of another site must change nothing.
func TestGetOfMutation(t *testing.T) {
	t.Parallel()
	address := usual(t)
	for _, params := range []url.Values{
		{"query": {"mutation { change }"}},
		{"query": {"mutation A { change } query B { hello }"}, "operationName": {"A"}},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			for _, mediaType := range []string{typeJSON, typeResponse} {
				a := call(t, method, address+"?"+params.Encode(), nil, "Accept", mediaType)
				if a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != "POST" || a.data != "" {
					t.Errorf("%s: status %d, Allow %q: %s", method, a.status, a.header.Get("Allow"), a.body)
				}
			}
		}
	}
}

// The query string of a POST counts for nothing.
func TestPostIgnoresTheURL(t *testing.T) {
	t.Parallel()
	a := post(t, usual(t)+"?query=%7Bnone%7D&operationName=A", `{"query":"{ hello }"}`)
	if a.status != http.StatusOK || a.data != `{"hello":"world"}` {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
}
