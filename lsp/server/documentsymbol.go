package server

import (
	"context"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// documentSymbol answers textDocument/documentSymbol: a tree if the client takes one, else
// a flat list.
func (s *session) documentSymbol(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.DocumentSymbolParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	q, err := s.about(p.TextDocument.URI)
	if err != nil {
		return dispatch.Done, err
	}
	return dispatch.Later(s.answer(r, q, lane.RPC3, func(q *question) (any, error) {
		list, err := q.root.ws.Symbols(q.t, q.uri)
		if nothing(q, err) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		if s.agreed.Load().caps.hierarchicalSymbols {
			return q.symbolTree(list)
		}
		return q.flatSymbols(make(protocol.SymbolInformationSlice, 0, len(list)), "", list)
	})), nil
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
