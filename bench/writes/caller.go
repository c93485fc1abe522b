package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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
	out     bytes.Buffer
}

func (c *caller) close() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
}

func (c *caller) call(token, query string, variables map[string]any, into any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	if c.conn == nil {
		if c.conn, err = net.Dial("tcp", c.address); err != nil { //nolint:noctx // local, and at once
			return err
		}
		c.in = bufio.NewReader(c.conn)
	}
	c.out.Reset()
	fmt.Fprintf(&c.out, "POST /graphql HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		c.address, token, len(body))
	c.out.Write(body)
	if _, err := c.conn.Write(c.out.Bytes()); err != nil {
		return err
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return harness.Data(response.StatusCode, answer, into)
}
