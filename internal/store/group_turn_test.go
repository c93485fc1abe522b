package store_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acquaint/acquaint/internal/id"
	"github.com/acquaint/acquaint/internal/network"
	"github.com/acquaint/acquaint/internal/refusal"
	"github.com/acquaint/acquaint/internal/store"
	"github.com/acquaint/acquaint/internal/store/storetest"
)

// A use case about two members who are never free at once has its turn all the same.
func TestGroupsAreFair(t *testing.T) {
	t.Parallel()
	member := func(n byte) id.Member { return id.Member{15: n} }
	const ada, ben = 1, 2
	ctx := t.Context()
	groups := store.NewGroups()
	crowd := byte(10)
	want := func(hot byte) {
		for range 3 {
			crowd++
			groups.Wait(ctx, network.About{Sender: member(crowd), Recipient: member(hot)})
		}
	}
	want(ada)
	_, endAda := groups.Take()
	want(ben)
	_, endBen := groups.Take()
	both := network.About{Sender: member(ada), Recipient: member(ben)}
	groups.Wait(ctx, both)
	for range 10 {
		var taken []network.About
		want(ada)
		endAda()
		if taken, endAda = groups.Take(); slices.Contains(taken, both) {
			return
		}
		want(ben)
		endBen()
		if taken, endBen = groups.Take(); slices.Contains(taken, both) {
			return
		}
	}
	t.Error("others are always first")
}

// Who has waited until there is little time left does not make that the time of a group.
func TestGroupsAreOfThoseWithTime(t *testing.T) {
	t.Parallel()
	groups := store.NewGroups()
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	late := groups.Wait(soon, network.About{Sender: id.Member{1}, Recipient: id.Member{2}})
	other := network.About{Sender: id.Member{3}, Recipient: id.Member{4}}
	groups.Wait(t.Context(), other)
	if taken, _ := groups.Take(); !slices.Equal(taken, []network.About{other}) || !late() {
		t.Errorf("took %v", taken)
	}
}

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

// pooler lets connections through to a database; those of groups, with settings of the planner, as it is told.
type pooler struct {
	database string
	refuses  bool
	refused  atomic.Int64
	silent   atomic.Bool // nothing more that is sent comes through
}

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
	go func() {
		defer server.Close()
		for b := make([]byte, 1<<12); ; {
			n, err := client.Read(b)
			if err != nil {
				return
			}
			if ofGroups && p.silent.Load() {
				continue
			}
			if _, err := server.Write(b[:n]); err != nil {
				return
			}
		}
	}()
	_, _ = io.Copy(client, server)
}
