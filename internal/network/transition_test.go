package network_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/refusal"
)

var (
	sender    = id.Member{1}
	recipient = id.Member{2}
	stranger  = id.Member{3}
	now       = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

var (
	allStates = []network.State{
		network.Pending, network.Ignored, network.Declined, network.Accepted, network.Withdrawn, network.Expired,
	}
	allActors  = []network.Actor{network.BySender, network.ByRecipient, network.ByOther, network.ByTime}
	allActions = []network.Action{
		network.Accept, network.Ignore, network.DontKnow, network.Decline, network.Cross, network.Withdraw,
		network.Remind, network.Block, network.Expire,
	}
)

// outcome is what an action brings: the state after it and the event, or the code of the refusal.
type outcome struct {
	state   network.State
	flagged bool
	event   network.Event
	code    refusal.Code
}

// legal is the table of product rules: what each action makes of each state, by the actor who may do it. What is not
// here is refused: with INVITATION_NOT_FOUND when the actor may not do such a thing at all.
func legal(before network.Invitation, action network.Action) outcome {
	to := func(state network.State, event network.Event) outcome {
		return outcome{state, before.Flagged, event, ""}
	}
	same := outcome{before.State, before.Flagged, network.Unchanged, ""}
	refused := func(code refusal.Code) outcome { return outcome{before.State, before.Flagged, network.Unchanged, code} }
	closed := refused(network.CodeInvitationWithdrawn)
	answered := refused(network.CodeInvitationAlreadyAnswered)
	flag := outcome{network.Ignored, true, network.WasFlagged, ""}
	if before.Flagged {
		flag = same
	}
	table := map[network.Action]map[network.State]outcome{
		network.Accept: {
			network.Pending: to(network.Accepted, network.WasAccepted), network.Ignored: to(network.Accepted, network.WasAccepted),
			network.Declined: answered, network.Accepted: same, network.Withdrawn: closed, network.Expired: closed,
		},
		network.Ignore: {
			network.Pending: to(network.Ignored, network.WasIgnored), network.Ignored: same,
			network.Declined: answered, network.Accepted: answered, network.Withdrawn: closed, network.Expired: closed,
		},
		network.DontKnow: {
			network.Pending: {network.Ignored, true, network.WasFlagged, ""}, network.Ignored: flag,
			network.Declined: answered, network.Accepted: answered, network.Withdrawn: closed, network.Expired: closed,
		},
		network.Decline: {
			network.Pending: to(network.Declined, network.WasDeclined), network.Ignored: to(network.Declined, network.WasDeclined),
			network.Declined: same, network.Accepted: answered, network.Withdrawn: closed, network.Expired: closed,
		},
		network.Cross: {
			network.Pending: to(network.Accepted, network.WasAccepted), network.Ignored: to(network.Accepted, network.WasAccepted),
			network.Declined: to(network.Accepted, network.WasAccepted),
			network.Accepted: closed, network.Withdrawn: closed, network.Expired: closed,
		},
		network.Withdraw: {
			network.Pending: to(network.Withdrawn, network.WasWithdrawn), network.Ignored: to(network.Withdrawn, network.WasWithdrawn),
			network.Declined: to(network.Withdrawn, network.WasWithdrawn),
			network.Accepted: answered, network.Withdrawn: same, network.Expired: closed,
		},
		network.Remind: {
			network.Pending: to(network.Pending, network.WasReminded), network.Ignored: to(network.Ignored, network.WasRemindedInVain),
			network.Declined: to(network.Declined, network.WasRemindedInVain),
			network.Accepted: answered, network.Withdrawn: closed, network.Expired: closed,
		},
		network.Block: {
			network.Pending: to(network.Withdrawn, network.WasBlocked), network.Ignored: to(network.Withdrawn, network.WasBlocked),
			network.Declined: to(network.Withdrawn, network.WasBlocked),
			network.Accepted: same, network.Withdrawn: same, network.Expired: same,
		},
		network.Expire: {
			network.Pending: to(network.Expired, network.HasExpired), network.Ignored: to(network.Expired, network.HasExpired),
			network.Declined: to(network.Expired, network.HasExpired),
			network.Accepted: closed, network.Withdrawn: closed, network.Expired: same,
		},
	}
	return table[action][before.State]
}

var actorsOf = map[network.Action][]network.Actor{
	network.Accept: {network.ByRecipient}, network.Ignore: {network.ByRecipient}, network.DontKnow: {network.ByRecipient},
	network.Decline: {network.ByRecipient}, network.Cross: {network.ByRecipient},
	network.Withdraw: {network.BySender}, network.Remind: {network.BySender},
	network.Block: {network.BySender, network.ByRecipient}, network.Expire: {network.ByTime},
}

// Every state, flagged or not, by every actor and action: exactly the table, and a refusal changes nothing.
func TestTransition(t *testing.T) {
	t.Parallel()
	for _, state := range allStates {
		for _, flagged := range []bool{false, true} {
			if flagged && state == network.Pending {
				continue // a flag moves it to the archive
			}
			for _, actor := range allActors {
				for _, action := range allActions {
					before := network.Invitation{Sender: sender, Recipient: recipient, State: state, Flagged: flagged, SentAt: now.Add(-time.Hour), ListedAt: now.Add(-time.Minute)}
					want := outcome{state, flagged, network.Unchanged, network.CodeInvitationNotFound}
					if slices.Contains(actorsOf[action], actor) {
						want = legal(before, action)
					}
					t.Run(fmt.Sprintf("%s,flagged=%v/%s/%s", state, flagged, actor, action), func(t *testing.T) {
						t.Parallel()
						check(t, before, actor, action, want)
					})
				}
			}
		}
	}
}

func check(t *testing.T, before network.Invitation, actor network.Actor, action network.Action, want outcome) {
	t.Helper()
	after, event, err := network.Transition(before, actor, action, now)
	got := outcome{after.State, after.Flagged, event, ""}
	if refused, ok := errors.AsType[*refusal.Error](err); ok {
		got.code = refused.Code
	} else if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	if accepted := event == network.WasAccepted; accepted != after.AcceptedAt.Equal(now) {
		t.Errorf("accepted at %v after %q", after.AcceptedAt, event)
	}
	checkReminders(t, before, after, event)
	after.State, after.Flagged, after.AcceptedAt = before.State, before.Flagged, before.AcceptedAt
	after.Reminders, after.RemindedAt, after.ListedAt = before.Reminders, before.RemindedAt, before.ListedAt
	if after != before {
		t.Errorf("changed more than the state: %+v", after)
	}
}

// A reminder counts for its sender whatever the state; it moves the invitation only in the inbox of a recipient who has
// not answered, and whoever puts it away sees no reminder any more.
func checkReminders(t *testing.T, before, after network.Invitation, event network.Event) {
	t.Helper()
	listedAt, reminders, remindedAt := before.ListedAt, before.Reminders, before.RemindedAt
	switch event { //nolint:exhaustive // the others change none of it
	case network.WasReminded:
		listedAt, reminders, remindedAt = now, reminders+1, now
	case network.WasRemindedInVain:
		reminders, remindedAt = reminders+1, now
	case network.WasIgnored, network.WasFlagged, network.WasDeclined:
		listedAt = before.SentAt
	}
	if !after.ListedAt.Equal(listedAt) || after.Reminders != reminders || !after.RemindedAt.Equal(remindedAt) {
		t.Errorf("%q listed it at %v, with %d reminders, the last at %v", event, after.ListedAt, after.Reminders, after.RemindedAt)
	}
}

// Silence, at its root: to the sender every open state looks the same; to the recipient it is what it is; others may not
// know of the invitation at all.
func TestStateFor(t *testing.T) {
	t.Parallel()
	for _, state := range allStates {
		inv := network.Invitation{Sender: sender, Recipient: recipient, State: state}
		want := state
		if state.Open() {
			want = network.Pending
		}
		if got := inv.StateFor(sender); got != want {
			t.Errorf("the sender of a %s invitation sees %s, want %s", state, got, want)
		}
		if got := inv.StateFor(recipient); got != state {
			t.Errorf("the recipient of a %s invitation sees %s", state, got)
		}
		if inv.VisibleTo(stranger) || !inv.VisibleTo(sender) || !inv.VisibleTo(recipient) {
			t.Errorf("a %s invitation is visible to the wrong members", state)
		}
	}
}

func TestRelate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what      string
		viewer    id.Member
		member    id.Member
		blocked   bool
		connected time.Time
		open      network.State
		want      network.Status
	}{
		{"blocked by the viewer, whatever else is seen", sender, recipient, true, now, network.Pending, network.StatusBlocked},
		{"oneself", sender, sender, false, time.Time{}, "", network.StatusSelf},
		{"nothing", sender, recipient, false, time.Time{}, "", network.StatusNone},
		{"connected", sender, recipient, false, now, "", network.StatusConnected},
		{"connected wins over an invitation seen a moment before", sender, recipient, false, now, network.Pending, network.StatusConnected},
		{"the sender of a pending one", sender, recipient, false, time.Time{}, network.Pending, network.StatusSent},
		{"the sender of an ignored one", sender, recipient, false, time.Time{}, network.Ignored, network.StatusSent},
		{"the sender of a declined one", sender, recipient, false, time.Time{}, network.Declined, network.StatusSent},
		{"the recipient of a pending one", recipient, sender, false, time.Time{}, network.Pending, network.StatusReceived},
		{"the recipient of an ignored one", recipient, sender, false, time.Time{}, network.Ignored, network.StatusReceived},
		{"the recipient of a declined one", recipient, sender, false, time.Time{}, network.Declined, network.StatusNone},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			var open *network.Invitation
			if c.open != "" {
				open = &network.Invitation{Sender: sender, Recipient: recipient, State: c.open}
			}
			got := network.Relate(c.viewer, c.member, network.Between{Blocked: c.blocked, ConnectedAt: c.connected, Open: open})
			if got.Status != c.want {
				t.Fatalf("got %s, want %s", got.Status, c.want)
			}
			if shows := got.Invitation != nil; shows != (c.want == network.StatusSent || c.want == network.StatusReceived) {
				t.Errorf("status %s with invitation %v", got.Status, got.Invitation)
			}
		})
	}
}
