package daemon

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/dispatch"
)

// An asked is a request of a host that the client has not answered.
type asked struct {
	link      *link // which has to be told; dead for a registration that has outlived it
	id        jsonrpc2.ID
	registers []string // ids of registrations that are asked for
}

// receive takes a host's messages until they end.
func (b *Bridge) receive(l *link) error {
	in := dispatch.NewMessages(l.Conn, dispatch.Options{MaxMessageBytes: math.MaxInt32}) // what to say is the host's to judge
	for {
		body, err := in.Next()
		if err != nil {
			return err
		}
		for _, out := range b.fromHost(l, body) {
			if err := b.down.put(out, false); err != nil {
				return err
			}
		}
		b.mu.Lock()
		if len(b.notices) > 0 {
			b.tellNotices()
		}
		broken := b.broken
		b.mu.Unlock()
		if broken != nil {
			return broken
		}
	}
}

// fromHost returns what the client is told of a host's message.
func (b *Bridge) fromHost(l *link, body []byte) [][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	same := [][]byte{body}
	view, err := jsonrpc2.ScanMessageView(body)
	if err != nil {
		return same
	}
	id, _ := view.ID.ID()
	method, _ := view.MethodString()
	switch view.Kind {
	case jsonrpc2.MessageViewResponseResult, jsonrpc2.MessageViewResponseError:
		return b.answer(l, id, &view, body)
	case jsonrpc2.MessageViewCall:
		return b.ask(l, id, method, view.Params)
	}
	switch method {
	case methodCancel:
		return b.unask(l, view.Params)
	case methodProgress:
		return b.progress(l, view.Params, body)
	case protocol.MethodTextDocumentPublishDiagnostics:
		b.noteDiagnostics(view.Params)
	}
	return same
}

// answer takes a host's answer: to the client's request, to a message without a usable id, or
// to the initialize of the bridge's own (B0).
func (b *Bridge) answer(l *link, id jsonrpc2.ID, view *jsonrpc2.MessageView, body []byte) [][]byte {
	if id == replayID(l) {
		l.agreed = view.Kind == jsonrpc2.MessageViewResponseResult
		if !l.agreed {
			b.log.Warn("daemon: the next host refuses initialize", "error", string(view.ErrorRaw))
			l.Conn.Close()
		}
		b.change.Broadcast()
		return nil
	}
	if !id.IsValid() {
		return [][]byte{body}
	}
	m := b.answered(id)
	if m == nil {
		return nil
	}
	if m.method == protocol.MethodInitialize && view.Kind == jsonrpc2.MessageViewResponseResult {
		m.accepted = view.Result
	}
	if b.link == l {
		b.kept.fold(&b.state, l.next, false)
	}
	return [][]byte{body}
}

// ask passes a host's request on under an id of the bridge's own (B4).
func (b *Bridge) ask(l *link, id jsonrpc2.ID, method string, params []byte) [][]byte {
	a := &asked{link: l, id: id}
	var before [][]byte
	switch method {
	case protocol.MethodClientRegisterCapability:
		var again bool
		if before, again = b.register(a, params); again {
			b.tellHost(l, jsonrpc2.AppendResponse(nil, id, nil, nil))
			return nil
		}
	case protocol.MethodClientUnregisterCapability:
		var p protocol.UnregistrationParams
		if protocol.Unmarshal(params, &p) == nil {
			for _, u := range p.Unregisterations {
				delete(b.given, u.ID)
			}
		}
	case methodProgressCreate:
		params = b.createToken(l, params)
	}
	return append(before, b.call(a, method, params))
}

// call makes a request to the client.
func (b *Bridge) call(a *asked, method string, params []byte) []byte {
	b.askID++
	b.asks[b.askID] = a
	return jsonrpc2.AppendCall(nil, jsonrpc2.NewNumberID(b.askID), method, params)
}

// tellHost puts a message of the bridge's own behind those of the client.
func (b *Bridge) tellHost(l *link, body []byte) {
	if b.link == l {
		b.keep(&message{kind: reply, body: body, link: l})
		b.change.Broadcast()
	}
}

// takeReply gives the client's answer to a host's request the id that the host knows, and
// reports whether that host is still there (B2).
func (b *Bridge) takeReply(m *message) bool {
	n, ok := m.id.Number()
	a := b.asks[n]
	if !ok || a == nil {
		return false
	}
	delete(b.asks, n)
	view, err := jsonrpc2.ScanMessageView(m.body)
	if err != nil {
		return false
	}
	if view.Kind == jsonrpc2.MessageViewResponseError {
		for _, id := range a.registers {
			delete(b.given, id)
		}
	}
	if a.link == nil || a.link != b.link {
		return false
	}
	m.link, m.body = a.link, appendReply(a.id, &view)
	return true
}

// unask passes the cancellation of a host's request on.
func (b *Bridge) unask(l *link, params []byte) [][]byte {
	var p struct {
		ID jsontext.Value `json:"id"`
	}
	if protocol.Unmarshal(params, &p) != nil {
		return nil
	}
	id := idOf(p.ID)
	for n, a := range b.asks {
		if a.link == l && a.id == id {
			return [][]byte{jsonrpc2.AppendNotification(nil, methodCancel, fmt.Appendf(nil, `{"id":%d}`, n))}
		}
	}
	return nil
}

// register notes what a host wants to register, and reports whether the client has all of it
// already (B6). What it has with other options is to be unregistered first.
func (b *Bridge) register(a *asked, params []byte) (before [][]byte, again bool) {
	var p protocol.RegistrationParams
	if protocol.Unmarshal(params, &p) != nil || len(p.Registrations) == 0 {
		return nil, false
	}
	var stale protocol.UnregistrationParams
	again = true
	for _, r := range p.Registrations {
		raw, err := protocol.Marshal(&r)
		if err != nil {
			return nil, false
		}
		was, known := b.given[r.ID]
		if known && bytes.Equal(was, raw) {
			continue
		}
		again = false
		if known {
			stale.Unregisterations = append(stale.Unregisterations, protocol.Unregistration{ID: r.ID, Method: r.Method})
		}
		b.given[r.ID] = raw
		a.registers = append(a.registers, r.ID)
	}
	if len(stale.Unregisterations) > 0 {
		if raw, err := protocol.Marshal(&stale); err == nil {
			before = append(before, b.call(&asked{}, protocol.MethodClientUnregisterCapability, raw))
		}
	}
	return before, again
}

// noteDiagnostics remembers whether the client shows diagnostics of a file.
func (b *Bridge) noteDiagnostics(params []byte) {
	var p struct {
		URI         string           `json:"uri"`
		Diagnostics []jsontext.Value `json:"diagnostics"`
	}
	if protocol.Unmarshal(params, &p) != nil {
		return
	}
	if len(p.Diagnostics) == 0 {
		delete(b.shown, p.URI)
		return
	}
	b.shown[p.URI] = true
}

// shownFiles returns the files that the client shows diagnostics of.
func (b *Bridge) shownFiles() []string { return slices.Sorted(maps.Keys(b.shown)) }

// A downward holds what is to be written to the client, in order.
type downward struct {
	mu     sync.Mutex
	change sync.Cond // broadcast when anything below changes
	queue  [][]byte  // guarded by mu
	bytes  int       // guarded by mu: of what is in queue
	closed bool      // guarded by mu: nothing more is taken
}

func newDownward() *downward {
	d := &downward{}
	d.change.L = &d.mu
	return d
}

// put queues a message. A host's waits while too much is queued; one of the bridge's own does
// not, because its maker may be the one that reads the client (B7).
func (d *downward) put(body []byte, own bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !own && d.bytes > downBytesMax && !d.closed {
		d.change.Wait()
	}
	if d.closed {
		return dispatch.ErrClosed
	}
	if d.bytes > downOwnMax {
		return dispatch.ErrSlowClient
	}
	d.queue = append(d.queue, body)
	d.bytes += len(body)
	d.change.Broadcast()
	return nil
}

// close ends the queue. What is in it is still written.
func (d *downward) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	d.change.Broadcast()
}

// write writes what is queued until the queue is closed and empty, or writing fails.
func (d *downward) write(w io.Writer) error {
	var buf []byte
	for {
		d.mu.Lock()
		for len(d.queue) == 0 && !d.closed {
			d.change.Wait()
		}
		buf = buf[:0]
		n := 0
		for n < len(d.queue) && len(buf) < writeStep {
			buf = dispatch.AppendMessage(buf, d.queue[n])
			d.bytes -= len(d.queue[n])
			n++
		}
		clear(d.queue[:n])
		d.queue = d.queue[n:]
		d.change.Broadcast()
		d.mu.Unlock()
		if n == 0 {
			return nil
		}
		if _, err := w.Write(buf); err != nil {
			d.close()
			return err
		}
		if cap(buf) > 4*writeStep {
			buf = nil // one large answer must not be kept for ever
		}
	}
}
