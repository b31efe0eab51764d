package daemon

import "go.lsp.dev/jsonrpc2"

// A message is one of the client's in the log. All of it but body is guarded by the bridge's
// mutex.
type message struct {
	kind   messageKind
	method string
	id     jsonrpc2.ID // of a request
	body   []byte
	link   *link // of what is for one host only: replies and cancellations

	answered  bool
	cancelled bool   // the client does not want the answer any more
	late      bool   // the state has gone past it: it cannot be repeated (B3)
	tries     int    // links that have broken while it was open there
	accepted  []byte // the result of initialize, until the state has taken it
}

type messageKind uint8

const (
	request messageKind = iota
	notification
	reply    // to a host's request
	cancel   // of a request, at the host that has it
	opaque   // what only a host can refuse properly
	inputEnd // the client's input has ended
)

// params returns the raw parameters.
func (m *message) params() []byte {
	view, err := jsonrpc2.ScanMessageView(m.body)
	if err != nil {
		return nil
	}
	return view.Params
}

// settled reports whether nothing is waited for that the message asked for.
func (m *message) settled() bool { return m.kind != request || m.answered || m.late }

// logBytesMax is how many bytes of messages the log may hold because of a request that is
// open. It is a variable for tests.
var logBytesMax = 64 << 20

// foldStep is how many messages are taken into the state at once, so that the edits among
// them cost few copies of a text.
const foldStep = 64

// A log holds the newest messages of the client. It is guarded by the bridge's mutex.
type log struct {
	first int // number of the oldest message
	list  []*message
	bytes int
}

func (l *log) end() int { return l.first + len(l.list) }

func (l *log) at(n int) *message { return l.list[n-l.first] }

func (l *log) add(m *message) {
	l.list = append(l.list, m)
	l.bytes += len(m.body)
}

// fold takes messages from the log into the state: those at its head that are settled and
// have a number below sent. Few of them are left for later unless all is set.
func (l *log) fold(s *state, sent int, all bool) {
	n, bytes := 0, 0
	for n < len(l.list) && l.first+n < sent {
		m := l.list[n]
		if !m.settled() && l.bytes-bytes > logBytesMax {
			m.late = true
		}
		if !m.settled() {
			break
		}
		bytes += len(m.body)
		n++
	}
	if n == 0 || !all && n < foldStep && bytes < logBytesMax/foldStep {
		return
	}
	s.take(l.list[:n])
	clear(l.list[:n])
	l.list = l.list[n:]
	l.first += n
	l.bytes -= bytes
}

// appendReply appends a response that has come, under another id.
func appendReply(id jsonrpc2.ID, view *jsonrpc2.MessageView) []byte {
	if view.Kind == jsonrpc2.MessageViewResponseResult {
		return jsonrpc2.AppendResponse(nil, id, view.Result, nil)
	}
	e, ok := view.Error.Owned()
	if !ok {
		e = jsonrpc2.Errorf(jsonrpc2.UnknownError, "error object %.64q", view.ErrorRaw)
	}
	return jsonrpc2.AppendResponse(nil, id, nil, e)
}
