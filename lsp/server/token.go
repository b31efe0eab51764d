package server

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/position"
	"github.com/cytisus/cytisus/runtime/lane"
)

// tokenSupport is what a client knows of tokens.
type tokenSupport struct {
	types, modifiers []string
}

func readTokens(c *protocol.SemanticTokensClientCapabilities) (out tokenSupport) {
	if c != nil {
		out.types, out.modifiers = c.TokenTypes, c.TokenModifiers
	}
	return out
}

// A legend turns the language's numbers of types and modifiers into those of a client, which is not
// told of what it does not know.
type legend struct {
	types     []int    // by the language's number; -1: not told
	modifiers []uint32 // bits, by the language's number
	announced protocol.SemanticTokensLegend
}

func newLegend(l lsp.TokenLegend, can tokenSupport) (out legend) {
	out.announced = protocol.SemanticTokensLegend{TokenTypes: []string{}, TokenModifiers: []string{}}
	for _, name := range l.Types {
		at := -1
		if slices.Contains(can.types, name) {
			at = len(out.announced.TokenTypes)
			out.announced.TokenTypes = append(out.announced.TokenTypes, name)
		}
		out.types = append(out.types, at)
	}
	for _, name := range l.Modifiers {
		bit := uint32(0)
		if slices.Contains(can.modifiers, name) {
			bit = 1 << len(out.announced.TokenModifiers)
			out.announced.TokenModifiers = append(out.announced.TokenModifiers, name)
		}
		out.modifiers = append(out.modifiers, bit)
	}
	return out
}

// tokens is textDocument/semanticTokens.
var tokens = feature{
	offered: offers[lsp.Tokenizer],
	announce: func(out *protocol.ServerCapabilities, prototype lsp.Workspace, c capabilities) {
		if len(c.tokens.types) == 0 {
			return
		}
		yes := true
		out.SemanticTokensProvider = &protocol.SemanticTokensOptions{
			Legend: newLegend(prototype.(lsp.Tokenizer).TokenLegend(), c.tokens).announced,
			Full:   &protocol.SemanticTokensFullDelta{Delta: &yes}, Range: protocol.Boolean(true),
		}
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentSemanticTokensFull: tokenized(s,
				func(p *protocol.SemanticTokensParams) protocol.TextDocumentIdentifier { return p.TextDocument },
				func(q *question, _ *protocol.SemanticTokensParams, list tokenList) (any, error) {
					return q.tokensSince("", list)
				}),
			protocol.MethodTextDocumentSemanticTokensFullDelta: tokenized(s,
				func(p *protocol.SemanticTokensDeltaParams) protocol.TextDocumentIdentifier { return p.TextDocument },
				func(q *question, p *protocol.SemanticTokensDeltaParams, list tokenList) (any, error) {
					return q.tokensSince(p.PreviousResultID, list)
				}),
			protocol.MethodTextDocumentSemanticTokensRange: tokenized(s,
				func(p *protocol.SemanticTokensRangeParams) protocol.TextDocumentIdentifier { return p.TextDocument },
				func(q *question, p *protocol.SemanticTokensRangeParams, list tokenList) (any, error) {
					within, err := q.spanOf(p.Range)
					if err != nil {
						return nil, err
					}
					data, err := q.encodedTokens(list, within)
					return &protocol.SemanticTokens{Data: data}, err
				}),
		}
	},
}

// A tokenList gives the tokens of a part of the document.
type tokenList func(within lsp.Span) ([]lsp.Token, error)

// tokenized is the handler of a request for tokens. While the workspace is read for the first time
// they are made from the client's text alone, if the client can be asked to ask again.
func tokenized[T any](
	s *session, of func(*T) protocol.TextDocumentIdentifier, fn func(q *question, p *T, list tokenList) (any, error),
) dispatch.Handler {
	return func(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
		var p T
		if err := r.Decode(&p); err != nil {
			return dispatch.Done, err
		}
		q, err := s.about(of(&p).URI)
		if err != nil {
			return dispatch.Done, err
		}
		ws := q.root.ws.(lsp.Tokenizer)
		if q.doc != nil && s.host.handles(q.uri) && !q.root.ready.Load() &&
			slices.Contains(s.agreed.Load().caps.refreshes, protocol.MethodWorkspaceSemanticTokensRefresh) {
			return dispatch.Later(func(context.Context) (any, error) {
				q.remember(q.uri, q.doc.Mapper())
				return fn(q, &p, func(within lsp.Span) ([]lsp.Token, error) { return ws.PlainTokens(q.uri, q.doc.Text(), within), nil })
			}), nil
		}
		return dispatch.Later(s.answer(r, q, lane.RPC3, func(q *question) (any, error) {
			value, err := fn(q, &p, func(within lsp.Span) ([]lsp.Token, error) { return ws.Tokens(q.t, q.uri, within) })
			return orNothing(q, value, err)
		})), nil
	}
}

// encodedTokens are the tokens of a part of the document, as the protocol writes them. A token of
// several lines is several.
func (q *question) encodedTokens(list tokenList, within lsp.Span) ([]uint32, error) {
	found, err := list(within)
	if err != nil {
		return nil, err
	}
	m, err := q.mapper(q.uri)
	if err != nil {
		return nil, err
	}
	agreed := q.s.agreed.Load()
	legend := newLegend(q.root.ws.(lsp.Tokenizer).TokenLegend(), agreed.caps.tokens)
	e := tokenEncoder{m: m, encoding: agreed.encoding, data: make([]uint32, 0, 5*len(found))}
	for _, t := range found {
		kind := legend.types[t.Type]
		if kind < 0 {
			continue
		}
		modifiers := uint32(0)
		for i, bit := range legend.modifiers {
			if t.Modifiers&(1<<i) != 0 {
				modifiers |= bit
			}
		}
		if err := e.add(t.Span, uint32(kind), modifiers); err != nil {
			return nil, err
		}
	}
	return e.data, nil
}

// A tokenEncoder writes tokens, each relative to the one before it.
type tokenEncoder struct {
	m        *position.Mapper
	encoding position.Encoding
	last     protocol.Position
	data     []uint32
}

func (e *tokenEncoder) add(span lsp.Span, kind, modifiers uint32) error {
	r, err := e.m.Range(span.Start, span.End, e.encoding)
	if err != nil {
		return err
	}
	for line := r.Start.Line; line <= r.End.Line; line++ {
		start, end := protocol.Position{Line: line}, r.End
		if line == r.Start.Line {
			start = r.Start
		}
		if line < r.End.Line {
			at, err := e.m.Offset(start, e.encoding)
			if err != nil {
				return err
			}
			first, err := e.m.Offset(protocol.Position{Line: line}, e.encoding)
			if err != nil {
				return err
			}
			if end, err = e.m.Position(max(at, first+len(e.m.Line(int(line)))), e.encoding); err != nil {
				return err
			}
		}
		if end.Character <= start.Character {
			continue
		}
		behind := start.Character
		if start.Line == e.last.Line {
			behind -= e.last.Character
		}
		e.data = append(e.data, start.Line-e.last.Line, behind, end.Character-start.Character, kind, modifiers)
		e.last = start
	}
	return nil
}

// toldTokens are those that a client was told last of its open documents.
type toldTokens struct {
	mu    sync.Mutex
	count uint64                // guarded by mu
	told  map[string]toldAnswer // by URI; guarded by mu
}

type toldAnswer struct {
	id   string
	data []uint32
}

// tell keeps an answer and returns its id, and the answer before it.
func (t *toldTokens) tell(uri string, data []uint32) (id string, before toldAnswer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.told == nil {
		t.told = map[string]toldAnswer{}
	}
	t.count++
	id, before = strconv.FormatUint(t.count, 36), t.told[uri]
	t.told[uri] = toldAnswer{id, data}
	return id, before
}

// forget drops what was told of a document.
func (t *toldTokens) forget(uri string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.told, uri)
}

// tokensSince answers with all tokens, or with what has changed since an answer that the client
// names, if that is the last one. Of documents that are not open nothing is kept.
func (q *question) tokensSince(previous string, list tokenList) (any, error) {
	m, err := q.mapper(q.uri)
	if err != nil {
		return nil, err
	}
	data, err := q.encodedTokens(list, lsp.Span{End: len(m.Text())})
	if err != nil {
		return nil, err
	}
	if q.doc == nil {
		return &protocol.SemanticTokens{Data: data}, nil
	}
	id, before := q.s.told.tell(q.uri, data)
	if previous == "" || previous != before.id {
		return &protocol.SemanticTokens{ResultID: &id, Data: data}, nil
	}
	return &protocol.SemanticTokensDelta{ResultID: &id, Edits: tokenEdits(before.data, data)}, nil
}

// tokenEdits turn one list of numbers into another: one edit of what lies between the parts that
// are the same.
func tokenEdits(from, to []uint32) []protocol.SemanticTokensEdit {
	start, same := 0, 0
	for start < len(from) && start < len(to) && from[start] == to[start] {
		start++
	}
	for same < len(from)-start && same < len(to)-start && from[len(from)-1-same] == to[len(to)-1-same] {
		same++
	}
	if start+same == len(from) && len(from) == len(to) {
		return []protocol.SemanticTokensEdit{}
	}
	return []protocol.SemanticTokensEdit{{
		Start: uint32(start), DeleteCount: uint32(len(from) - start - same), Data: to[start : len(to)-same],
	}}
}
