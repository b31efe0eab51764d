package server

import (
	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// renames are textDocument/rename and textDocument/prepareRename.
var renames = feature{
	offered: offers[lsp.Renamer],
	announce: func(out *protocol.ServerCapabilities, _ lsp.Workspace, c capabilities) {
		out.RenameProvider = protocol.Boolean(true)
		if c.prepareRename {
			yes := true
			out.RenameProvider = &protocol.RenameOptions{PrepareProvider: &yes}
		}
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentPrepareRename: positional(s, lane.RPC2,
				func(p *protocol.PrepareRenameParams) protocol.TextDocumentPositionParams {
					return p.TextDocumentPositionParams
				}, prepareRename),
			protocol.MethodTextDocumentRename: positional(s, lane.RPC3,
				func(p *protocol.RenameParams) protocol.TextDocumentPositionParams {
					return p.TextDocumentPositionParams
				}, rename),
		}
	},
}

func prepareRename(q *question, at int, _ *protocol.PrepareRenameParams) (any, error) {
	span, name, err := q.root.ws.(lsp.Renamer).RenameTarget(q.t, q.uri, at)
	if err != nil {
		return nil, err
	}
	r, err := q.rangeOf(q.uri, span)
	return &protocol.PrepareRenamePlaceholder{Range: r, Placeholder: name}, err
}

func rename(q *question, at int, p *protocol.RenameParams) (any, error) {
	edit, err := q.root.ws.(lsp.Renamer).Rename(q.t, q.uri, at, p.NewName)
	if err != nil || edit.IsEmpty() {
		return nil, err
	}
	return q.workspaceEdit(edit)
}
