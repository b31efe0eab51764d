package dispatch

import (
	"bytes"
	"errors"
	"io"

	"go.lsp.dev/jsonrpc2"
)

// A Glimpse is what [Peek] saw of a connection's first message.
type Glimpse struct {
	Method string // "" if the first message is none, or there is none
	Params []byte // raw JSON
}

// Peek reads the first message of a connection that is not served yet, and returns it
// with a connection that begins with the same bytes again. A process uses it to learn
// from initialize which workspace is meant before it decides who serves it. Input that is
// malformed is no error here: whoever serves the connection refuses it properly.
func Peek(rw io.ReadWriteCloser, o Options) (Glimpse, io.ReadWriteCloser) {
	var seen bytes.Buffer
	body, err := newFrameReader(io.TeeReader(rw, &seen), o.filled().MaxMessageBytes).next()
	replay := &replayed{ReadWriteCloser: rw, r: io.MultiReader(&seen, rw)}
	if err != nil {
		if _, ok := errors.AsType[*frameError](err); !ok && !errors.Is(err, ErrFraming) && !errors.Is(err, ErrTooLong) {
			replay.r = io.MultiReader(&seen, failing{err}) // the input has ended, or broke
		}
		return Glimpse{}, replay
	}
	view, err := jsonrpc2.ScanMessageView(body)
	if err != nil {
		return Glimpse{}, replay
	}
	method, _ := view.MethodString()
	return Glimpse{Method: method, Params: view.Params}, replay
}

type replayed struct {
	io.ReadWriteCloser
	r io.Reader
}

func (c *replayed) Read(p []byte) (int, error) { return c.r.Read(p) }

// failing is a reader that has ended for a reason.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if errors.Is(f.err, io.ErrUnexpectedEOF) {
		return 0, io.EOF // inside a message; its reader will see that again
	}
	return 0, f.err
}
