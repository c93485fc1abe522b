package app_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/acquaint/acquaint/internal/app/apptest"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// family is a metric that a server shows: its type, and its labels.
type family struct {
	kind   string
	labels []string
}

// families are the metrics of a server that has done a little of everything.
func families(t *testing.T) map[string]family {
	t.Helper()
	clock := &apptest.Clock{}
	s := apptest.Start(t, storetest.EmptySQLite(t), apptest.WithMetrics, clock.Apply)
	ada, ben := s.As(t, "ada"), s.As(t, "ben")
	socket := ada.Connect()
	live := socket.Subscribe(subscribeNotifications, nil)
	ben.Invite(ada.ID, "")
	live.Message()
	s.RunTasks(t)
	socket.Close()
	s.AwaitMetrics(t, map[string]float64{`acquaint_websocket_closes_total{by="client",code="1006"}`: 1})

	found := make(map[string]family)
	kind := regexp.MustCompile(`^# TYPE (\S+) (\S+)`)
	label := regexp.MustCompile(`(\w+)="`)
	for line := range strings.Lines(s.MetricsText(t)) {
		if m := kind.FindStringSubmatch(line); m != nil {
			found[m[1]] = family{kind: m[2]}
			continue
		}
		name, labels, _ := strings.Cut(line, "{")
		f, known := found[baseOf(name)]
		if !known || !strings.Contains(line, "{") {
			continue
		}
		for _, m := range label.FindAllStringSubmatch(labels, -1) {
			if m[1] != "le" && !slices.Contains(f.labels, m[1]) {
				f.labels = append(f.labels, m[1])
			}
		}
		slices.Sort(f.labels)
		found[baseOf(name)] = f
	}
	return found
}

// baseOf is the metric that a series of a histogram is of.
func baseOf(series string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(series, suffix); ok {
			return base
		}
	}
	return series
}

var (
	// metricName is what of an expression is a metric of the server's.
	metricName = regexp.MustCompile(`\b(acquaint|go|process)_[a-z0-9_]+\b`)
	// byLabels are the labels that an expression groups by.
	byLabels = regexp.MustCompile(`\bby \(([^)]*)\)`)
	// matched are those that it selects by.
	matched = regexp.MustCompile(`(\w+)=~?"`)
)

// checkExpression finds what an expression asks for that no server has.
func checkExpression(t *testing.T, where, expression string, known map[string]family) []string {
	t.Helper()
	if expression == "" || strings.Count(expression, "(") != strings.Count(expression, ")") || strings.Count(expression, "{") != strings.Count(expression, "}") {
		t.Errorf("%s: %q is no expression", where, expression)
	}
	labels := []string{"instance", "job", "le"}
	var names []string
	for _, name := range metricName.FindAllString(expression, -1) {
		base := name
		if known[name].kind == "" {
			base = baseOf(name)
		}
		f, exists := known[base]
		if !exists {
			t.Errorf("%s asks for %s, which no server has", where, name)
		}
		if f.kind == "histogram" && (name == base || strings.HasSuffix(name, "_bucket") && !strings.Contains(expression, "histogram_quantile(")) {
			t.Errorf("%s uses the histogram %s as what it is not", where, name)
		}
		if f.kind == "counter" && !strings.Contains(expression, "rate(") && !strings.Contains(expression, "increase(") {
			t.Errorf("%s shows the counter %s without a rate", where, name)
		}
		labels = append(labels, f.labels...)
		names = append(names, base)
	}
	used := matched.FindAllStringSubmatch(expression, -1)
	for _, group := range byLabels.FindAllStringSubmatch(expression, -1) {
		for label := range strings.SplitSeq(group[1], ",") {
			used = append(used, []string{"", strings.TrimSpace(label)})
		}
	}
	for _, u := range used {
		if !slices.Contains(labels, u[1]) {
			t.Errorf("%s: %q has no label %s", where, expression, u[1])
		}
	}
	return names
}

func document(t *testing.T, path ...string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "docs"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The dashboard, the alerts and the operations page tell of the metrics that there are, and of all of them.
func TestOperationsDocuments(t *testing.T) {
	t.Parallel()
	known := families(t)
	var ours []string
	for name := range known {
		if strings.HasPrefix(name, "acquaint_") {
			ours = append(ours, name)
		}
	}
	slices.Sort(ours)
	if len(ours) < 25 {
		t.Fatalf("only %d metrics: %v", len(ours), ours)
	}
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, known, ours) })
	page := string(document(t, "operations.md"))
	t.Run("alerts", func(t *testing.T) { checkAlerts(t, known, page) })
	t.Run("table", func(t *testing.T) {
		told := make(map[string]family)
		row := regexp.MustCompile("(?m)^\\| `(acquaint_\\w+)` \\| (\\w+) \\| ([^|]+) \\| \\S")
		for _, m := range row.FindAllStringSubmatch(page, -1) {
			f := family{kind: m[2]}
			if m[3] != "–" {
				f.labels = strings.Split(m[3], ", ")
				slices.Sort(f.labels)
			}
			told[m[1]] = f
		}
		for _, name := range ours {
			if f := told[name]; f.kind != known[name].kind || !slices.Equal(f.labels, known[name].labels) {
				t.Errorf("%s is %+v, and the page says %+v", name, known[name], f)
			}
			delete(told, name)
		}
		if len(told) > 0 {
			t.Errorf("the page tells of what there is not: %v", slices.Collect(maps.Keys(told)))
		}
		// What else the page names in passing must be there, too.
		for _, name := range regexp.MustCompile("`(acquaint_[a-z0-9_]+)").FindAllStringSubmatch(page, -1) {
			if _, is := known[name[1]]; !is && name[1] != "acquaint_groups" { // a pool of connections
				t.Errorf("the page names %s", name[1])
			}
		}
	})
}

func checkDashboard(t *testing.T, known map[string]family, ours []string) {
	t.Helper()
	var board struct {
		Title, UID    string
		SchemaVersion int
		Templating    struct {
			List []struct{ Name, Type, Definition string }
		}
		Panels []struct {
			ID          int
			Type, Title string
			Datasource  struct{ UID string }
			Targets     []struct{ Expr, RefID string }
			GridPos     struct{ X, Y, W, H int }
		}
	}
	if err := json.Unmarshal(document(t, "grafana", "acquaint.json"), &board); err != nil {
		t.Fatal(err)
	}
	if board.Title == "" || board.UID == "" || board.SchemaVersion == 0 || len(board.Templating.List) == 0 || board.Templating.List[0].Type != "datasource" {
		t.Errorf("it cannot be imported: %+v", board.Templating)
	}
	for _, v := range board.Templating.List[1:] {
		checkExpression(t, "the variable "+v.Name, v.Definition, known)
	}
	var rows, shown []string
	ids := make(map[int]bool)
	for _, p := range board.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}
		ids[p.ID] = true
		if p.Type == "row" {
			rows = append(rows, p.Title)
			continue
		}
		if len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("the panel %q asks for nothing, or not the chosen data source, or is out of place", p.Title)
		}
		for _, target := range p.Targets {
			shown = append(shown, checkExpression(t, "the panel "+p.Title, strings.ReplaceAll(target.Expr, `=~"$instance"`, `="x"`), known)...)
		}
	}
	if want := []string{"Traffic", "Latency", "Realtime", "Notifications", "Database", "Broker", "Limits and tasks", "Runtime"}; !slices.Equal(rows, want) {
		t.Errorf("the rows are %v", rows)
	}
	for _, name := range ours {
		if !slices.Contains(shown, name) {
			t.Errorf("no panel shows %s", name)
		}
	}
}

func checkAlerts(t *testing.T, known map[string]family, page string) {
	t.Helper()
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(document(t, "prometheus", "alerts.yml"), &file); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			names = append(names, rule.Alert)
			if _, err := time.ParseDuration(rule.For); err != nil || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s says too little: %+v", rule.Alert, rule)
			}
			if rule.Expr != `up{job="acquaint"} == 0` && len(checkExpression(t, rule.Alert, rule.Expr, known)) == 0 {
				t.Errorf("%s asks for nothing of the server's", rule.Alert)
			}
		}
	}
	var told []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(Acquaint\\w+)` \\|").FindAllStringSubmatch(page, -1) {
		told = append(told, m[1])
	}
	if len(names) == 0 || !slices.Equal(names, told) {
		t.Errorf("the alerts are %v, and the page tells of %v", names, told)
	}
}
