package server

import (
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// callHierarchy is the call hierarchy: what is asked about, and then whom it calls, or who calls
// it.
var callHierarchy = feature{
	offered: offers[lsp.CallHierarchy],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, _ capabilities) {
		out.CallHierarchyProvider = protocol.Boolean(true)
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentPrepareCallHierarchy: positional(s, lane.RPC2,
				func(p *protocol.CallHierarchyPrepareParams) protocol.TextDocumentPositionParams {
					return p.TextDocumentPositionParams
				},
				func(q *question, at int, _ *protocol.CallHierarchyPrepareParams) (any, error) {
					return hierarchyItems(q, at, q.root.ws.(lsp.CallHierarchy).Callables, q.callItem)
				}),
			protocol.MethodCallHierarchyIncomingCalls: positional(s, lane.RPC3,
				func(p *protocol.CallHierarchyIncomingCallsParams) protocol.TextDocumentPositionParams {
					return itemPosition(&p.Item)
				}, incomingCalls),
			protocol.MethodCallHierarchyOutgoingCalls: positional(s, lane.RPC3,
				func(p *protocol.CallHierarchyOutgoingCallsParams) protocol.TextDocumentPositionParams {
					return itemPosition(&p.Item)
				}, outgoingCalls),
		}
	},
}

// typeHierarchy is the type hierarchy: what is asked about, and then what it implements, or what
// implements it.
var typeHierarchy = feature{
	offered: offers[lsp.TypeHierarchy],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, _ capabilities) {
		out.TypeHierarchyProvider = protocol.Boolean(true)
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		position := func(i *protocol.TypeHierarchyItem) protocol.TextDocumentPositionParams {
			return itemPosition(&protocol.CallHierarchyItem{URI: i.URI, SelectionRange: i.SelectionRange})
		}
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentPrepareTypeHierarchy: positional(s, lane.RPC2,
				func(p *protocol.TypeHierarchyPrepareParams) protocol.TextDocumentPositionParams {
					return p.TextDocumentPositionParams
				},
				func(q *question, at int, _ *protocol.TypeHierarchyPrepareParams) (any, error) {
					return hierarchyItems(q, at, q.root.ws.(lsp.TypeHierarchy).Types, q.typeItem)
				}),
			protocol.MethodTypeHierarchySupertypes: positional(s, lane.RPC3,
				func(p *protocol.TypeHierarchySupertypesParams) protocol.TextDocumentPositionParams {
					return position(&p.Item)
				},
				func(q *question, at int, _ *protocol.TypeHierarchySupertypesParams) (any, error) {
					return hierarchyItems(q, at, q.root.ws.(lsp.TypeHierarchy).Supertypes, q.typeItem)
				}),
			protocol.MethodTypeHierarchySubtypes: positional(s, lane.RPC3,
				func(p *protocol.TypeHierarchySubtypesParams) protocol.TextDocumentPositionParams {
					return position(&p.Item)
				},
				func(q *question, at int, _ *protocol.TypeHierarchySubtypesParams) (any, error) {
					return hierarchyItems(q, at, q.root.ws.(lsp.TypeHierarchy).Subtypes, q.typeItem)
				}),
		}
	},
}

// itemPosition is where the name of an item stands.
func itemPosition(i *protocol.CallHierarchyItem) protocol.TextDocumentPositionParams {
	return protocol.TextDocumentPositionParams{
		TextDocument: protocol.TextDocumentIdentifier{URI: i.URI}, Position: i.SelectionRange.Start,
	}
}

// hierarchyItems asks for items and converts them. Those whose text cannot be had are left out.
func hierarchyItems[T any](
	q *question, at int, ask func(*runtime.Task, string, int) ([]lsp.HierarchyItem, error), convert func(*lsp.HierarchyItem) (T, bool),
) (any, error) {
	list, err := ask(q.t, q.uri, at)
	if err != nil {
		return nil, err
	}
	out := make([]T, 0, len(list))
	for i := range list {
		if item, ok := convert(&list[i]); ok {
			out = append(out, item)
		}
	}
	return out, nil
}

func (q *question) callItem(i *lsp.HierarchyItem) (out protocol.CallHierarchyItem, ok bool) {
	at := q.locations([]lsp.Location{i.At})
	if len(at) == 0 {
		return out, false
	}
	out = protocol.CallHierarchyItem{
		Name: i.Name, Kind: protocol.SymbolKind(i.Kind), URI: at[0].URI, Range: at[0].Range, SelectionRange: at[0].Range,
	}
	if i.Detail != "" {
		out.Detail = &i.Detail
	}
	return out, true
}

func (q *question) typeItem(i *lsp.HierarchyItem) (protocol.TypeHierarchyItem, bool) {
	item, ok := q.callItem(i)
	return protocol.TypeHierarchyItem{
		Name: item.Name, Kind: item.Kind, Detail: item.Detail, URI: item.URI, Range: item.Range, SelectionRange: item.SelectionRange,
	}, ok
}

func incomingCalls(q *question, at int, _ *protocol.CallHierarchyIncomingCallsParams) (any, error) {
	list, err := q.root.ws.(lsp.CallHierarchy).IncomingCalls(q.t, q.uri, at)
	if err != nil {
		return nil, err
	}
	out := make([]protocol.CallHierarchyIncomingCall, 0, len(list))
	for _, c := range list {
		if item, ok := q.callItem(&c.Item); ok {
			out = append(out, protocol.CallHierarchyIncomingCall{From: item, FromRanges: q.ranges(c.Item.At.URI, c.Spans)})
		}
	}
	return out, nil
}

func outgoingCalls(q *question, at int, _ *protocol.CallHierarchyOutgoingCallsParams) (any, error) {
	list, err := q.root.ws.(lsp.CallHierarchy).OutgoingCalls(q.t, q.uri, at)
	if err != nil {
		return nil, err
	}
	out := make([]protocol.CallHierarchyOutgoingCall, 0, len(list))
	for _, c := range list {
		if item, ok := q.callItem(&c.Item); ok {
			out = append(out, protocol.CallHierarchyOutgoingCall{To: item, FromRanges: q.ranges(q.uri, c.Spans)})
		}
	}
	return out, nil
}

// ranges converts spans of a file.
func (q *question) ranges(uri string, spans []lsp.Span) []protocol.Range {
	out := make([]protocol.Range, 0, len(spans))
	for _, s := range spans {
		if r, err := q.rangeOf(uri, s); err == nil {
			out = append(out, r)
		}
	}
	return out
}
