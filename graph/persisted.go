package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/acquaint/acquaint/graph/generated"
)

// persisted is the extension of automatic persisted queries: a client sends a document's hash, and the document itself
// only when it is not known. It is gqlgen's, with errors that have codes and a cache of bounded size.
type persisted struct {
	extension.AutomaticPersistedQuery
}

func newPersisted() persisted {
	return persisted{extension.AutomaticPersistedQuery{Cache: texts{lru.New[string](cachedDocuments)}}}
}

// MutateOperationParameters implements graphql.OperationParameterMutator.
func (p persisted) MutateOperationParameters(ctx context.Context, params *graphql.RawParams) *gqlerror.Error {
	if params.Query == "" && params.Extensions["documentId"] != nil {
		return Error(CodeBadUserInput, "This server knows no documents by an id: send the document.")
	}
	err := p.AutomaticPersistedQuery.MutateOperationParameters(ctx, params)
	if err != nil && err.Extensions["code"] == nil {
		return Error(CodeBadUserInput, err.Message)
	}
	return err
}

// texts is a cache that takes no document longer than documents does.
type texts struct{ graphql.Cache[string] }

// Add keeps a document.
func (t texts) Add(ctx context.Context, hash, query string) {
	if len(query) <= cachedDocumentMax {
		t.Cache.Add(ctx, hash, query)
	}
}

// TrustedDocuments are the only operations that a server runs, by their ids. It is how a single-page app locks a public
// API down: its build writes the file, and nothing else is answered.
type TrustedDocuments map[string]string

// ReadTrustedDocuments reads a file of trusted documents: a JSON object of ids (hashes, as a rule) and documents, as
// Relay's compiler and GraphQL Code Generator write it.
func ReadTrustedDocuments(path string) (TrustedDocuments, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var documents TrustedDocuments
	if err := json.Unmarshal(raw, &documents); err != nil {
		return nil, fmt.Errorf("%s is no JSON object of ids and documents: %w", path, err)
	}
	if len(documents) == 0 {
		return nil, errors.New(path + " has no documents in it")
	}
	for id, text := range documents {
		if id == "" || text == "" {
			return nil, fmt.Errorf("%s has an empty id or document, at %q", path, id)
		}
	}
	return documents, nil
}

// Check gives an error for a document that would be refused however it is asked for: it names the document, and a
// server with it does not start.
func (d TrustedDocuments) Check(limits Limits) error {
	if limits == (Limits{}) {
		limits = DefaultLimits()
	}
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	limiter := newLimiter(limits, schema, newDocuments())
	for _, id := range slices.Sorted(maps.Keys(d)) {
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: d[id]}, limits.Tokens)
		if err != nil {
			return fmt.Errorf("document %q: %s", id, limiter.parseError(err).Message)
		}
		if len(doc.Operations) == 0 {
			return fmt.Errorf("document %q has no operation", id)
		}
		if tooMuch := limiter.check(doc, noOperation, nil, false); tooMuch != nil {
			return fmt.Errorf("document %q: %s", id, tooMuch.Message)
		}
		if errs := validator.ValidateWithRules(schema, doc, validationRules()); len(errs) > 0 {
			return fmt.Errorf("document %q is not valid: %w", id, errs[0])
		}
	}
	return nil
}

// noOperation is no name of an operation: what only the one that runs is held to, as its variables decide it, is left.
const noOperation = "-"

// trusted is the extension that runs trusted documents only: named by "documentId" or by the hash of a persisted query
// in the extensions of a request, or sent in full.
type trusted struct {
	byID   TrustedDocuments
	byText map[string]bool
}

var _ graphql.OperationParameterMutator = trusted{}

func newTrusted(documents TrustedDocuments) trusted {
	t := trusted{byID: documents, byText: make(map[string]bool, len(documents))}
	for _, text := range documents {
		t.byText[text] = true
	}
	return t
}

// ExtensionName implements graphql.HandlerExtension.
func (trusted) ExtensionName() string { return "TrustedDocuments" }

// Validate implements graphql.HandlerExtension.
func (trusted) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator.
func (t trusted) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	id, _ := params.Extensions["documentId"].(string)
	if q, ok := params.Extensions["persistedQuery"].(map[string]any); ok && id == "" {
		id, _ = q["sha256Hash"].(string)
	}
	if text, ok := t.byID[id]; ok {
		if params.Query != "" && params.Query != text {
			return Error(CodeForbidden, "The document is not the one with this id.")
		}
		params.Query = text
		return nil
	}
	if t.byText[params.Query] {
		return nil
	}
	return Error(CodeForbidden, "This server runs trusted documents only, and this is none of them.")
}
