package broker

import (
	"encoding/binary"
	"errors"
	"sync"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/notification"
)

// A message is one byte of version, the sixteen of the node that sent it, and then for each hint a byte of log, the
// sixteen of the member, and the number as a uvarint.
const (
	version   = 1
	idSize    = 16
	headSize  = 1 + idSize
	hintMost  = 1 + idSize + binary.MaxVarintLen64
	waitsMost = 100_000 // hints that wait to be sent; more are lost, as when the network is away
)

var errMessage = errors.New("malformed message of another node; is its version of the program another?")

func encode(node id.UUID, hints []notification.Hint) []byte {
	out := make([]byte, 0, headSize+len(hints)*hintMost)
	out = append(append(out, version), node[:]...)
	for _, h := range hints {
		out = append(append(out, byte(h.Log)), h.Member[:]...)
		out = binary.AppendUvarint(out, uint64(h.Number)) //nolint:gosec // never negative
	}
	return out
}

func decode(message []byte) (node id.UUID, hints []notification.Hint, err error) {
	if len(message) < headSize || message[0] != version {
		return node, nil, errMessage
	}
	copy(node[:], message[1:])
	for rest := message[headSize:]; len(rest) > 0; {
		if len(rest) < 1+idSize+1 {
			return node, nil, errMessage
		}
		h := notification.Hint{Log: notification.Log(rest[0]), Member: id.Member(rest[1 : 1+idSize])}
		number, n := binary.Uvarint(rest[1+idSize:])
		if n <= 0 || number > 1<<62 {
			return node, nil, errMessage
		}
		h.Number = int64(number)
		hints = append(hints, h)
		rest = rest[1+idSize+n:]
	}
	return node, hints, nil
}

// outbox is the hints that wait to be sent, merged.
type outbox struct {
	ready chan struct{} // holds one when there are some

	mu      sync.Mutex
	numbers map[log]int64
}

// log is one log of a member.
type log struct {
	kind   notification.Log
	member id.Member
}

func newOutbox() *outbox {
	return &outbox{ready: make(chan struct{}, 1), numbers: make(map[log]int64)}
}

// add gives how many there was no room for.
func (o *outbox) add(hints []notification.Hint) (lost uint64) {
	o.mu.Lock()
	for _, h := range hints {
		key := log{h.Log, h.Member}
		number, waits := o.numbers[key]
		if waits || len(o.numbers) < waitsMost {
			o.numbers[key] = max(number, h.Number)
		} else {
			lost++
		}
	}
	o.mu.Unlock()
	o.rouse()
	return lost
}

func (o *outbox) rouse() {
	select {
	case o.ready <- struct{}{}:
	default:
	}
}

// take gives up to limit of them, which wait no longer.
func (o *outbox) take(limit int) []notification.Hint {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := make([]notification.Hint, 0, min(limit, len(o.numbers)))
	for key, number := range o.numbers {
		if len(out) == limit {
			o.rouse()
			break
		}
		out = append(out, notification.Hint{Log: key.kind, Member: key.member, Number: number})
		delete(o.numbers, key)
	}
	return out
}
