package store_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// A pooler may refuse connections with settings that it does not know, as PgBouncer does: then there are no groups, and
// each use case does not ask for one.
func TestPoolerRefusesGroups(t *testing.T) {
	t.Parallel()
	pooler := &pooler{refuses: true}
	g := newGroupingAt(t, pooler.listen(t, storetest.EmptyPostgres(t)), 40)
	for n := 0; n < len(g.members); n += 2 {
		if _, err := g.invite(n, n+1); err != nil {
			t.Fatal(err)
		}
	}
	if n := pooler.refused.Load(); n < 1 || n > int64(len(g.members))/4 {
		t.Errorf("%d connections were refused", n)
	}
}

// A network may drop what is sent over a connection, and the driver waits: the use cases of that group end when their time
// does, and others go on.
func TestGroupsWithoutAnswer(t *testing.T) {
	t.Parallel()
	pooler := &pooler{}
	g := newGroupingAt(t, pooler.listen(t, storetest.EmptyPostgres(t)), 4)
	pooler.silent.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	if _, err := g.network.Invite(ctx, g.members[0], network.InviteInput{Recipient: g.members[1]}); !errors.Is(err, refusal.ErrUnavailable) {
		t.Errorf("an invite without an answer gave %v", err)
	}
	if _, err := g.invite(2, 3); err != nil {
		t.Errorf("after that another gave %v", err)
	}
}

// A pooler may give each transaction another connection to the server, on which nothing is prepared: then there are no
// groups, either.
func TestPoolerForgetsStatements(t *testing.T) {
	t.Parallel()
	pooler := &pooler{forgets: true}
	g := newGroupingAt(t, pooler.listen(t, storetest.EmptyPostgres(t)), 40)
	for n := 0; n < len(g.members); n += 2 {
		if _, err := g.invite(n, n+1); err != nil {
			t.Fatal(err)
		}
	}
	if n := pooler.forgot.Load(); n < 1 || n > int64(len(g.members))/4 {
		t.Errorf("%d transactions of groups were begun", n)
	}
}

// A connection whose statements are gone once, or are of other types than they were, is made anew, and groups go on.
func TestGroupsAfterStaleStatements(t *testing.T) {
	t.Parallel()
	pooler := &pooler{forgetOnce: 30}
	g := newGroupingAt(t, pooler.listen(t, storetest.EmptyPostgres(t)), 200)
	invite := func(n int) {
		if _, err := g.invite(n, n+1); err != nil {
			t.Fatal(err)
		}
	}
	for n := 0; n < 100; n += 2 {
		if invite(n); n == 80 {
			if _, err := g.db.ExecContext(t.Context(), "ALTER TABLE invitations ALTER reminders TYPE int"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if pooler.forgot.Load() == 0 {
		t.Error("nothing was forgotten")
	}
	for len(g.locks) > 0 {
		<-g.locks
	}
	g.alone.Store(0)
	for n := 100; n < len(g.members); n += 2 {
		invite(n)
	}
	if n, alone := len(g.locks), g.alone.Load(); n != 50 || alone > int64(g.GroupsAtOnce()) {
		t.Errorf("%d groups were tried, and %d invites went alone", n, alone)
	}
}

// When the answer to a commit is lost nobody knows what came of it. Whoever asked is told so, and it is not done again.
func TestGroupWithoutAnswerToItsCommit(t *testing.T) {
	t.Parallel()
	pooler := &pooler{cuts: "COMMIT"}
	g := newGroupingAt(t, pooler.listen(t, storetest.EmptyPostgres(t)), 4)
	if _, err := g.invite(0, 1); !errors.Is(err, refusal.ErrUnavailable) {
		t.Errorf("a commit without an answer gave %v", err)
	}
	if n, err := g.CountNotifications(t.Context(), g.members[1]); n != 1 || err != nil {
		t.Errorf("there are %d notifications (%v)", n, err)
	}
	if _, err := g.invite(2, 3); err != nil {
		t.Errorf("after that another gave %v", err)
	}
}

// When the answer to what a group reads, or writes, is lost, nothing is committed, and its use cases run again.
func TestGroupWithoutAnswerBeforeItsCommit(t *testing.T) {
	t.Parallel()
	for _, message := range []string{"BEGIN", "PREPARE kept"} {
		pooler := &pooler{cuts: message}
		g := newGroupingAt(t, pooler.listen(t, storetest.EmptyPostgres(t)), 2)
		if _, err := g.invite(0, 1); err != nil || !pooler.cut.Load() {
			t.Errorf("after %s was cut: %v", message, err)
		}
		if n, err := g.CountNotifications(t.Context(), g.members[1]); n != 1 || err != nil {
			t.Errorf("there are %d notifications (%v)", n, err)
		}
	}
}

// What members write is in no statement's text, which servers log and show.
func TestGroupsKeepWordsApart(t *testing.T) {
	t.Parallel()
	pooler := &pooler{words: "harbour"}
	g := newGroupingAt(t, pooler.listen(t, storetest.EmptyPostgres(t)), 2)
	const words = "We met at the harbour, didn't we?"
	inv, err := g.network.Invite(context.Background(), g.members[0], network.InviteInput{Recipient: g.members[1], Note: words})
	if err != nil || inv.Note != words {
		t.Fatal(inv, err)
	}
	if pooler.texts.Load() == 0 || pooler.found.Load() {
		t.Error("the words are in a statement's text, or there were none")
	}
	sent, _, err := g.Sent(t.Context(), g.members[0], network.InvitationPage{Limit: 1})
	if err != nil || len(sent) != 1 || sent[0].Note != words {
		t.Errorf("there is %v (%v)", sent, err)
	}
}

// pooler lets connections through to a database; those of groups, with settings of the planner, as it is told.
type pooler struct {
	database string
	refuses  bool
	refused  atomic.Int64
	silent   atomic.Bool // nothing more that is sent comes through
	forgets  bool        // each transaction has a connection with nothing prepared, as if it were another
	// forgetOnce is the transaction before which that happens, once; 0 for none
	forgetOnce int64
	begun      atomic.Int64
	forgot     atomic.Int64
	cuts       string // the next message that begins so is let through, and what the server says to it is not
	cut        atomic.Bool
	words      string // looked for in the texts of statements
	texts      atomic.Int64
	found      atomic.Bool
}

// deallocate is a message that takes all prepared statements away, and the length of the answer.
var deallocate = append([]byte{'Q', 0, 0, 0, 4 + 15}, "DEALLOCATE ALL\x00"...)

const deallocated = 1 + 4 + 15 + 1 + 4 + 1

// listen gives the address of a database by way of the pooler.
func (p *pooler) listen(t *testing.T, database string) (address string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	p.database = u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	u.Host = listener.Addr().String()
	q := u.Query()
	q.Set("sslmode", "disable") // what is sent is looked at
	u.RawQuery = q.Encode()
	return u.String()
}

func (p *pooler) serve(client net.Conn) {
	defer client.Close()
	head := make([]byte, 4)
	if _, err := io.ReadFull(client, head); err != nil {
		return
	}
	startup := make([]byte, binary.BigEndian.Uint32(head)-4)
	if _, err := io.ReadFull(client, startup); err != nil {
		return
	}
	ofGroups := strings.Contains(string(startup), "enable_seqscan")
	if ofGroups && p.refuses {
		p.refused.Add(1)
		text := "SFATAL\x00C08P01\x00Munsupported startup parameter: enable_seqscan\x00\x00"
		_, _ = client.Write(append(binary.BigEndian.AppendUint32([]byte{'E'}, uint32(len(text)+4)), text...))
		return
	}
	server, err := net.Dial("tcp", p.database)
	if err != nil {
		return
	}
	defer server.Close()
	if _, err := server.Write(slices.Concat(head, startup)); err != nil {
		return
	}
	var swallow atomic.Int64 // bytes of what the server says; less than 0 for all
	go func() {
		defer server.Close()
		for b := make([]byte, 1<<16); ; {
			n, err := client.Read(b)
			if err != nil {
				return
			}
			if ofGroups && p.silent.Load() {
				continue
			}
			if ofGroups && b[0] == 'Q' {
				p.texts.Add(1)
				p.found.CompareAndSwap(false, p.words != "" && strings.Contains(string(b[:n]), p.words))
			}
			begins := ofGroups && strings.HasPrefix(string(b[5:n]), "BEGIN")
			if begins && (p.forgets || p.begun.Add(1) == p.forgetOnce) {
				p.forgot.Add(1)
				swallow.Add(deallocated)
				if _, err := server.Write(deallocate); err != nil {
					return
				}
			}
			if ofGroups && p.cuts != "" && strings.HasPrefix(string(b[5:n]), p.cuts) && p.cut.CompareAndSwap(false, true) {
				swallow.Store(math.MinInt64)
			}
			if _, err := server.Write(b[:n]); err != nil {
				return
			}
		}
	}()
	for b := make([]byte, 1<<16); ; {
		n, err := server.Read(b)
		if err != nil {
			return
		}
		skip := int64(0)
		if s := swallow.Load(); s < 0 {
			return // once it has answered: what it was asked is done
		} else if s > 0 {
			skip = min(s, int64(n))
			swallow.Add(-skip)
		}
		if _, err := client.Write(b[skip:n]); err != nil {
			return
		}
	}
}
