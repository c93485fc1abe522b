package graph

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/graphqlhttp"
	"github.com/acquaint/acquaint/internal/id"
)

// Where introspection is off, the errors of a nearly right document must not tell the schema, name by name.
func TestNoSuggestions(t *testing.T) {
	t.Parallel()
	face := New(&Resolver{}, Options{})
	face.AddTransport(graphqlhttp.Transport{MaxBody: 1 << 20, Timeout: time.Minute})
	for _, c := range []struct {
		what, query string
		variables   map[string]any
		secret      string // a name that the document comes near; did where another rule must tell it
	}{
		{"field", `{ viewer { membr { id } } }`, nil, `member`},
		{"root field", `{ viewr { id } }`, nil, `viewer`},
		{"field of a mutation", `mutation { inviteMembr(input: {}) { userErrors { code } } }`, nil, `inviteMember`},
		{"field of a subscription", `subscription { notificationRecieved { cursor } }`, nil, `notificationReceived`},
		{"field of an interface", `{ node(id: "x") { handle } }`, nil, `Member`},
		{"field of a fragment", `{ node(id: "x") { ... on Member { handel } } }`, nil, `handle`},
		{"argument", `{ viewer { connections(frist: 1) { totalCount } } }`, nil, `first`},
		{"argument of a directive", `{ viewer { id @include(iff: true) } }`, nil, `did`},
		{"enum value", `{ viewer { receivedInvitations(state: IGNORD) { totalCount } } }`, nil, `IGNORED`},
		{"enum value as a text", `{ viewer { receivedInvitations(state: "IGNORED") { totalCount } } }`, nil, `value IGNORED`},
		{"enum value in a variable", `query($s: ReceivedInvitationState) { viewer { receivedInvitations(state: $s) { totalCount } } }`, map[string]any{"s": "IGNORD"}, `IGNORED`},
		{"type of a fragment", `{ node(id: "x") { ... on Membr { id } } }`, nil, `Member`},
		{"type of a named fragment", `{ node(id: "x") { ...f } } fragment f on Membr { id }`, nil, `Member`},
		{"type of a variable", `query($s: ReceivedInvitationStat) { viewer { receivedInvitations(state: $s) { totalCount } } }`, nil, `did`},
		{"directive", `{ viewer { id @inclde(if: true) } }`, nil, `include`},
		{"variable", `query($state: ReceivedInvitationState) { viewer { receivedInvitations(state: $stat) { totalCount } } }`, nil, `"state"`},
		{"field of an input", `mutation { inviteMember(input: {membrId: "x"}) { userErrors { code } } }`, nil, `note`},
		{"field of an input in a variable", `mutation($i: InviteMemberInput!) { inviteMember(input: $i) { userErrors { code } } }`, map[string]any{"i": map[string]any{"memberId": "x", "noet": "x"}}, `note`},
		{"selection of a scalar", `{ viewer { id { x } } }`, nil, `did`},
		{"no selection of an object", `{ viewer }`, nil, `did`},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			body, err := json.Marshal(map[string]any{"query": c.query, "variables": c.variables})
			if err != nil {
				t.Fatal(err)
			}
			request := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
			request.Header.Set("Content-Type", "application/json")
			viewer := &auth.Viewer{Member: id.Member{1}, Expires: time.Now().Add(time.Hour)}
			w := httptest.NewRecorder()
			face.ServeHTTP(w, request.WithContext(auth.WithViewer(request.Context(), viewer)))
			got := w.Body.String()
			if !strings.Contains(got, CodeValidationFailed) || strings.Contains(got, `"data"`) {
				t.Errorf("gave %s", got)
			}
			if strings.Contains(got, "Did you mean") || strings.Contains(strings.ReplaceAll(got, `\"`, `"`), c.secret) {
				t.Errorf("suggests: %s", got)
			}
		})
	}
}
