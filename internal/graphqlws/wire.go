package graphqlws

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// wire is what a websocket is written to. gorilla writes one frame at a time, each in a call of its own; for a backlog
// that is most of what a delivery costs. So text, pings and pongs are written here, many frames in one call, and only
// closing is left to gorilla, which also closes by itself, as when a peer breaks the protocol of websockets. A wire keeps
// their writes apart, and lets nothing through after a close frame.
type wire struct {
	net.Conn

	mu     sync.Mutex
	closed bool

	// Of whoever reads. gorilla shows nothing of the frames that a message is in.
	unfinished bool  // a message has begun
	spare      int32 // bytes that it may still take beside its text
}

// errFragments is what reading gives when a message is in too many pieces.
var errFragments = errors.New("too many fragments")

// What the frames of a message may take beside its text: a sixteenth of what the longest may have lets a proxy split it
// into pieces of a hundred bytes, and is a few hundred empty ones.
const (
	spareShare = 16
	spareLeast = 1 << 10 // bytes
)

// begin is called when the first frame of a message has come, of at most so many bytes.
func (w *wire) begin(most int64) {
	w.unfinished = true
	w.spare = int32(min(max(most/spareShare, spareLeast), math.MaxInt32/2))
}

func (w *wire) end() { w.unfinished = false }

// Read implements io.Reader.
func (w *wire) Read(b []byte) (int, error) {
	if w.unfinished && w.spare <= 0 {
		return 0, errFragments
	}
	n, err := w.Conn.Read(b)
	w.spare -= int32(n) //nolint:gosec // as long as a buffer
	return n, err
}

// whole is the text of a message, without its frames.
type whole struct {
	io.Reader

	wire *wire
}

// Read implements io.Reader.
func (m whole) Read(b []byte) (int, error) {
	n, err := m.Reader.Read(b)
	m.wire.spare += int32(n) //nolint:gosec // as long as a buffer
	return n, err
}

// Write writes whole frames.
func (w *wire) Write(frames []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, websocket.ErrCloseSent
	}
	w.closed = len(frames) > 0 && frames[0] == finalFrame|websocket.CloseMessage
	return w.Conn.Write(frames)
}

// wired has gorilla upgrade to a wire.
type wired struct{ http.ResponseWriter }

// Hijack implements http.Hijacker.
func (w wired) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	return &wire{Conn: conn}, buffers, nil
}

// The frames of RFC 6455, section 5.2. A server's are not masked, and ours not split.
const (
	finalFrame   = 1 << 7
	shortPayload = 125 // bytes that the first length holds
	length16     = 126 // the first length of payloads whose length takes 16 bits
	length64     = 127
	headerShort  = 2 // bytes
	maskSize     = 4 // of what a client sends
	header16     = 4
	header64     = 10
)

// appendFrame appends a frame with the payload that fill appends.
func appendFrame(b []byte, kind byte, fill func([]byte) []byte) []byte {
	start := len(b)
	b = append(b, make([]byte, header16)...) // what most need; its place is known before its length
	b = fill(b)
	n := len(b) - start - header16
	b0 := finalFrame | kind
	switch {
	case n <= shortPayload:
		b = append(b[:start+headerShort], b[start+header16:]...)
		b[start], b[start+1] = b0, byte(n) //nolint:gosec // it fits
	case n <= math.MaxUint16:
		b[start], b[start+1] = b0, length16
		binary.BigEndian.PutUint16(b[start+2:], uint16(n))
	default:
		b = append(b, make([]byte, header64-header16)...)
		copy(b[start+header64:], b[start+header16:])
		b[start], b[start+1] = b0, length64
		binary.BigEndian.PutUint64(b[start+2:], uint64(n))
	}
	return b
}

// frame makes a frame that is always the same.
func frame(kind byte, payload string) []byte {
	return appendFrame(nil, kind, func(b []byte) []byte { return append(b, payload...) })
}

// buffers are what frames are put together in.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

const (
	// flushAt is how many bytes are put together before they are written: what a slow peer costs, beyond one message.
	flushAt = 32 << 10
	// bufferKept is how large a buffer may be to be used again.
	bufferKept = 2 * flushAt
)

// withBuffer lets use fill a buffer, and takes it back.
func withBuffer(use func(b []byte) []byte) {
	p := buffers.Get().(*[]byte) //nolint:forcetypeassert // that is what is in there
	if b := use((*p)[:0]); cap(b) <= bufferKept {
		*p = b
		buffers.Put(p)
	}
}
