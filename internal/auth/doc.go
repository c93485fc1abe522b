// Package auth turns the bearer token of a request into its viewer: it checks the token against a shared secret or a
// key set, and lets internal/member find or make the member of its subject.
//
// Tokens are signed with HS256 by the secret, or with RS256, ES256 or EdDSA by a key of the set; each algorithm takes
// only its own kind of key, and "none" is no algorithm. A token without an expiry or a subject is bad.
package auth
