package daemon

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// HandshakeVersion is the version of the two lines. It changes when an old side could
// misunderstand a new one.
const HandshakeVersion = 1

const (
	handshakeMax     = 16 << 10         // bytes of a line
	handshakeTimeout = 10 * time.Second // for both lines
)

// A Verb says what a client wants.
type Verb string

const (
	Serve  Verb = "serve"  // the Language Server Protocol follows
	Status Verb = "status" // the host's line is all that is wanted
	Stop   Verb = "stop"   // the host shall end
)

// A hello is the line of the side that dials.
type hello struct {
	Version int    `json:"cytisus"`
	Verb    Verb   `json:"verb"`
	Build   string `json:"build"`
	Store   string `json:"store"`
	Peer
}

// A Peer is what a client says about itself.
type Peer struct {
	PID  int    `json:"pid"`
	Name string `json:"name"` // "cytisus serve", "cytisus def", an editor's name
}

// Info is what a host says about itself.
type Info struct {
	Build   string    `json:"build"`
	Store   string    `json:"store"`
	PID     int       `json:"pid"`
	Name    string    `json:"name"`
	Started time.Time `json:"started"`
	Clients []Peer    `json:"clients"` // connected for "serve", the asking one not included
}

// A welcome is the line of the host.
type welcome struct {
	Version int    `json:"cytisus"`
	Refused Reason `json:"refused,omitempty"`
	Message string `json:"message,omitempty"`
	Info
}

// A lineConn is a connection whose first line was read with a buffer that may hold more.
type lineConn struct {
	*net.UnixConn
	r *bufio.Reader
}

func newLineConn(c *net.UnixConn) *lineConn {
	return &lineConn{UnixConn: c, r: bufio.NewReaderSize(c, handshakeMax)}
}

func (c *lineConn) Read(p []byte) (int, error) { return c.r.Read(p) }

// WriteTo is the buffered reader's, not the socket's, which would skip the buffer.
func (c *lineConn) WriteTo(w io.Writer) (int64, error) { return c.r.WriteTo(w) }

func (c *lineConn) writeLine(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = c.Write(append(line, '\n'))
	return err
}

func (c *lineConn) readLine(v any) error {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("line of more than %d bytes", handshakeMax)
		}
		return err
	}
	return json.Unmarshal(line, v)
}

// checkUser refuses the connection of another user (A1).
func checkUser(c *net.UnixConn, who func(*net.UnixConn) (int, bool, error)) error {
	uid, known, err := who(c)
	switch {
	case err != nil:
		return fmt.Errorf("asking for the peer's user: %w", err)
	case known && uid != os.Getuid():
		return fmt.Errorf("the peer is user %d, this is user %d", uid, os.Getuid())
	}
	return nil
}
