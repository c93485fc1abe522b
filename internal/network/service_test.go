package network_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/notification"
	"github.com/acquaint/acquaint/internal/refusal"
)

// failing is a store in which an invitation is found, and then nothing works any more.
type (
	failing   struct{ network.Store }
	failingTx struct{ network.Tx }
)

var errAway = errors.New("the database is away")

func (failing) Transact(ctx context.Context, do func(context.Context, network.Tx) error) ([]notification.Hint, error) {
	return nil, do(ctx, failingTx{})
}

func (failing) TransactTogether(ctx context.Context, _ network.About, do func(context.Context, network.Tx) error) ([]notification.Hint, error) {
	return nil, do(ctx, failingTx{})
}

func (failingTx) Invitation(context.Context, id.Invitation) (network.Invitation, error) {
	return network.Invitation{State: network.Pending, Sender: sender, Recipient: recipient}, nil
}

func (failingTx) Lock(context.Context, ...id.Member) (bool, error) { return false, errAway }

// A fault is never shown as a refusal: there may well be such an invitation.
func TestFaultIsNoRefusal(t *testing.T) {
	t.Parallel()
	s := network.NewService(failing{}, nil, network.DefaultPolicy(), time.Now, nil)
	_, withdraw := s.Withdraw(t.Context(), sender, id.Invitation{})
	_, respond := s.Respond(t.Context(), recipient, id.Invitation{}, network.Accept, "")
	_, remind := s.Remind(t.Context(), sender, id.Invitation{})
	for _, err := range []error{withdraw, respond, remind} {
		if refused := (*refusal.Error)(nil); !errors.Is(err, errAway) || errors.As(err, &refused) {
			t.Errorf("got %v", err)
		}
	}
}
