package server

import (
	"cmp"
	"context"
	"slices"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// symbolsMax is how many symbols one search returns: more than anybody reads, fewer than a
// client takes long to show.
const symbolsMax = 256

// workspaceSymbol answers workspace/symbol over all folders, best matches first.
func (s *session) workspaceSymbol(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.WorkspaceSymbolParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	roots := s.roots()
	if len(roots) == 0 {
		return dispatch.Now(protocol.SymbolInformationSlice{}), nil
	}
	q := &question{s: s, root: roots[0]}
	return dispatch.Later(s.withProgress(p.WorkDoneToken, "Symbols", roots[0], s.answer(r, q, lane.RPC3, func(q *question) (any, error) {
		type match struct {
			lsp.SymbolMatch
			root *root
		}
		var all []match
		for _, root := range roots {
			list, err := root.ws.FindSymbols(q.t, p.Query, symbolsMax)
			if err != nil {
				return nil, err
			}
			for _, m := range list {
				all = append(all, match{m, root})
			}
		}
		slices.SortStableFunc(all, func(a, b match) int { return cmp.Compare(b.Score, a.Score) })
		all = all[:min(len(all), symbolsMax)]
		out := make(protocol.SymbolInformationSlice, 0, len(all))
		for i := range all {
			q.root = all[i].root
			place := q.locations([]lsp.Location{all[i].Location})
			if len(place) == 0 {
				continue
			}
			// Clients drop names that do not match the query: what matched goes before the name.
			info := protocol.SymbolInformation{
				BaseSymbolInformation: protocol.BaseSymbolInformation{Name: symbolName(all[i].Qualifier + all[i].Name), Kind: protocol.SymbolKind(all[i].Kind)},
				Location:              place[0],
			}
			if all[i].Container != "" {
				info.ContainerName = &all[i].Container
			}
			out = append(out, info)
		}
		if !s.agreed.Load().caps.workspaceSymbols {
			return out, nil
		}
		modern := make(protocol.WorkspaceSymbolSlice, len(out))
		for i := range out {
			modern[i] = protocol.WorkspaceSymbol{BaseSymbolInformation: out[i].BaseSymbolInformation, Location: &out[i].Location}
		}
		return modern, nil
	}))), nil
}

// roots returns the session's roots, each once.
func (s *session) roots() []*root {
	var out []*root
	for _, f := range s.folderList() {
		if !slices.Contains(out, f.root) {
			out = append(out, f.root)
		}
	}
	return out
}
