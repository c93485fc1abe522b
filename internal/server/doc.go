// Package server is what listens: the routes, who may call from where, the request's id and viewer, health and
// shutdown. What it serves is made by internal/app.
package server
