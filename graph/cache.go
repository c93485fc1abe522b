package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
)

// How many parsed and validated documents are kept, and how long each may be. A document takes some twenty times the memory
// of its text: so the cache holds some megabytes for an app, and 80 at most, whatever is sent.
const (
	cachedDocuments   = 500
	cachedDocumentMax = 8 << 10 // bytes
)

// documents is the cache of documents. What is too long for it is parsed each time.
type documents struct {
	graphql.Cache[*ast.QueryDocument]
}

func newDocuments() documents { return documents{lru.New[*ast.QueryDocument](cachedDocuments)} }

// Add keeps a document that was validated.
func (d documents) Add(ctx context.Context, query string, doc *ast.QueryDocument) {
	if len(query) <= cachedDocumentMax {
		d.Cache.Add(ctx, query, doc)
	}
}
