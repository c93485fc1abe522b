// Package graph is the GraphQL face: it decodes what a client sent, makes one call into a domain's service, and encodes
// what came of it. No rule of the product lives here.
//
// The schema is in schema/, a file a concept, and the resolvers beside it in *.resolvers.go; gqlgen makes generated/ and
// model/models_gen.go from the schema. What is the same for many resolvers has a file of its own: decoding ids, pages
// and cursors; loaders, so that a list costs no query per item; errors.go, the one place that turns an error into
// userErrors or extensions.code; subscribe.go, streams.
package graph
