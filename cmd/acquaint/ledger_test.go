package main

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/acquaint/acquaint/internal/notification"
)

// ledger is what clients had acknowledged, and where news were written and heard of.
type ledger struct {
	mu          sync.Mutex
	invitations map[string]acknowledged // by their ids
	written     map[fact]*process
	hearing     map[fact]*process // before it was known where it was written

	across atomic.Int64 // news heard of on another node than the one that wrote them
}

// acknowledged is an invitation as its members know of it.
type acknowledged struct {
	id                string
	sender, recipient string // subjects
	accepted          bool
}

// fact is something that is told of once.
type fact struct{ invitation, category string }

func (l *ledger) invited(id, sender, recipient string, node *process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.invitations == nil {
		l.invitations, l.written, l.hearing = make(map[string]acknowledged), make(map[fact]*process), make(map[fact]*process)
	}
	l.invitations[id] = acknowledged{id: id, sender: sender, recipient: recipient}
	l.wrote(fact{id, graphCategory(notification.InvitationReceived)}, node)
}

func (l *ledger) accepted(id string, node *process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	invitation := l.invitations[id]
	invitation.accepted = true
	l.invitations[id] = invitation
	l.wrote(fact{id, graphCategory(notification.InvitationAccepted)}, node)
}

// wrote notes where a fact was written. l.mu is held.
func (l *ledger) wrote(f fact, node *process) {
	l.written[f] = node
	if heard := l.hearing[f]; heard != nil {
		l.compare(f, heard)
	}
}

// heard notes where a fact was heard of, which may be before it was acknowledged.
func (l *ledger) heard(f fact, node *process) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.written[f] == nil {
		if l.hearing != nil {
			l.hearing[f] = node
		}
		return
	}
	l.compare(f, node)
}

// compare counts what was heard of elsewhere. l.mu is held.
func (l *ledger) compare(f fact, heard *process) {
	if l.written[f] != heard {
		l.across.Add(1)
	}
}

// all gives the invitations that were acknowledged.
func (l *ledger) all() []acknowledged {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Values(l.invitations))
}
