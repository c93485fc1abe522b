package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"

	"github.com/acquaint/acquaint/bench/internal/harness"
)

// caller is one client's connection. It is no http.Client: that costs as much as what is measured, on the same processors,
// and pgbench has nothing of the kind.
type caller struct {
	address string
	conn    net.Conn
	in      *bufio.Reader
	answer  bytes.Buffer
}

func (c *caller) close() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
}

// request is the text of one.
func request(address, token, query string, variables map[string]any) ([]byte, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return nil, err
	}
	head := fmt.Appendf(nil, "POST /graphql HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		address, token, len(body))
	return append(head, body...), nil
}

// call sends an operation and reads its data.
func (c *caller) call(token, query string, variables map[string]any, into any) error {
	text, err := request(c.address, token, query, variables)
	if err != nil {
		return err
	}
	status, answer, err := c.send(text)
	if err != nil {
		return err
	}
	return harness.Data(status, answer, into)
}

// send sends a request, and gives its answer, which is good until the next.
func (c *caller) send(request []byte) (status int, answer []byte, err error) {
	if c.conn == nil {
		if c.conn, err = net.Dial("tcp", c.address); err != nil { //nolint:noctx // local, and at once
			return 0, nil, err
		}
		c.in = bufio.NewReader(c.conn)
	}
	if _, err := c.conn.Write(request); err != nil {
		return 0, nil, err
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	c.answer.Reset()
	_, err = c.answer.ReadFrom(response.Body)
	return response.StatusCode, c.answer.Bytes(), err
}
