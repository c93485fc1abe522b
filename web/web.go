// Package web is what browsers are served: GraphiQL and the start page of acquaint dev, built from src/ into dist/, which
// is committed so that the program can be built without Node. No page asks for anything from elsewhere.
package web

import (
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// policy lets the pages have scripts, workers and connections of the server's own, and nothing else. Monaco, the editor
// in GraphiQL, sets styles of elements, which counts as inline. Photos of members may come from anywhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: https:; " +
	"font-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Pages serves GraphiQL at /, or, with a start page, that at / and GraphiQL at /graphiql.
func Pages(withStart bool) http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the folder is embedded
	}
	// Not all systems know these; the browser takes scripts and workers by no other name.
	for ending, kind := range map[string]string{".js": "text/javascript", ".css": "text/css", ".ttf": "font/ttf", ".svg": "image/svg+xml"} {
		_ = mime.AddExtensionType(ending, kind)
	}
	assets := http.FileServerFS(files)
	page := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-cache")
			http.ServeFileFS(w, r, files, name)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") || path.Clean(r.URL.Path) != r.URL.Path {
			http.NotFound(w, r) // no listing of folders
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable") // the names hold a hash
		assets.ServeHTTP(w, r)
	})
	if withStart {
		mux.HandleFunc("GET /{$}", page("index.html"))
		mux.HandleFunc("GET /graphiql", page("graphiql.html"))
	} else {
		mux.HandleFunc("GET /{$}", page("graphiql.html"))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	})
}
