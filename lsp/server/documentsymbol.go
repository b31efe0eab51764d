package server

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// An outliner is what a workspace may be besides a lsp.Workspace: it says what Symbols says of a
// file of the language with a text, from this text alone. It may be called from any goroutine, also
// while the workspace is read for the first time, and keeps the text, which does not change.
type outliner interface {
	Outline(uri string, text []byte) []lsp.Symbol
}

// documentSymbol answers textDocument/documentSymbol: a tree if the client takes one, else a flat
// list. The outline of an open document is made from the client's text where the language can do
// that. It is no task then, and waits neither for workers, which may be checking the package that
// an edit has changed, nor for the first scan.
func (s *session) documentSymbol(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.DocumentSymbolParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	q, err := s.about(p.TextDocument.URI)
	if err != nil {
		return dispatch.Done, err
	}
	if o, ok := q.root.ws.(outliner); ok && q.doc != nil && s.host.handles(q.uri) {
		return dispatch.Later(func(context.Context) (any, error) {
			q.remember(q.uri, q.doc.Mapper())
			return q.symbols(o.Outline(q.uri, q.doc.Text()))
		}), nil
	}
	return dispatch.Later(s.answer(r, q, lane.RPC3, func(q *question) (any, error) {
		list, err := q.root.ws.Symbols(q.t, q.uri)
		if nothing(q, err) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		return q.symbols(list)
	})), nil
}

// symbols converts an outline into what the client takes.
func (q *question) symbols(list []lsp.Symbol) (any, error) {
	if q.s.agreed.Load().caps.hierarchicalSymbols {
		return q.symbolTree(list)
	}
	return q.flatSymbols(make(protocol.SymbolInformationSlice, 0, len(list)), "", list)
}

func (q *question) symbolTree(list []lsp.Symbol) (protocol.DocumentSymbolSlice, error) {
	out := make(protocol.DocumentSymbolSlice, 0, len(list))
	for i := range list {
		sym := &list[i]
		whole, err := q.rangeOf(q.uri, sym.Span)
		if err != nil {
			return nil, err
		}
		name, err := q.rangeOf(q.uri, sym.NameSpan)
		if err != nil {
			return nil, err
		}
		children, err := q.symbolTree(sym.Children)
		if err != nil {
			return nil, err
		}
		node := protocol.DocumentSymbol{Name: symbolName(sym.Name), Kind: protocol.SymbolKind(sym.Kind), Range: whole, SelectionRange: name, Children: children}
		if sym.Detail != "" {
			node.Detail = &sym.Detail
		}
		out = append(out, node)
	}
	return out, nil
}

func (q *question) flatSymbols(out protocol.SymbolInformationSlice, container string, list []lsp.Symbol) (protocol.SymbolInformationSlice, error) {
	for i := range list {
		sym := &list[i]
		whole, err := q.rangeOf(q.uri, sym.Span)
		if err != nil {
			return nil, err
		}
		info := protocol.SymbolInformation{
			BaseSymbolInformation: protocol.BaseSymbolInformation{Name: symbolName(sym.Name), Kind: protocol.SymbolKind(sym.Kind)},
			Location:              protocol.Location{URI: q.s.foreign(q.uri), Range: whole},
		}
		if container != "" {
			info.ContainerName = &container
		}
		if out, err = q.flatSymbols(append(out, info), sym.Name, sym.Children); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// symbolName keeps a name from being empty, which clients reject together with the whole
// answer.
func symbolName(name string) string {
	if name == "" {
		return "_"
	}
	return name
}
