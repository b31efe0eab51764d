package server

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// actions are textDocument/codeAction and codeAction/resolve. A client that can resolve edits gets
// the titles alone: most edits are never asked for.
var actions = feature{
	offered: offers[lsp.Actor],
	announce: func(out *protocol.ServerCapabilities, of lsp.Workspace, c capabilities) {
		if !c.actions.literals {
			out.CodeActionProvider = protocol.Boolean(true)
			return
		}
		options := &protocol.CodeActionOptions{ResolveProvider: &c.actions.resolve}
		for _, kind := range of.(lsp.Actor).ActionKinds() {
			options.CodeActionKinds = append(options.CodeActionKinds, protocol.CodeActionKind(kind))
		}
		out.CodeActionProvider = options
	},
	handlers: func(s *session) map[string]dispatch.Handler {
		return map[string]dispatch.Handler{
			protocol.MethodTextDocumentCodeAction: s.codeAction,
			protocol.MethodCodeActionResolve:      s.resolveAction,
		}
	},
}

// actionSupport is what of actions a client understands.
type actionSupport struct {
	literals bool // actions, not only commands
	resolve  bool // of their edits
	prefers  bool
}

func readActions(c *protocol.CodeActionClientCapabilities) (out actionSupport) {
	if c == nil {
		return out
	}
	out.literals = c.CodeActionLiteralSupport.CodeActionKind.ValueSet != nil
	out.resolve = is(c.DataSupport) && slices.Contains(c.ResolveSupport.Properties, "edit")
	out.prefers = is(c.IsPreferredSupport)
	return out
}

// An actionData finds an action again: the same kind and title, asked of the same text.
type actionData struct {
	URI   uri.URI        `json:"uri"`
	Range protocol.Range `json:"range"`
	Title string         `json:"title"`
	Kind  string         `json:"kind"`
	Of    lsp.Digest     `json:"of"`
}

// codeAction answers textDocument/codeAction. To a client that takes commands only nothing is
// offered.
func (s *session) codeAction(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.CodeActionParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	can := s.agreed.Load().caps.actions
	if !can.literals {
		return dispatch.Now([]protocol.CodeAction{}), nil
	}
	return s.aboutFile(r, p.TextDocument, lane.RPC3, func(q *question) (any, error) {
		found, err := q.actions(p.Range, p.Context.Only, p.Context.TriggerKind == protocol.CodeActionTriggerKindAutomatic)
		if err != nil {
			return nil, err
		}
		of, err := q.root.ws.Digest(q.t, q.uri)
		if err != nil {
			return nil, err
		}
		out := make([]protocol.CodeAction, 0, len(found))
		for _, a := range found {
			kind := protocol.CodeActionKind(a.Kind)
			action := protocol.CodeAction{Title: a.Title, Kind: &kind, Diagnostics: mended(p.Context.Diagnostics, q, a.Mends)}
			if a.Preferred && can.prefers {
				action.IsPreferred = &a.Preferred
			}
			if can.resolve {
				action.Data, err = json.Marshal(actionData{p.TextDocument.URI, p.Range, a.Title, a.Kind, of})
			} else {
				action.Edit, err = q.actionEdit(a)
				if errors.Is(err, errFilesOfClient) || err != nil && len(found) > 1 {
					continue // that one cannot be made; it is no reason to refuse the others
				}
			}
			if err != nil {
				return nil, err
			}
			if can.resolve || action.Edit != nil {
				out = append(out, action)
			}
		}
		return out, nil
	})
}

// resolveAction answers codeAction/resolve.
func (s *session) resolveAction(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.CodeAction
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	var d actionData
	if err := json.Unmarshal(p.Data, &d); err != nil || d.Title == "" {
		return dispatch.Done, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "the action has not come from this server")
	}
	return s.aboutFile(r, protocol.TextDocumentIdentifier{URI: d.URI}, lane.RPC3, func(q *question) (any, error) {
		of, err := q.root.ws.Digest(q.t, q.uri)
		if err != nil {
			return nil, err
		}
		if of != d.Of {
			return nil, errModified("the text has changed since the action was offered")
		}
		found, err := q.actions(d.Range, []protocol.CodeActionKind{protocol.CodeActionKind(d.Kind)}, false)
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			if a.Title == d.Title && a.Kind == d.Kind {
				p.Edit, err = q.actionEdit(a)
				return &p, err
			}
		}
		return nil, errModified("the action is not offered any more")
	})
}

func (q *question) actions(r protocol.Range, only []protocol.CodeActionKind, automatic bool) ([]lsp.Action, error) {
	span, err := q.spanOf(r)
	if err != nil {
		return nil, err
	}
	request := lsp.ActionRequest{URI: q.uri, Span: span, Automatic: automatic}
	for _, kind := range only {
		if kind != "" {
			request.Only = append(request.Only, string(kind))
		}
	}
	return q.root.ws.(lsp.Actor).Actions(q.t, request)
}

// actionEdit is the change of an action; nil if there is nothing to do.
func (q *question) actionEdit(a lsp.Action) (*protocol.WorkspaceEdit, error) {
	edit, err := a.Edit(q.t)
	if err != nil || edit.IsEmpty() {
		return nil, err
	}
	return q.workspaceEdit(edit)
}

// mended are those of the diagnostics of a client that an action mends.
func mended(shown []protocol.Diagnostic, q *question, mends []lsp.Diagnostic) (out []protocol.Diagnostic) {
	for _, d := range mends {
		r, err := q.rangeOf(q.uri, d.Span)
		if err != nil {
			continue
		}
		for _, had := range shown {
			if text, ok := had.Message.(protocol.String); ok && had.Range == r && string(text) == d.Message {
				out = append(out, had)
			}
		}
	}
	return out
}
