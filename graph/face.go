package graph

import (
	"context"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/acquaint/acquaint/graph/generated"
	"github.com/acquaint/acquaint/internal/auth"
)

// Options are the settings of the face; a zero number takes the default.
type Options struct {
	Introspection bool
	Limits        Limits
	Trusted       TrustedDocuments // when there are any, nothing else is run
	// BatchWait is how long a loader collects keys before it asks for them in one query.
	BatchWait time.Duration
	Observer  Observer // nil for none
	Log       *slog.Logger
}

const defaultBatchWait = 500 * time.Microsecond

// face is the schema with what surrounds every operation.
type face struct {
	resolver *Resolver
	wait     time.Duration
	log      *slog.Logger
}

// New makes the handler that runs operations; the server adds the transports. It refuses operations without a viewer.
func New(resolver *Resolver, options Options) *handler.Server {
	f := &face{resolver: resolver, wait: options.BatchWait, log: options.Log}
	if f.wait == 0 {
		f.wait = defaultBatchWait
	}
	if f.log == nil {
		f.log = slog.New(slog.DiscardHandler)
	}
	if options.Limits == (Limits{}) {
		options.Limits = DefaultLimits()
	}
	schema := generated.NewExecutableSchema(generated.Config{Resolvers: resolver})
	resolver.start(schema.Schema())
	cache := newDocuments()
	e := handler.New(schema)
	e.SetErrorPresenter(f.present)
	e.SetRecoverFunc(f.recovered)
	e.SetParserTokenLimit(options.Limits.Tokens)
	e.SetDisableSuggestion(true)
	e.SetQueryCache(cache)
	e.SetValidationRulesFn(validationRules)
	limiter := newLimiter(options.Limits, schema.Schema(), cache)
	if options.Observer != nil {
		e.Use(newObserved(options.Observer, schema.Schema()))
		limiter.limited = options.Observer.Limited
	}
	if len(options.Trusted) > 0 {
		e.Use(newTrusted(options.Trusted))
	} else {
		e.Use(newPersisted())
	}
	e.Use(limiter)
	if options.Introspection {
		e.Use(extension.Introspection{})
	}
	e.AroundOperations(mayRun)
	e.AroundOperations(f.planned)
	e.AroundResponses(f.loadersPerResponse)
	e.AroundRootFields(f.loadersPerMutation)
	return e
}

func validationRules() *rules.Rules {
	r := rules.NewDefaultRules()
	// It takes exponential time on nested fragments; the limiter has one that does not.
	r.RemoveRule(rules.MaxIntrospectionDepth.Name)
	return r
}

// hostDirective marks the root fields that are for the host application; all others are for members.
const hostDirective = "forHost"

// mayRun refuses whatever asks for more than __typename and introspection without a viewer, introspection where it is
// off, the host application's fields to members, and members' fields, on which everything of a member's hangs, to the
// host application. Nothing is executed then.
func mayRun(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	viewer := auth.ViewerOf(ctx)
	if variable := nullCondition(op); variable != "" {
		return refuse(Error(CodeBadUserInput, "$"+variable+" decides what is selected and must not be null."))
	}
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query", "Mutation", "Subscription"})
	if op.Operation.Operation == ast.Subscription && len(fields) != 1 { // as when its only field is skipped
		return refuse(Error(CodeBadUserInput, "A subscription has exactly one field."))
	}
	for _, field := range fields {
		introspects := field.Name == "__schema" || field.Name == "__type"
		switch {
		case field.Name == "__typename", introspects && !op.DisableIntrospection:
		case viewer == nil:
			return refuse(Error(CodeUnauthenticated, "Sign in: send a bearer token."))
		case introspects:
			return refuse(Error(CodeForbidden, "Introspection is off on this server."))
		case viewer.Service && field.Definition.Directives.ForName(hostDirective) == nil:
			return refuse(Error(CodeForbidden, "This is for members: send a member's token."))
		case !viewer.Service && field.Definition.Directives.ForName(hostDirective) != nil:
			return refuse(Error(CodeForbidden, "This is for the host application: send a token with the scope acquaint:service."))
		}
	}
	return next(ctx)
}

func refuse(err *gqlerror.Error) graphql.ResponseHandler {
	return graphql.OneShot(&graphql.Response{Data: []byte("null"), Errors: gqlerror.List{err}})
}

// loadersPerResponse gives every response loaders of its own; a subscription's events are one response each.
func (f *face) loadersPerResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(f.freshLoaders(ctx))
	if op := graphql.GetOperationContext(ctx).Operation; response != nil && op != nil && op.Operation == ast.Subscription {
		for _, field := range graphql.CollectFields(graphql.GetOperationContext(ctx), op.SelectionSet, []string{"Subscription"}) {
			atRoot(response, field.Alias)
		}
	}
	return response
}

// atRoot mends what gqlgen makes of an event in which something failed: the paths of its errors begin below the root
// field, and a root field that may not be null is null instead of the data.
func atRoot(response *graphql.Response, alias string) {
	for i, err := range response.Errors {
		if root := ast.PathName(alias); len(err.Path) == 0 || err.Path[0] != root {
			placed := *err
			placed.Path = append(ast.Path{root}, err.Path...)
			response.Errors[i] = &placed
		}
	}
	// All fields of Subscription are of non-null types.
	if len(response.Errors) > 0 && string(response.Data) == `{"`+alias+`":null}` {
		response.Data = []byte("null")
	}
}

// loadersPerMutation gives every field of a mutation loaders of its own, as the fields before it have changed things.
func (f *face) loadersPerMutation(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
		ctx = f.freshLoaders(ctx)
	}
	return next(ctx)
}

func (f *face) freshLoaders(ctx context.Context) context.Context {
	viewer := auth.ViewerOf(ctx)
	if viewer == nil {
		return ctx
	}
	return withLoaders(ctx, &loaders{resolver: f.resolver, viewer: viewer.Member, wait: f.wait})
}
