package main

import (
	"context"
	"crypto/md5" //nolint:gosec // for ids that PostgreSQL, too, can compute
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// bareVariable makes this program the bare server, over the database that it names.
const bareVariable = "ACQUAINT_BENCH_BARE"

// bareQuery reads what the clients' query shows, and nothing else.
const bareQuery = `SELECT n.id, n.sequence, n.category, n.created_at, n.read_at, n.actor_id, a.name, a.headline, a.photo_url
	FROM notifications n JOIN members a ON a.id = n.actor_id WHERE n.member_id = $1 ORDER BY n.sequence DESC LIMIT $2`

// bareNotification is what the clients' query shows of one.
type bareNotification struct {
	ID        string     `json:"id"`
	Sequence  int64      `json:"sequence"`
	Category  string     `json:"category"`
	CreatedAt time.Time  `json:"createdAt"`
	ReadAt    *time.Time `json:"readAt"`
	Actor     struct {
		ID       string  `json:"id"`
		Name     string  `json:"name"`
		Headline *string `json:"headline"`
		PhotoURL *string `json:"photoUrl"`
	} `json:"actor"`
}

// serveBare is the least that a service in Go does for a page of notifications: net/http, one prepared statement over
// lib/pq, and encoding/json. It knows no GraphQL, asks for no token, and has one query. It ends with its standard input.
func serveBare(address string) error {
	db, err := sql.Open("postgres", address)
	if err != nil {
		return err
	}
	const connections = 16
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	page, err := db.PrepareContext(context.Background(), bareQuery)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // local, and at once
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // local
		body, err := answerBare(page, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) //nolint:gosec // JSON, no page
	}))
}

func answerBare(page *sql.Stmt, r *http.Request) ([]byte, error) {
	var asked struct {
		Variables struct {
			Member string `json:"member"`
			N      int    `json:"n"`
		} `json:"variables"`
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		return nil, err
	}
	rows, err := page.QueryContext(r.Context(), asked.Variables.Member, asked.Variables.N+1) // one more, to tell whether there are more
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	nodes := make([]bareNotification, 0, asked.Variables.N+1)
	for rows.Next() {
		var n bareNotification
		if err := rows.Scan(&n.ID, &n.Sequence, &n.Category, &n.CreatedAt, &n.ReadAt, &n.Actor.ID, &n.Actor.Name, &n.Actor.Headline, &n.Actor.PhotoURL); err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	type object map[string]any
	return json.Marshal(object{"data": object{"viewer": object{"notifications": object{"nodes": nodes[:min(len(nodes), asked.Variables.N)]}}}})
}

// bareLists gives how many pages a second the bare server answers with.
func (s *settings) bareLists(ctx context.Context, address string) (rate float64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	server := exec.CommandContext(ctx, self) //nolint:gosec // it is this program
	server.Env = append(os.Environ(), bareVariable+"="+address)
	server.Stderr = os.Stderr
	leash, err := server.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := server.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := server.Start(); err != nil {
		return 0, err
	}
	defer func() {
		leash.Close()
		err = errors.Join(err, server.Wait())
	}()
	var at string
	if _, err := fmt.Fscanln(out, &at); err != nil {
		return 0, fmt.Errorf("the bare server does not start: %w", err)
	}
	requests := make([][]byte, s.listed())
	for i := range requests {
		member := uuid.UUID(md5.Sum([]byte("m" + strconv.Itoa(1+i)))) //nolint:gosec // as above
		if requests[i], err = request(at, "none", listQuery, map[string]any{"n": pageSize, "member": member.String()}); err != nil {
			return 0, err
		}
	}
	done, took, err := s.load(ctx, at, s.clients, readPages(requests))
	return float64(done) / took.Seconds(), err
}

// bare makes this program the bare server if it was started as such.
func bare() bool {
	address := os.Getenv(bareVariable)
	if address == "" {
		return false
	}
	if err := serveBare(address); err != nil {
		fmt.Fprintln(os.Stderr, strings.TrimSpace(err.Error()))
		os.Exit(1)
	}
	return true
}
