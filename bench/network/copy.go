package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/mattn/go-isatty"

	"github.com/acquaint/acquaint/internal/store/storetest/pgserver"
)

// rowWriter writes rows as COPY reads them in its binary format, which the database need not parse.
type rowWriter struct {
	out      *bufio.Writer
	number   [8]byte
	progress *progress
	err      error
}

func (w *rowWriter) write(b []byte) {
	if w.err == nil {
		_, w.err = w.out.Write(b)
	}
}

func (w *rowWriter) length(n int) {
	binary.BigEndian.PutUint32(w.number[:], uint32(n)) //nolint:gosec // small, or -1
	w.write(w.number[:4])
}

// row begins one of a number of columns.
func (w *rowWriter) row(columns int) {
	binary.BigEndian.PutUint16(w.number[:], uint16(columns)) //nolint:gosec // a few
	w.write(w.number[:2])
	w.progress.step()
}

func (w *rowWriter) uuid(u uuid.UUID) { w.length(len(u)); w.write(u[:]) }

func (w *rowWriter) text(s string) { w.length(len(s)); w.write([]byte(s)) }

func (w *rowWriter) null() { w.length(-1) }

func (w *rowWriter) integer(n int64) {
	w.length(8)                                        //nolint:mnd // bytes of a bigint
	binary.BigEndian.PutUint64(w.number[:], uint64(n)) //nolint:gosec // as it is
	w.write(w.number[:])
}

// since is when PostgreSQL counts times from.
var since = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (w *rowWriter) time(t time.Time) { w.integer(t.Sub(since).Microseconds()) }

// copyHeader and copyTrailer are around the rows.
const (
	copyHeader  = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	copyTrailer = "\xff\xff"
)

// table is what is copied into one.
type table struct {
	name, columns string
	emptied       bool // nobody refers to it: it is emptied first, so that its rows are written as old ones
	rows          int
	write         func(*rowWriter)
}

// copyRows fills a table. Foreign keys are not looked up: the generator makes no others.
func copyRows(ctx context.Context, address string, t table) error {
	psql, err := pgserver.Program("psql")
	if err != nil {
		return err
	}
	args := []string{"-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", "-c", "SET session_replication_role = replica"}
	format := "FORMAT binary"
	if t.emptied {
		args = append(args, "-c", "TRUNCATE "+t.name)
		format += ", FREEZE"
	}
	args = append(args, "-c", fmt.Sprintf("COPY %s (%s) FROM STDIN (%s)", t.name, t.columns, format), address)
	copying := exec.CommandContext(ctx, psql, args...) //nolint:gosec // our own
	var said strings.Builder
	copying.Stderr = &said
	in, err := copying.StdinPipe()
	if err != nil {
		return err
	}
	if err := copying.Start(); err != nil {
		return err
	}
	w := &rowWriter{out: bufio.NewWriterSize(in, 1<<20), progress: newProgress(t.name, t.rows)}
	w.write([]byte(copyHeader))
	t.write(w)
	w.write([]byte(copyTrailer))
	if w.err == nil {
		w.err = w.out.Flush()
	}
	in.Close()
	if err := copying.Wait(); err != nil {
		return fmt.Errorf("%s: %w\n%s", t.name, err, said.String())
	}
	w.progress.end()
	return w.err
}

// progress is a bar for a person to watch.
type progress struct {
	to         io.Writer
	live       bool
	what       string
	rows, done int
	began      time.Time
}

// barSteps is how often a bar moves, and barWidth how wide it is.
const (
	barSteps = 200
	barWidth = 40
)

func newProgress(what string, rows int) *progress {
	return &progress{
		to: os.Stderr, live: isatty.IsTerminal(os.Stderr.Fd()),
		what: what, rows: rows, began: time.Now(),
	}
}

func (p *progress) step() {
	p.done++
	if p.live && p.done%max(1, p.rows/barSteps) == 0 {
		p.draw()
	}
}

func (p *progress) draw() {
	full := min(barWidth, barWidth*p.done/max(1, p.rows))
	fmt.Fprintf(p.to, "\r  %-14s [%s%s] %11d rows %6.1f s ", p.what, strings.Repeat("=", full), strings.Repeat(" ", barWidth-full),
		p.done, time.Since(p.began).Seconds())
}

// end draws the bar once more, full; where nobody watches it is the only time.
func (p *progress) end() {
	p.rows = p.done
	p.draw()
	fmt.Fprintln(p.to)
}
