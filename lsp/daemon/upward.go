package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/go-json-experiment/json/jsontext"
	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

// read takes the client's messages until it exits or its input ends.
func (b *Bridge) read(ctx context.Context) {
	in := dispatch.NewMessages(b.client, dispatch.Options{})
	for {
		body, err := in.Next()
		if err != nil {
			answer, more := dispatch.Refusal(err)
			if answer != nil {
				b.mu.Lock()
				b.own(answer)
				b.mu.Unlock()
			}
			if more {
				continue
			}
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
				b.log.Debug("daemon: from the client", "err", err)
			}
			b.take(ctx, &message{kind: inputEnd})
			return
		}
		m := classify(body)
		if b.take(ctx, m) {
			return
		}
	}
}

// classify says what a message of the client is.
func classify(body []byte) *message {
	m := &message{kind: opaque, body: body}
	view, err := jsonrpc2.ScanMessageView(body)
	if err != nil {
		return m
	}
	id, idOK := view.ID.ID()
	switch view.Kind {
	case jsonrpc2.MessageViewResponseResult, jsonrpc2.MessageViewResponseError:
		m.kind, m.id = reply, id
		return m
	}
	method, ok := view.MethodString()
	if !ok || !idOK {
		return m
	}
	m.method, m.id = method, id
	switch {
	case id.IsValid():
		m.kind = request
	case view.IDRaw != nil: // an id of null: a host says what that is
	case method == methodCancel:
		m.kind = cancel
	default:
		m.kind = notification
	}
	return m
}

const (
	methodCancel = "$/cancelRequest"
	methodExit   = "exit"
)

// take puts a message into the log, or does at once what it asks for. It waits while too much
// waits for the host (B7), and reports whether the client is done.
func (b *Bridge) take(ctx context.Context, m *message) (done bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.crowded() && ctx.Err() == nil && !b.doneLocked() {
		b.change.Wait()
	}
	if ctx.Err() != nil || b.doneLocked() {
		return true
	}
	defer b.change.Broadcast()
	switch m.kind {
	case reply:
		if !b.takeReply(m) {
			return false
		}
	case cancel:
		if !b.takeCancel(m) {
			return false
		}
	case request:
		if !b.admit(m) {
			return false
		}
	case notification:
		switch m.method {
		case methodExit:
			b.exited, done = true, true
		case methodProgressCancel:
			if !b.takeProgressCancel(m) {
				return false
			}
		}
	case inputEnd:
		b.ended, done = true, true
	}
	b.keep(m)
	return done
}

// crowded reports whether the client has to wait. b.mu must be held.
func (b *Bridge) crowded() bool {
	unsent := b.kept.bytes
	if b.link != nil {
		unsent = b.link.unsent
	}
	return unsent > upBytesMax || len(b.open) >= openMax
}

// keep adds a message to the log. b.mu must be held.
func (b *Bridge) keep(m *message) {
	b.kept.add(m)
	if b.link != nil {
		b.link.unsent += len(m.body)
	} else {
		b.kept.fold(&b.state, b.kept.end(), false)
	}
}

// admit enters a request into the table of open ones, or answers it. b.mu must be held.
func (b *Bridge) admit(m *message) bool {
	if b.open[m.id] != nil {
		b.own(jsonrpc2.AppendResponse(nil, m.id, nil, jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "id %v is in use by a request that is not answered yet", m.id)))
		return false
	}
	if b.shutdown && b.link == nil && b.links > 0 {
		b.own(jsonrpc2.AppendResponse(nil, m.id, nil, jsonrpc2.Errorf(jsonrpc2.InvalidRequest, "%s came after shutdown", m.method)))
		return false
	}
	b.open[m.id] = m
	if m.method == protocol.MethodShutdown {
		b.shutdown = true
	}
	return true
}

// takeCancel passes a cancellation on to the host that has the request; a request that no host
// has is answered. b.mu must be held.
func (b *Bridge) takeCancel(c *message) bool {
	var p struct {
		ID jsontext.Value `json:"id"`
	}
	if protocol.Unmarshal(c.params(), &p) != nil {
		return false
	}
	id := idOf(p.ID)
	m := b.open[id]
	if m == nil {
		return false
	}
	m.cancelled = true
	if b.link == nil || !b.hasSent(m) {
		b.refuse(id, jsonrpc2.NewError(protocol.CodeRequestCancelled, "cancelled by the client"))
		return false
	}
	c.link = b.link
	return true
}

// idOf reads an id by way of a message that has it; what is none is not valid.
func idOf(raw []byte) jsonrpc2.ID {
	view, err := jsonrpc2.ScanMessageView(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":null}`, raw))
	if err != nil {
		return jsonrpc2.ID{}
	}
	id, _ := view.ID.ID()
	return id
}

// hasSent reports whether the link has sent a message that is in the log, or late.
func (b *Bridge) hasSent(m *message) bool {
	for n := b.link.next; n < b.kept.end(); n++ {
		if b.kept.at(n) == m {
			return false
		}
	}
	return true
}

// send tells a host everything it must know, then the log as it grows.
func (b *Bridge) send(ctx context.Context, l *link) error {
	if err := b.sendState(ctx, l); err != nil {
		return err
	}
	var buf []byte
	for {
		list, ending := b.nextUp(l)
		if list == nil && !ending {
			return nil
		}
		buf = buf[:0]
		for _, body := range list {
			buf = dispatch.AppendMessage(buf, body)
		}
		if len(buf) > 0 {
			if _, err := l.Conn.Write(buf); err != nil {
				return err
			}
		}
		if cap(buf) > writeStep {
			buf = nil // one large text must not be kept for ever
		}
		if ending {
			return l.Conn.CloseWrite()
		}
	}
}

// writeStep is about how many bytes are gathered for one write.
const writeStep = 64 << 10

// sendState brings a new host to the bridge's state.
func (b *Bridge) sendState(ctx context.Context, l *link) error {
	b.mu.Lock()
	if b.state.initialize == nil {
		l.ready = true // the client's own initialize is in the log, or has yet to come
		b.mu.Unlock()
		return nil
	}
	hello := jsonrpc2.AppendCall(nil, replayID(l), protocol.MethodInitialize, b.state.initialize)
	list, err := b.state.replay(b.shownFiles())
	b.mu.Unlock()
	if err != nil {
		return fmt.Errorf("daemon: encoding what the next host must know: %w", err)
	}
	if _, err := l.Conn.Write(dispatch.AppendMessage(nil, hello)); err != nil {
		return err
	}
	b.mu.Lock()
	for !l.agreed && !l.dead && ctx.Err() == nil {
		b.change.Wait()
	}
	agreed := l.agreed
	b.mu.Unlock()
	if !agreed {
		return net.ErrClosed
	}
	for _, body := range list {
		if _, err := l.Conn.Write(dispatch.AppendMessage(nil, body)); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l.ready = true
	return nil
}

// replayID is the id of the initialize that a bridge sends by itself.
func replayID(l *link) jsonrpc2.ID {
	return jsonrpc2.NewStringID(fmt.Sprintf("cytisus-bridge-%d", l.number))
}

// nextUp waits for messages that the link has not sent, and counts them as sent. It returns
// nothing when the link is dead. ending is set when the client's input has ended behind them.
func (b *Bridge) nextUp(l *link) (list [][]byte, ending bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		for l.next >= b.kept.end() && !l.dead {
			b.change.Wait()
		}
		if l.dead {
			return nil, false
		}
		for bytes := 0; l.next < b.kept.end() && bytes < writeStep; l.next++ {
			m := b.kept.at(l.next)
			l.unsent -= len(m.body)
			switch {
			case m.kind == inputEnd:
				ending = true
			case m.answered, m.link != nil && m.link != l:
				continue
			default:
				list = append(list, m.body)
				bytes += len(m.body)
			}
		}
		b.kept.fold(&b.state, l.next, false)
		b.change.Broadcast()
		if len(list) > 0 || ending {
			return list, ending
		}
	}
}
