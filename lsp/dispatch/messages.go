package dispatch

import (
	"errors"
	"io"

	"go.lsp.dev/jsonrpc2"
)

// MethodResumed is the notification that a process sends for its client when that client's
// session goes on at another host (see package daemon).
const MethodResumed = "cytisus/resumed"

// ResumedParams are the parameters of cytisus/resumed.
type ResumedParams struct {
	Shown []string `json:"shown"` // URIs of files that the client shows diagnostics of
}

// Messages takes a stream apart for a process that carries its messages and does not serve
// them.
type Messages struct{ frames *frameReader }

// NewMessages returns the messages of a stream, with the bounds of a connection's options.
func NewMessages(r io.Reader, o Options) *Messages {
	return &Messages{newFrameReader(r, o.filled().MaxMessageBytes)}
}

// Next returns the next message, in memory of its own, or why there is none; [Refusal] says
// what that means.
func (m *Messages) Next() (body []byte, err error) { return m.frames.next() }

// Refusal returns what the sender of a message is told that [Messages.Next] failed on, nil if
// there is nothing to tell, and whether the stream goes on behind it.
func Refusal(err error) (answer []byte, more bool) {
	if bad, ok := errors.AsType[*frameError](err); ok {
		return refusal(bad.reason), true
	}
	if errors.Is(err, ErrFraming) || errors.Is(err, ErrTooLong) {
		return refusal(err.Error()), false
	}
	return nil, false
}

func refusal(reason string) []byte {
	return jsonrpc2.AppendResponse(nil, jsonrpc2.ID{}, nil, jsonrpc2.NewError(jsonrpc2.ParseError, reason))
}

// AppendMessage appends a message to dst as it is on the wire.
func AppendMessage(dst, body []byte) []byte { return appendFrame(dst, body) }
