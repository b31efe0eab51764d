package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/document"
	"github.com/cytisus/cytisus/lsp/position"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

func protocolURI(name string) uri.URI { return uri.URI(name) }

// A question is a request about a document while it is being answered: a task, and the
// state of the document at the request's ticket.
type question struct {
	s    *session
	t    *runtime.Task
	root *root
	uri  string             // canonical
	doc  *document.Document // nil: the client has not opened it

	mappers map[string]*position.Mapper // texts seen in this snapshot
}

// about finds, in a request's turn, what it is about.
func (s *session) about(u uri.URI) (*question, error) {
	name, err := s.canonical(u)
	if err != nil {
		return nil, err
	}
	root := s.rootOf(name)
	if root == nil {
		return nil, jsonrpc2.Errorf(dispatch.RequestFailed, "no workspace is open that %s could belong to", name)
	}
	doc, err := s.openDocument(name)
	if err != nil {
		return nil, err
	}
	return &question{s: s, root: root, uri: name, doc: doc}, nil
}

// aboutPosition is about for a request with a position. In an open document the position is
// checked at once.
func (s *session) aboutPosition(p protocol.TextDocumentPositionParams) (*question, error) {
	q, err := s.about(p.TextDocument.URI)
	if err != nil || q.doc == nil {
		return q, err
	}
	if _, err := q.doc.Mapper().Offset(p.Position, s.agreed.Load().encoding); err != nil {
		return nil, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%s: %v", q.uri, err)
	}
	return q, nil
}

// behindMax is how often a question is asked again because the language had not yet worked out what
// it is about. More often only somebody who types all the while is in the way.
const behindMax = 3

// A preparer is what a workspace may be besides a lsp.Workspace: one that brings in what a question
// needs, and answers it from the state that follows.
type preparer interface {
	// Prepare brings in what questions about a file are answered from. A question about an open
	// file does so by itself, if it has to.
	Prepare(t *runtime.Task, uri string) error
	// Prepared is the newest generation that questions had to wait for.
	Prepared() uint64
}

// prepared has what an unopened file is answered from brought in: its text is read from the disk as
// the language finds it, and positions are of that text.
func (q *question) prepared() error {
	p, ok := q.preparer()
	if !ok || q.doc != nil || q.uri == "" || !q.s.host.handles(q.uri) {
		return nil
	}
	if err := p.Prepare(q.t, q.uri); err != nil && !nothing(q, err) {
		return err
	}
	return q.inItsState()
}

// errNewer has a question asked again in the newest state, where all of its answer is from.
var errNewer = fmt.Errorf("server: the answer is from a newer state: %w", lsp.ErrBehind)

// inItsState fails if the language may have answered from a newer state than that of the question's
// task, with whose texts positions are converted.
func (q *question) inItsState() error {
	if p, ok := q.preparer(); ok && q.t.Generation() < p.Prepared() {
		return errNewer
	}
	return nil
}

func (q *question) preparer() (preparer, bool) {
	if q.root == nil {
		return nil, false
	}
	p, ok := q.root.ws.(preparer)
	return p, ok
}

// answer makes, in a request's turn, the work that answers it: a task on a request lane,
// which reads the snapshot of this moment.
func (s *session) answer(r *dispatch.Request, q *question, l lane.Lane, fn func(q *question) (any, error)) dispatch.Work {
	snap := s.host.eng.Snapshot()
	complete := q.root != nil && q.root.ready.Load()
	return func(ctx context.Context) (any, error) {
		defer func() { snap.Release() }()
		var value any
		once := func() error {
			return s.host.eng.Submit(ctx, l, func(t *runtime.Task) (err error) {
				q.t, q.mappers = t, nil
				if err := q.prepared(); err != nil {
					return err
				}
				if err := q.checkText(); err != nil {
					return err
				}
				value, err = fn(q)
				return cmp.Or(q.inItsState(), q.refused(err))
			}, runtime.At(snap), runtime.Client(s.id), runtime.Named(r.Method))
		}
		err := once()
		for range behindMax {
			again := errors.Is(err, errNewer) || errors.Is(err, lsp.ErrBehind) && q.root != nil && q.root.ws.Settle(ctx) == nil
			if !again {
				break
			}
			snap.Release()
			snap = s.host.eng.Snapshot()
			err = once()
		}
		if err != nil {
			return nil, s.wireError(ctx, r.Method, err)
		}
		// Until its inputs are complete, a workspace may have to answer from a newer state.
		if !complete && q.doc != nil {
			if now, _ := s.agreed.Load().docs.Get(q.uri); now != q.doc {
				return nil, errModified("the document changed while the workspace was read for the first time")
			}
		}
		return value, nil
	}
}

// atPosition answers a request about a position in a document: fn is given the question and the
// offset. Nothing to say is null.
func (s *session) atPosition(
	r *dispatch.Request, p protocol.TextDocumentPositionParams, l lane.Lane, fn func(q *question, at int) (any, error),
) (*question, dispatch.Work, error) {
	q, err := s.aboutPosition(p)
	if err != nil {
		return nil, nil, err
	}
	return q, s.answer(r, q, l, func(q *question) (any, error) {
		at, err := q.offset(p.Position)
		if err != nil {
			return orNothing(q, nil, err)
		}
		value, err := fn(q, at)
		return orNothing(q, value, err)
	}), nil
}

// aboutFile answers a request about a document. Nothing to say is null.
func (s *session) aboutFile(
	r *dispatch.Request, d protocol.TextDocumentIdentifier, l lane.Lane, fn func(q *question) (any, error),
) (dispatch.Outcome, error) {
	q, err := s.about(d.URI)
	if err != nil {
		return dispatch.Done, err
	}
	return dispatch.Later(s.answer(r, q, l, func(q *question) (any, error) {
		value, err := fn(q)
		return orNothing(q, value, err)
	})), nil
}

// orNothing is an answer, or null if there is nothing to say.
func orNothing(q *question, value any, err error) (any, error) {
	if nothing(q, err) {
		return nil, nil
	}
	return value, err
}

// checkText makes sure that the workspace has the text the client asks about (V0).
func (q *question) checkText() error {
	if q.doc == nil || !q.s.host.handles(q.uri) {
		return nil
	}
	has, err := q.root.ws.Digest(q.t, q.uri)
	if err != nil {
		return err
	}
	if has != q.doc.Digest() {
		if err := q.s.host.overlays.failure(q.s.id, q.uri); err != nil {
			return err
		}
		return errModified("another client has other unsaved text in " + q.uri)
	}
	q.remember(q.uri, q.doc.Mapper())
	return nil
}

// offset returns the byte offset of a position in the document.
func (q *question) offset(p protocol.Position) (int, error) {
	m, err := q.mapper(q.uri)
	if err != nil {
		return 0, err
	}
	at, err := m.Offset(p, q.s.agreed.Load().encoding)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", q.uri, err)
	}
	return at, nil
}

// mapper returns the line index of a file's text in the question's snapshot.
func (q *question) mapper(name string) (*position.Mapper, error) {
	if m, ok := q.mappers[name]; ok {
		return m, nil
	}
	text, err := q.root.ws.Text(q.t, name)
	if err != nil {
		return nil, err
	}
	m := position.NewMapper(text)
	q.remember(name, m)
	return m, nil
}

func (q *question) remember(name string, m *position.Mapper) {
	if q.mappers == nil {
		q.mappers = make(map[string]*position.Mapper)
	}
	q.mappers[name] = m
}

// rangeOf converts a span of a file.
func (q *question) rangeOf(name string, span lsp.Span) (protocol.Range, error) {
	if span == (lsp.Span{}) {
		return protocol.Range{}, nil // the start of a file, which need not be a text
	}
	m, err := q.mapper(name)
	if err != nil {
		return protocol.Range{}, err
	}
	r, err := m.Range(span.Start, span.End, q.s.agreed.Load().encoding)
	if err != nil {
		return protocol.Range{}, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

// spanOf converts a range of the document.
func (q *question) spanOf(r protocol.Range) (lsp.Span, error) {
	start, err := q.offset(r.Start)
	if err != nil {
		return lsp.Span{}, err
	}
	end, err := q.offset(r.End)
	if err != nil {
		return lsp.Span{}, err
	}
	if end < start {
		return lsp.Span{}, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "%s: a range that ends before it starts", q.uri)
	}
	return lsp.Span{Start: start, End: end}, nil
}

// locations converts places. One whose text cannot be had is left out, with a line in the
// log: the others are still worth something.
func (q *question) locations(list []lsp.Location) protocol.LocationSlice {
	out := make(protocol.LocationSlice, 0, len(list))
	for _, l := range list {
		r, err := q.rangeOf(l.URI, l.Span)
		if err != nil {
			q.s.log.Warn("server: a place that cannot be shown", "uri", l.URI, "start", l.Span.Start, "end", l.Span.End, "err", err)
			continue
		}
		out = append(out, protocol.Location{URI: q.s.foreign(l.URI), Range: r})
	}
	return out
}

// nothing reports whether an error means that there is nothing to say, which the protocol
// calls null.
func nothing(q *question, err error) bool {
	return errors.Is(err, lsp.ErrNoSymbol) || errors.Is(err, lsp.ErrUnknownFile) && !q.s.host.handles(q.uri)
}
