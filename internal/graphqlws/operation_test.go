package graphqlws_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/acquaint/acquaint/internal/graphqlws"
)

func TestOneResponse(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	for _, o := range []struct {
		what, payload, want string
	}{
		{"query", `{"query":"{ hello }"}`, `{"data":{"hello":"world"}}`},
		{"mutation", `{"query":"mutation { change(to: \"x\") }"}`, `{"data":{"change":"x"}}`},
		{"variables", `{"query":"mutation($to: String!) { change(to: $to) }","variables":{"to":"y"}}`, `{"data":{"change":"y"}}`},
		{
			"operation name", `{"query":"query A { none } query B { hello }","operationName":"B","variables":null,"extensions":{"a":1}}`,
			`{"data":{"hello":"world"}}`,
		},
		{"an error beside data", `{"query":"{ partial }"}`, `{"errors":[{"message":"no such thing"}],"data":{"partial":null}}`},
		{"an error that leaves nothing", `{"query":"{ none }"}`, `{"errors":[{"message":"no such thing"}],"data":null}`},
	} {
		c.send(fmt.Sprintf(`{"id":"a \"quoted\" <id>","type":"subscribe","payload":%s}`, o.payload))
		c.expect(fmt.Sprintf(`{"id":"a \"quoted\" <id>","type":"next","payload":%s}`, o.want))
		c.expect(`{"id":"a \"quoted\" <id>","type":"complete"}`)
		c.expectQuiet()
	}
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	c.subscribe("1", `subscription { events(name: "one") }`)
	c.subscribe("2", `subscription { events(name: "two") }`)
	one, two := wait(t, s.streams, "the first"), wait(t, s.streams, "the second")
	if one.name != "one" || two.name != "two" {
		t.Fatalf("started %s, %s", one.name, two.name)
	}
	give(t, one.events, data("a"))
	c.expectEvent("1", "a")
	give(t, two.events, data("b"))
	c.expectEvent("2", "b")
	give(t, one.events, data("c"))
	c.expectEvent("1", "c")

	give(t, one.events, nil) // its stream ends
	c.expectComplete("1")
	wait(t, one.ctx.Done(), "the end of its context")
	give(t, two.events, data("d"))
	c.expectEvent("2", "d")

	c.complete("2")
	wait(t, two.ctx.Done(), "the end of its context")
	c.expectQuiet()
}

// When a message after a subscribe is answered, the subscription misses nothing any more.
func TestSubscriptionHasStartedBeforeTheNextAnswer(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	for i := range 20 {
		c.subscribe(fmt.Sprint(i), `subscription { events }`)
		c.expectQuiet()
		select {
		case <-s.streams:
		default:
			t.Fatal("the ping was answered before the subscription had started")
		}
	}
}

// An operation that takes its time holds up no other message.
func TestSlowQueryHoldsUpNothing(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	c.subscribe("slow", `{ hold }`)
	held := wait(t, s.held, "the slow query")
	c.subscribe("quick", `{ hello }`)
	c.expect(`{"id":"quick","type":"next","payload":{"data":{"hello":"world"}}}`)
	c.expectComplete("quick")
	c.expectQuiet()
	give(t, held.events, data("at last"))
	c.expectEvent("slow", "at last")
	c.expectComplete("slow")
}

// What cannot be executed gets one error message, nothing else, and its id is free.
func TestNothingExecuted(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	for _, o := range []struct {
		what, payload string
		code          any
	}{
		{"parse error", `{"query":"{ hello"}`, "GRAPHQL_PARSE_FAILED"},
		{"empty", `{"query":""}`, "GRAPHQL_VALIDATION_FAILED"},
		{"validation error", `{"query":"{ nonsense }"}`, "GRAPHQL_VALIDATION_FAILED"},
		{"unknown operation", `{"query":"query A { hello }","operationName":"B"}`, "GRAPHQL_VALIDATION_FAILED"},
		{"wrong variable", `{"query":"mutation($to: String!) { change(to: $to) }","variables":{"to":{}}}`, "GRAPHQL_VALIDATION_FAILED"},
		{"missing variable", `{"query":"mutation($to: String!) { change(to: $to) }"}`, "GRAPHQL_VALIDATION_FAILED"},
		{"subscription that cannot start", `{"query":"subscription { broken }"}`, nil},
	} {
		c.send(fmt.Sprintf(`{"id":"1","type":"subscribe","payload":%s}`, o.payload))
		if code := c.expectError("1"); code != o.code {
			t.Errorf("%s: code %v, want %v", o.what, code, o.code)
		}
		c.expectQuiet()
	}
	c.subscribe("1", `{ hello }`)
	c.expect(`{"id":"1","type":"next","payload":{"data":{"hello":"world"}}}`)
	c.expectComplete("1")
}

// A subscription that fails on its way ends with the error, and not with complete.
func TestErrorWithoutDataEnds(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	c.subscribe("1", `subscription { events }`)
	events := wait(t, s.streams, "the subscription")
	give(t, events.events, data("a"))
	c.expectEvent("1", "a")
	give(t, events.events, graphql.ErrorResponse(events.ctx, "no more"))
	c.expectError("1")
	wait(t, events.ctx.Done(), "the end of its context")
	c.expectQuiet()
}

func TestReuseOfID(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	for i := range 20 {
		c.subscribe("1", `subscription { events }`)
		events := wait(t, s.streams, "the subscription")
		give(t, events.events, data(fmt.Sprint(i)))
		c.expectEvent("1", fmt.Sprint(i))
		if i%2 == 0 {
			c.complete("1")
		} else {
			give(t, events.events, nil)
			c.expectComplete("1")
		}
	}
	c.expectQuiet()
}

// A predecessor that has an event ready when its client has completed it already must not send that to its successor.
func TestNothingOfThePredecessor(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	c.subscribe("1", `subscription { stubborn(name: "first") }`)
	first := wait(t, s.streams, "the first")
	wait(t, first.asked, "its first turn")
	give(t, first.events, data("before"))
	c.expectEvent("1", "before")
	wait(t, first.asked, "its second turn")

	c.complete("1")
	c.subscribe("1", `subscription { stubborn(name: "second") }`)
	second := wait(t, s.streams, "the second")
	give(t, first.events, data("late"))
	wait(t, first.asked, "its third turn") // it has sent the late event, if it would
	give(t, first.events, nil)             // and completes, if it would
	wait(t, first.ctx.Done(), "the end of its context")

	give(t, second.events, data("new"))
	c.expectEvent("1", "new")
	give(t, second.events, nil)
	c.expectComplete("1")
	c.expectQuiet()
}

func TestNothingAfterComplete(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	c.subscribe("1", `subscription { stubborn }`)
	st := wait(t, s.streams, "the subscription")
	wait(t, st.asked, "its first turn")
	c.complete("1")
	c.expectQuiet()
	give(t, st.events, data("late"))
	wait(t, st.asked, "its second turn")
	give(t, st.events, graphql.ErrorResponse(st.ctx, "an error, later"))
	c.expectQuiet()

	// A query that was completed before it had an answer is stopped.
	c.subscribe("2", `{ hold }`)
	held := wait(t, s.held, "the query")
	c.complete("2")
	wait(t, held.ctx.Done(), "the end of its context")
	c.expectQuiet()
}

func TestOperationTimeout(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{OperationTimeout: 30 * time.Millisecond})
	c := s.enter("ann")
	c.subscribe("subscription", `subscription { events }`)
	c.subscribe("query", `{ hold }`)
	held, events := wait(t, s.held, "the query"), wait(t, s.streams, "the subscription")
	wait(t, held.ctx.Done(), "its timeout")
	c.expect(`{"id":"query","type":"next","payload":{"data":null,"errors":[{"message":"context deadline exceeded"}]}}`)
	c.expectComplete("query")
	// It is for queries and mutations alone.
	if events.ctx.Err() != nil {
		t.Error("the subscription was ended")
	}
	give(t, events.events, data("a"))
	c.expectEvent("subscription", "a")
}

// Queries on a connection that lives long must not pile up: what an operation was run in ends with it.
func TestContextEndsWithOperation(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{})
	c := s.enter("ann")
	for _, query := range []string{`{ hello }`, `mutation { change(to: "x") }`, `subscription { broken }`} {
		t.Run(query, func(t *testing.T) {
			c.subscribe("1", query)
			ctx := wait(t, s.prepared, "the operation")
			for strings.Contains(c.next(), `"type":"next"`) { // then comes complete, or error
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Second): // it is a matter of microseconds
				t.Error("the context of the operation goes on when the operation is over")
			}
		})
	}
}

// Whatever goes wrong in an operation, the server lives and the client knows that it must connect again.
func TestPanic(t *testing.T) {
	t.Parallel()
	for what, query := range map[string]string{
		"while it runs":                   `{ panics }`,
		"when a query starts":             `{ mad }`,
		"when a subscription starts":      `subscription { mad }`,
		"in the course of a subscription": `subscription { stubborn }`,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := start(t, graphqlws.Options{MaxConnections: 1, MaxSubscriptions: 1})
			c := s.enter("ann")
			c.subscribe("1", query)
			if strings.Contains(query, "stubborn") {
				give(t, wait(t, s.streams, "the subscription").events, poison)
			}
			c.expectClose(1013)
			wait(t, s.gone, "the end of the connection")

			// What it counted against is given back.
			again := s.enter("ann")
			again.subscribe("1", `subscription { events }`)
			again.expectQuiet()
		})
	}
}

func TestPanicInInit(t *testing.T) {
	t.Parallel()
	s := start(t, graphqlws.Options{Init: func(ctx context.Context, payload map[string]any) (graphqlws.Session, error) {
		if payload["who"] == "trouble" {
			panic("on purpose")
		}
		return everybody(ctx, payload)
	}})
	c := s.dial()
	c.init("trouble")
	c.expectClose(1013)
	wait(t, s.gone, "the end of the connection")
	s.enter("ann").expectQuiet()
}
