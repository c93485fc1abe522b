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
type baseline struct {
	writesNext, writes, writesHalf, echoNext, echo figures
	stalls                                         stalls
}

// baseline measures them. most is what one node reached.
func (s *settings) baseline(ctx context.Context, address, folder string, most float64) (baseline, error) {
	writesNext, err := s.writes(ctx, address, folder, 1, atOnceTimes*s.samples, 0)
	if err != nil {
		return baseline{}, err
	}
	writes, err := s.writes(ctx, address, folder, 1, s.samples, s.rate)
	if err != nil {
		return baseline{}, err
	}
	half := max(1, int(most/2)) //nolint:mnd // half
	writesHalf, err := s.writes(ctx, address, folder, s.clients, max(1, int(float64(half)*s.phase.Seconds())/s.clients), half)
	if err != nil {
		return baseline{}, err
	}
	echoNext, err := echo(atOnceTimes*s.samples, 0)
	if err != nil {
		return baseline{}, err
	}
	paced, err := echo(s.samples, time.Second/time.Duration(s.rate))
	return baseline{figuresOf(writesNext), figuresOf(writes), figuresOf(writesHalf), figuresOf(echoNext), figuresOf(paced), spin()}, err
}

// writes lets clients of pgbench do the writes of an invite, so many each, at a rate for all, or 0 for one after the other,
// and gives how long each took.
func (s *settings) writes(ctx context.Context, address, folder string, clients, samples, rate int) ([]time.Duration, error) {
	program, err := pgserver.Program("pgbench")
	if err != nil {
		return nil, err
	}
	root, err := harness.Root(ctx)
	if err != nil {
		return nil, err
	}
	args := []string{
		"-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-t", strconv.Itoa(samples + warmUp), "-D", "n=" + strconv.Itoa(s.recipients+senders),
		"-l", "--log-prefix=" + filepath.Join(folder, "pgbench"), "-f", filepath.Join(root, "bench", "writes", "invite.sql"),
	}
	if rate > 0 {
		args = append(args, "-R", strconv.Itoa(rate))
	}
	pgbench := exec.CommandContext(ctx, program, append(args, address)...) //nolint:gosec // pgbench
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
	// client, its how many-eth transaction, µs since it was due, script, time, µs of it; and at a rate µs that it was late:
	// until all clients were connected, and until pgbench was awake
	const nth, took, late, columns = 1, 2, 6, 6
	var all []time.Duration
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < columns {
			return nil, fmt.Errorf("pgbench logged %q", lines.Text())
		}
		var numbers [late + 1]int
		for _, at := range []int{nth, took, late} {
			if at >= len(fields) {
				continue
			}
			if numbers[at], err = strconv.Atoi(fields[at]); err != nil {
				return nil, err
			}
		}
		if numbers[nth] > warmUp { // before, it prepares, and reads the catalogue
			all = append(all, time.Duration(numbers[took]-numbers[late])*time.Microsecond)
		}
	}
	return all, nil
}

// echo sends frames to a bare server that sends them back, one by one as oneByOne does, and gives how long each took.
func echo(samples int, every time.Duration) ([]time.Duration, error) {
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
	var all []time.Duration
	start := time.Now()
	for i := range samples {
		began := time.Now()
		if err := socket.WriteMessage(websocket.BinaryMessage, message); err != nil {
			return nil, err
		}
		if _, _, err := socket.ReadMessage(); err != nil {
			return nil, err
		}
		all = append(all, time.Since(began))
		time.Sleep(time.Until(start.Add(time.Duration(i+1) * every)))
	}
	return all, nil
}
