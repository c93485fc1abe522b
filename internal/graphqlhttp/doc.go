// Package graphqlhttp is the GraphQL-over-HTTP protocol (https://graphql.github.io/graphql-over-http/draft/) as a
// gqlgen transport: queries over GET, queries and mutations over POST, in both media types.
//
//   - application/graphql-response+json: the status says what came of the request; 200 where something was executed,
//     4xx where nothing was.
//   - application/json: for older clients; 200 for every well-formed request.
//
// A request that is no GraphQL request (no JSON, no query, wrong types) is 400 in both. A response has no "data" entry
// where nothing was executed. Nothing that was sent is echoed. Bodies are JSON only, so that no form of another site can
// send one.
package graphqlhttp
