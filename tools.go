//go:build tools

// Package tools keeps the generators in go.mod at the versions that the generated code was made with.
package tools

import (
	_ "entgo.io/ent/cmd/ent"
	_ "github.com/99designs/gqlgen"
)
