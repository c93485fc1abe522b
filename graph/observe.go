package graph

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/acquaint/acquaint/graph/generated"
)

// Observer is told of operations, for metrics, traces and logs. What it is told is safe to show: nothing of it is a
// client's own words, but for Operation.Name.
type Observer interface {
	// Begin is called when an operation begins to run. It gives the context to run it in, and what to call with the
	// outcome: at its end, or, of a subscription, when it has started or failed to.
	Begin(ctx context.Context, op Operation) (_ context.Context, end func(outcome string))
	// Refused is told of what was refused before it could run, as by a limit or because it is not valid, and how long
	// that took.
	Refused(ctx context.Context, transport Transport, outcome string, took time.Duration)
	// Limited is told which limit of documents was passed.
	Limited(limit string)
}

// Operation is one operation of a client's.
type Operation struct {
	// Field is the root field that it asks for: one of the schema's, or one of the names below. So there are few, whatever
	// clients send.
	Field     string
	Kind      string // query, mutation or subscription
	Name      string // what the client calls it, cut to a length; may be empty
	Transport Transport
	Start     time.Time
}

// The values of Operation.Field that are no field.
const (
	SeveralFields   = "several"       // different root fields
	IntrospectField = "introspection" // of the schema, or __typename
	OtherFields     = "other"         // none, as when all are left out by a directive; and what was refused before it was known
)

// The outcomes beside the values of extensions.code.
const (
	OutcomeOK = "ok"
	// OutcomeUserError is a mutation that answers with userErrors, as far as the client asks for them.
	OutcomeUserError = "user_error"
	// OutcomeCancelled is an operation whose client has gone, or whose time was over, before there was an answer.
	OutcomeCancelled = "cancelled"
)

// operationNameMax is how much of a client's name for an operation is told, in bytes.
const operationNameMax = 64

// observed is the extension that tells an Observer. It is around all others.
type observed struct {
	observer Observer
	fields   map[string]string // by themselves: a document's text would keep all of it
}

var (
	_ graphql.OperationInterceptor = (*observed)(nil)
	_ graphql.ResponseInterceptor  = (*observed)(nil)
)

// fieldNames are the values that Operation.Field can have.
func fieldNames(schema *ast.Schema) []string {
	names := []string{SeveralFields, IntrospectField, OtherFields}
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		for _, f := range root.Fields {
			if f.Name[0] != '_' {
				names = append(names, f.Name)
			}
		}
	}
	return names
}

// Subscriptions are the fields that can be subscribed to.
func Subscriptions() []string {
	fields := generated.NewExecutableSchema(generated.Config{}).Schema().Subscription.Fields
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

func newObserved(observer Observer, schema *ast.Schema) *observed {
	o := &observed{observer: observer, fields: make(map[string]string)}
	for _, name := range fieldNames(schema) {
		o.fields[name] = name
	}
	return o
}

// ExtensionName implements graphql.HandlerExtension.
func (*observed) ExtensionName() string { return "Observed" }

// Validate implements graphql.HandlerExtension.
func (*observed) Validate(graphql.ExecutableSchema) error { return nil }

// running is an operation that was begun.
type running struct {
	field   string
	started bool // a subscription has
}

type runningKey struct{}

// OperationOf is the root field of the operation that a context is of, as in Operation.Field, or "".
func OperationOf(ctx context.Context) string {
	if r, ok := ctx.Value(runningKey{}).(*running); ok {
		return r.field
	}
	return ""
}

// noteStarted says that the subscription that is being resolved has started.
func noteStarted(ctx context.Context) {
	if r, ok := ctx.Value(runningKey{}).(*running); ok {
		r.started = true
	}
}

// InterceptOperation implements graphql.OperationInterceptor.
func (o *observed) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	r := &running{field: o.fieldOf(op.Operation)}
	told := Operation{
		Field: r.field, Kind: string(op.Operation.Operation), Name: op.Operation.Name, Transport: transportOf(ctx), Start: op.Stats.OperationStart,
	}
	told.Name = told.Name[:min(len(told.Name), operationNameMax)] // names are of ASCII
	request := RequestOf(ctx)
	if told.Transport == OverWebSocket {
		request = nil
	}
	if request != nil {
		request.Operation, request.Subscription = r.field, op.Operation.Operation == ast.Subscription
	}
	ctx, tell := o.observer.Begin(context.WithValue(ctx, runningKey{}, r), told)
	end := func(outcome string) {
		if request != nil {
			request.Outcome = outcome
		}
		tell(outcome)
	}
	responses := next(ctx)
	if r.started {
		end(OutcomeOK)
		return responses
	}
	ended := false
	return func(ctx context.Context) *graphql.Response {
		if ended {
			return responses(ctx)
		}
		ended = true
		outcome := CodeInternal // of a panic that nobody has caught
		defer func() { end(outcome) }()
		response := responses(ctx)
		outcome = outcomeOf(op, response)
		if errors.Is(ctx.Err(), context.Canceled) && (outcome == CodeInternal || outcome == CodeUnavailable) {
			outcome = OutcomeCancelled // what failed did because the client is gone
		}
		return response
	}
}

// InterceptResponse implements graphql.ResponseInterceptor: it tells of what was refused before it ran.
func (o *observed) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if ctx.Value(runningKey{}) != nil || response == nil {
		return response
	}
	op := graphql.GetOperationContext(ctx)
	outcome := outcomeOf(op, response)
	if request := RequestOf(ctx); request != nil && request.Transport != OverWebSocket {
		request.Operation, request.Outcome = OtherFields, outcome
	}
	o.observer.Refused(ctx, transportOf(ctx), outcome, time.Since(op.Stats.OperationStart))
	return response
}

// transportOf is how the operation came; over HTTP where nobody has said.
func transportOf(ctx context.Context) Transport {
	if request := RequestOf(ctx); request != nil && request.Transport != "" {
		return request.Transport
	}
	return OverHTTP
}

// fieldOf names the root field of an operation. What @skip and @include leave out counts, too.
func (o *observed) fieldOf(op *ast.OperationDefinition) string {
	found := ""
	var seen map[string]bool // fragments
	var look func(set ast.SelectionSet)
	look = func(set ast.SelectionSet) {
		for _, selection := range set {
			name := ""
			switch s := selection.(type) {
			case *ast.Field:
				name = s.Name
			case *ast.InlineFragment:
				look(s.SelectionSet)
				continue
			case *ast.FragmentSpread:
				if seen == nil {
					seen = make(map[string]bool)
				}
				if s.Definition != nil && !seen[s.Name] {
					seen[s.Name] = true
					look(s.Definition.SelectionSet)
				}
				continue
			}
			switch known, ok := o.fields[name]; {
			case name[0] == '_':
				name = IntrospectField
			case ok:
				name = known
			default:
				name = OtherFields
			}
			switch found {
			case "", IntrospectField: // __typename beside a field is no other field
				found = name
			case name:
			default:
				if name != IntrospectField {
					found = SeveralFields
				}
			}
		}
	}
	look(op.SelectionSet)
	if found == "" {
		return OtherFields
	}
	return found
}

// outcomeOf is the code of a response's first error, or what else came of it.
func outcomeOf(op *graphql.OperationContext, response *graphql.Response) string {
	switch {
	case response == nil:
		return OutcomeCancelled
	case len(response.Errors) > 0:
		if code, ok := response.Errors[0].Extensions["code"].(string); ok {
			return code
		}
		return CodeInternal
	case op.Operation != nil && op.Operation.Operation == ast.Mutation && refuses(op, response.Data):
		return OutcomeUserError
	}
	return OutcomeOK
}

// refuses reports whether the data of a mutation has userErrors, by their key. A text cannot have it: its quotes are
// escaped.
func refuses(op *graphql.OperationContext, data []byte) bool {
	for _, field := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Mutation"}) {
		if field.Definition == nil {
			continue
		}
		for _, below := range graphql.CollectFields(op, field.Selections, []string{field.Definition.Type.Name()}) {
			if below.Name == "userErrors" && bytes.Contains(data, []byte(`"`+below.Alias+`":[{`)) {
				return true
			}
		}
	}
	return false
}
