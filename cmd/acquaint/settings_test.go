package main

import (
	"strings"
	"testing"
)

// Where traces go: the flag first, then the standard variables, unless those say that there are none.
func TestTracesURL(t *testing.T) {
	t.Parallel()
	const general, traces = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	for _, c := range []struct {
		flag        string
		environment map[string]string
		want        string
	}{
		{"", nil, ""},
		{"http://a:4318", nil, "http://a:4318/v1/traces"},
		{"https://a/otlp/", map[string]string{general: "http://b", traces: "http://c"}, "https://a/otlp/v1/traces"},
		{"", map[string]string{general: "http://b/"}, "http://b/v1/traces"},
		{"", map[string]string{general: "http://b", traces: "http://c/x"}, "http://c/x"},
		{"", map[string]string{general: "http://b", "OTEL_SDK_DISABLED": "TRUE"}, ""},
		{"", map[string]string{general: "http://b", "OTEL_TRACES_EXPORTER": "none"}, ""},
		{"http://a", map[string]string{"OTEL_SDK_DISABLED": "true"}, "http://a/v1/traces"},
	} {
		if got := tracesURL(c.flag, func(name string) string { return c.environment[name] }); got != c.want {
			t.Errorf("%q with %v is %q, want %q", c.flag, c.environment, got, c.want)
		}
	}
	for _, bad := range []string{"localhost:4318", "nonsense", "ftp://a"} {
		code, _, errs := runCommand("serve", "--jwt-secret", secret, "--database-url", "sqlite:"+t.TempDir()+"/a.db", "--otlp-endpoint", bad)
		if code != 2 || !strings.Contains(errs, "--otlp-endpoint") || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q ends with %d: %s", bad, code, errs)
		}
	}
}
