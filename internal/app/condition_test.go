package app_test

import (
	"strings"
	"testing"

	"github.com/acquaint/acquaint/internal/app/apptest"
)

// A null where a condition stands is the client's fault, wherever it stands, and ends nothing else on the socket.
func TestNullCondition(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *apptest.Server) {
		null := apptest.Vars{"x": nil}
		ada := s.As(t, "ada")
		for query, by := range map[string]*apptest.Client{
			`query($x: Boolean = true) { __typename @skip(if: $x) }`:                                              s.WithToken(t, ""),
			`query($x: Boolean = true) { viewer { id @include(if: $x) } }`:                                        ada,
			`query($x: Boolean = true) { viewer { ... @include(if: $x) { id } } }`:                                ada,
			`query($x: Boolean = true) { viewer { ...F } } fragment F on Viewer { member { id @skip(if: $x) } }`:  ada,
			`mutation($x: Boolean = true) { updateMember(input: {name: "A"}) { member { name @skip(if: $x) } } }`: ada,
		} {
			if r := by.Do(query, null); r.Code() != "BAD_USER_INPUT" || !strings.Contains(r.Errors[0].Message, "$x") {
				t.Errorf("%s gave %s", query, r.Raw)
			}
		}
		socket := ada.Connect()
		stream := socket.Subscribe(subscribeNotifications, nil)
		for _, query := range []string{
			`query($x: Boolean = true) { __typename @skip(if: $x) }`,
			`subscription($x: Boolean = true) { notificationReceived { cursor @skip(if: $x) node { id } } }`,
		} {
			if m := socket.Subscribe(query, null).Message(); !strings.Contains(string(m.Payload), "BAD_USER_INPUT") {
				t.Errorf("%s gave %s %s", query, m.Type, m.Payload)
			}
		}
		s.As(t, "ben").Invite(ada.ID, "")
		var event edgeEvent
		stream.Next(&event) // the socket is open, and so is the other subscription
	})
}
