package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/acquaint/acquaint/bench/internal/harness"
	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

// baseline is what the parts cost without us: the writes alone, and a frame there and back.
type baseline struct{ writes, echo figures }

func (s *settings) baseline(ctx context.Context, address, folder string) (baseline, error) {
	writes, err := s.writes(ctx, address, folder)
	if err != nil {
		return baseline{}, err
	}
	echo, err := s.echo()
	return baseline{figuresOf(writes), figuresOf(echo)}, err
}

// writes lets pgbench do the writes of an invite, one by one at the same rate, and gives how long each took.
func (s *settings) writes(ctx context.Context, address, folder string) ([]time.Duration, error) {
	program, err := pgserver.Program("pgbench")
	if err != nil {
		return nil, err
	}
	root, err := harness.Root(ctx)
	if err != nil {
		return nil, err
	}
	pgbench := exec.CommandContext(ctx, program, "-n", "-M", "prepared", "-c", "1", "-R", strconv.Itoa(s.rate), //nolint:gosec // pgbench
		"-t", strconv.Itoa(s.samples), "-D", "n="+strconv.Itoa(s.recipients+senders), "-l", "--log-prefix="+filepath.Join(folder, "pgbench"),
		"-f", filepath.Join(root, "bench", "writes", "invite.sql"), address)
	if out, err := pgbench.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	logs, err := filepath.Glob(filepath.Join(folder, "pgbench.*"))
	if err != nil || len(logs) != 1 {
		return nil, errors.Join(err, fmt.Errorf("pgbench wrote %d logs", len(logs)))
	}
	defer os.Remove(logs[0])
	file, err := os.Open(logs[0])
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// client, transaction, µs since it was due, script, time, µs of it, µs that it was late
	const took, late, columns = 2, 6, 7
	var all []time.Duration
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < columns {
			return nil, fmt.Errorf("pgbench logged %q", lines.Text())
		}
		all1, err1 := strconv.Atoi(fields[took])
		late1, err2 := strconv.Atoi(fields[late])
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		all = append(all, time.Duration(all1-late1)*time.Microsecond)
	}
	return all, nil
}

// echo sends frames to a bare server that sends them back, and gives how long each took.
func (s *settings) echo() ([]time.Duration, error) {
	upgrader := websocket.Upgrader{}
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer socket.Close()
		for {
			kind, message, err := socket.ReadMessage()
			if err != nil || socket.WriteMessage(kind, message) != nil {
				return
			}
		}
	}))
	defer bare.Close()
	socket, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(bare.URL, "http"), nil)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	defer socket.Close()
	const length = 300 // of a notification's frame
	message := make([]byte, length)
	tick := time.NewTicker(time.Second / time.Duration(s.rate))
	defer tick.Stop()
	var all []time.Duration
	for range s.samples {
		began := time.Now()
		if err := socket.WriteMessage(websocket.BinaryMessage, message); err != nil {
			return nil, err
		}
		if _, _, err := socket.ReadMessage(); err != nil {
			return nil, err
		}
		all = append(all, time.Since(began))
		<-tick.C
	}
	return all, nil
}
