// Package demo is what acquaint dev adds to a server for trying it out: demo members with faces, a small network among
// them, and a page that signs one in as any of them. It makes them with the domains' own use cases, so that they are
// like any others. It is never part of acquaint serve.
package demo
