package demo

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/acquaint/acquaint/internal/auth"
	"github.com/acquaint/acquaint/internal/member"
)

// tokenTTL is how long a demo token is good. The pages fetch a new one in time.
const tokenTTL = time.Hour

const maxSignIn = 4 << 10 // bytes

// Pages adds the endpoints that the start page uses to the other pages:
//
//	GET  /dev/members            the demo members
//	POST /dev/sign-in {"handle"} a token of one of them
//	GET  /dev/faces/HANDLE.svg   their faces
//
// They answer under a loopback name only, so that no other site can reach them by a name of its own (DNS rebinding).
func (d *Demo) Pages(others http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", others)
	mux.HandleFunc("GET /dev/members", d.list)
	mux.HandleFunc("POST /dev/sign-in", d.signIn)
	mux.HandleFunc("GET /dev/faces/{file}", d.showFace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/dev/") && !isLoopback(r.Host) {
			http.Error(w, "acquaint dev answers on 127.0.0.1 and localhost only", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (d *Demo) list(w http.ResponseWriter, _ *http.Request) {
	type shown struct {
		Handle   string `json:"handle"`
		Name     string `json:"name"`
		Headline string `json:"headline"`
		PhotoURL string `json:"photoUrl"`
	}
	out := struct {
		Members []shown `json:"members"`
	}{}
	for _, p := range people {
		out.Members = append(out.Members, shown{p.handle, p.name, p.headline + " · " + p.company, "/dev/faces/" + p.handle + ".svg"})
	}
	writeJSON(w, out)
}

func (d *Demo) signIn(w http.ResponseWriter, r *http.Request) {
	// JSON only: a form of another site cannot send that.
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		http.Error(w, "send application/json", http.StatusUnsupportedMediaType)
		return
	}
	var in struct {
		Handle string `json:"handle"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxSignIn)).Decode(&in); err != nil {
		http.Error(w, `send {"handle": "ada"}`, http.StatusBadRequest)
		return
	}
	p, ok := find(in.Handle)
	if !ok {
		http.Error(w, "no such demo member", http.StatusUnprocessableEntity)
		return
	}
	now := d.now()
	token, err := auth.Sign(d.secret, member.Claims{Subject: subject(p.handle), Name: p.name}, "", "", now, tokenTTL)
	if err != nil {
		http.Error(w, "cannot sign a token", http.StatusInternalServerError)
		return
	}
	writeJSON(w, map[string]string{"token": token, "expiresAt": now.Add(tokenTTL).Format(time.RFC3339)})
}

func (d *Demo) showFace(w http.ResponseWriter, r *http.Request) {
	p, ok := find(strings.TrimSuffix(r.PathValue("file"), ".svg"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	var b bytes.Buffer
	if err := writeFace(&b, p); err != nil {
		http.Error(w, "cannot draw", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(b.Bytes())
}

func find(handle string) (person, bool) {
	for _, p := range people {
		if p.handle == handle {
			return p, true
		}
	}
	return person{}, false
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // plain structs; if it fails the client is gone
}
