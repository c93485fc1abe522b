package network_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/refusal"
)

const day = 24 * time.Hour

func code(err error) refusal.Code {
	if refused, ok := errors.AsType[*refusal.Error](err); ok {
		return refused.Code
	}
	return ""
}

func TestMayInvite(t *testing.T) {
	t.Parallel()
	policy := network.DefaultPolicy()
	type standing = network.Standing
	const email = "ben@example.com"
	for _, c := range []struct {
		what     string
		standing standing
		email    string
		want     refusal.Code
	}{
		{"strangers", standing{}, "", ""},
		{"a deleted recipient", standing{Gone: true, Connected: true}, "", network.CodeMemberNotFound},
		{"a block, whatever else", standing{Blocked: true, Connected: true, Audience: network.Nobody}, "", network.CodeMemberNotFound},
		{"connected", standing{Connected: true, Audience: network.Nobody}, "", network.CodeAlreadyConnected},
		{"withdrawn a moment ago", standing{Bar: network.Bar{WithdrawnAt: now}}, "", network.CodeReinviteNotAllowed},
		{"withdrawn 21 days less a moment ago", standing{Bar: network.Bar{WithdrawnAt: now.Add(-21*day + 1)}}, "", network.CodeReinviteNotAllowed},
		{"withdrawn 21 days ago", standing{Bar: network.Bar{WithdrawnAt: now.Add(-21 * day)}}, "", ""},
		{"declined long ago", standing{Bar: network.Bar{DeclinedAt: now.Add(-1000 * day)}}, email, network.CodeReinviteNotAllowed},
		{"declined and withdrawn long ago", standing{Bar: network.Bar{DeclinedAt: now.Add(-1000 * day), WithdrawnAt: now.Add(-999 * day)}}, "", network.CodeReinviteNotAllowed},
		{"everyone", standing{Audience: network.Everyone}, "", ""},
		{"nobody", standing{Audience: network.Nobody, Mutual: true, Email: email}, email, network.CodeRecipientNotAccepting},
		{"mutual connections, and none", standing{Audience: network.MutualConnections, Email: email}, email, network.CodeRecipientNotAccepting},
		{"mutual connections, and some", standing{Audience: network.MutualConnections, Mutual: true}, "", ""},
		{"the email is asked for", standing{Audience: network.KnowsEmail, Email: email}, "", network.CodeEmailRequired},
		{"the email is another", standing{Audience: network.KnowsEmail, Email: email}, "ann@example.com", network.CodeEmailRequired},
		{"there is no email to know", standing{Audience: network.KnowsEmail}, "", network.CodeEmailRequired},
		{"the email is right", standing{Audience: network.KnowsEmail, Email: email}, " Ben@Example.com ", ""},
		{"restricted", standing{RestrictedUntil: now.Add(1), Email: email}, "", network.CodeInvitationsRestricted},
		{"restricted, with a wrong email", standing{RestrictedUntil: now.Add(1), Email: email}, "b@example.com", network.CodeInvitationsRestricted},
		{"restricted, with the email", standing{RestrictedUntil: now.Add(1), Email: email}, email, ""},
		{"restricted no longer", standing{RestrictedUntil: now}, "", ""},
		{"the last of the window", standing{InWindow: 100, Open: 1000}, "", ""},
		{"one more", standing{InWindow: 101}, "", network.CodeInvitationLimitReached},
		{"one more open", standing{Open: 1001}, "", network.CodeInvitationLimitReached},
		{"the email lifts no limit", standing{InWindow: 101, Email: email}, email, network.CodeInvitationLimitReached},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			err := policy.MayInvite(c.standing, c.email, now)
			if code(err) != c.want || err != nil && c.want == "" {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			refused, _ := errors.AsType[*refusal.Error](err)
			if tells := refused != nil && !refused.RetryAt.IsZero(); tells != (c.want == network.CodeInvitationsRestricted) {
				t.Errorf("a time to try again: %v; that of a withdrawal would tell it from a decline", refused)
			}
		})
	}
	cooling := policy.MayInvite(standing{Bar: network.Bar{WithdrawnAt: now}}, "", now)
	declined := policy.MayInvite(standing{Bar: network.Bar{WithdrawnAt: now, DeclinedAt: now}}, "", now)
	if cooling.Error() != declined.Error() {
		t.Errorf("the two refusals differ: %q and %q", cooling, declined)
	}
}

func TestMayRemind(t *testing.T) {
	t.Parallel()
	policy := network.DefaultPolicy()
	for _, c := range []struct {
		what      string
		sent      time.Duration // ago
		reminders int
		reminded  time.Duration // ago
		want      refusal.Code
		retryIn   time.Duration
	}{
		{"just sent", 0, 0, 0, network.CodeReminderTooSoon, 7 * day},
		{"a moment before seven days", 7*day - 1, 0, 0, network.CodeReminderTooSoon, 1},
		{"after seven days", 7 * day, 0, 0, "", 0},
		{"reminded a day ago", 20 * day, 1, day, network.CodeReminderTooSoon, 6 * day},
		{"reminded seven days ago", 20 * day, 1, 7 * day, "", 0},
		{"reminded twice, long ago", 100 * day, 2, 50 * day, network.CodeReminderLimitReached, 0},
		{"reminded twice, just now", 100 * day, 2, 0, network.CodeReminderLimitReached, 0},
	} {
		for _, state := range []network.State{network.Pending, network.Ignored, network.Declined} {
			inv := network.Invitation{State: state, SentAt: now.Add(-c.sent), Reminders: c.reminders}
			if c.reminders > 0 {
				inv.RemindedAt = now.Add(-c.reminded)
			}
			err := policy.MayRemind(inv, now)
			refused, _ := errors.AsType[*refusal.Error](err)
			switch {
			case code(err) != c.want:
				t.Errorf("%s, %s: got %v, want %q", c.what, state, err, c.want)
			case refused != nil && c.retryIn > 0 && !refused.RetryAt.Equal(now.Add(c.retryIn)):
				t.Errorf("%s, %s: try again at %v", c.what, state, refused.RetryAt)
			case refused != nil && c.retryIn == 0 && !refused.RetryAt.IsZero():
				t.Errorf("%s, %s: never, but try again at %v", c.what, state, refused.RetryAt)
			}
		}
	}
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	policy := network.DefaultPolicy()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	none := network.Restriction{}
	for _, c := range []struct {
		what   string
		count  int
		newest time.Time
		before network.Restriction
		want   network.Restriction
	}{
		{"two flags", 2, ago(day), none, none},
		{"three warn", 3, ago(day), none, network.Restriction{Warned: true}},
		{"four do no more", 4, ago(day), none, network.Restriction{Warned: true}},
		{"five restrict", 5, ago(day), none, network.Restriction{Warned: true, Since: now, Until: now.Add(7 * day)}},
		{
			"the same five, the next day", 5, ago(2 * day), network.Restriction{Warned: true, Since: ago(day), Until: now.Add(6 * day)},
			network.Restriction{Warned: true, Since: ago(day), Until: now.Add(6 * day)},
		},
		{
			"the same five, after the restriction", 5, ago(9 * day), network.Restriction{Warned: true, Since: ago(8 * day), Until: ago(day)},
			network.Restriction{Warned: true, Since: ago(8 * day), Until: ago(day)},
		},
		{
			"a sixth during the restriction waits for its end", 6, ago(time.Hour), network.Restriction{Warned: true, Since: ago(day), Until: now.Add(6 * day)},
			network.Restriction{Warned: true, Since: ago(day), Until: now.Add(6 * day)},
		},
		{
			"a sixth since it began, and it is over", 6, ago(2 * day), network.Restriction{Warned: true, Since: ago(8 * day), Until: ago(day)},
			network.Restriction{Warned: true, Since: now, Until: now.Add(7 * day)},
		},
		{"flags that no longer count", 1, ago(day), network.Restriction{Warned: true}, none},
	} {
		if got := policy.Evaluate(network.FlagCount{Count: c.count, Newest: c.newest, Before: c.before}, now); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.what, got, c.want)
		}
	}
}

// Evaluated again without a flag that has not counted yet, nothing changes: how often it is done does not matter.
func TestEvaluateIsStable(t *testing.T) {
	t.Parallel()
	policy := network.DefaultPolicy()
	rapid.Check(t, func(t *rapid.T) {
		hours := func(name string) time.Duration {
			return time.Duration(rapid.IntRange(0, 24*120).Draw(t, name)) * time.Hour
		}
		flags := network.FlagCount{Count: rapid.IntRange(0, 8).Draw(t, "count"), Newest: now.Add(-hours("newest"))}
		if rapid.Bool().Draw(t, "restricted before") {
			flags.Before.Since = now.Add(-hours("since"))
			flags.Before.Until = flags.Before.Since.Add(policy.Restriction)
		}
		first := policy.Evaluate(flags, now)
		if flags.Count >= policy.FlagRestrict && flags.Newest.After(first.Since) {
			return // it came during a restriction, and counts when that is over
		}
		flags.Before = first
		if again := policy.Evaluate(flags, now.Add(hours("later"))); again != first {
			t.Fatalf("%+v, and then %+v", first, again)
		}
	})
}
