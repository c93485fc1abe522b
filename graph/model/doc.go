// Package model is the shapes of the GraphQL schema: generated from it (models_gen.go), and by hand where a shape keeps
// the domain's key beside what clients see, or counts only when asked. No rule lives here.
package model
