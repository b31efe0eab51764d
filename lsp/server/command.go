package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/runtime/lane"
)

// ownCommands are what workspace/executeCommand runs of the server itself, under its name and a
// dot: each is also a request of its own, with the command's first argument for parameters.
var ownCommands = map[string]string{
	"stats":   MethodStats,
	"explain": MethodExplain,
	"reindex": MethodReindex,
	"settle":  MethodSettle,
}

// languageCommands are those of the language.
func (h *Host) languageCommands() []string {
	if c, ok := h.lang.Prototype().(lsp.Commander); ok {
		return c.Commands()
	}
	return nil
}

// commandNames are all that there are.
func (h *Host) commandNames() []string {
	names := slices.Clone(h.languageCommands())
	for name := range ownCommands {
		names = append(names, h.o.Name+"."+name)
	}
	slices.Sort(names)
	return names
}

// executeCommand answers workspace/executeCommand.
func (s *session) executeCommand(ctx context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	var p protocol.ExecuteCommandParams
	if err := r.Decode(&p); err != nil {
		return dispatch.Done, err
	}
	if slices.Contains(s.host.languageCommands(), p.Command) {
		return s.languageCommand(r, p)
	}
	own, _ := strings.CutPrefix(p.Command, s.host.o.Name+".")
	method, ok := ownCommands[own]
	if !ok {
		return dispatch.Done, jsonrpc2.Errorf(jsonrpc2.InvalidParams, "unknown command %q; there are %v", p.Command, s.host.commandNames())
	}
	inner := &dispatch.Request{Method: method, Ticket: r.Ticket}
	if len(p.Arguments) > 0 {
		inner.Params = p.Arguments[0]
	}
	return s.handlers()[method](ctx, inner)
}

// languageCommand runs a command of the language on the snapshot of this moment. The client makes
// the change and shows the place that it has come to, before the answer.
func (s *session) languageCommand(r *dispatch.Request, p protocol.ExecuteCommandParams) (dispatch.Outcome, error) {
	arguments := make([][]byte, len(p.Arguments))
	for i, a := range p.Arguments {
		arguments[i] = a
	}
	root, err := s.commandRoot(arguments)
	if err != nil {
		return dispatch.Done, err
	}
	type done struct {
		lsp.CommandResult
		edit *protocol.WorkspaceEdit
		show *protocol.Location
	}
	work := s.answer(r, &question{s: s, root: root}, lane.RPC3, func(q *question) (any, error) {
		result, err := root.ws.(lsp.Commander).Execute(q.t, p.Command, arguments)
		if err != nil {
			return nil, err
		}
		out := done{CommandResult: result}
		if !result.Edit.IsEmpty() {
			if out.edit, err = q.workspaceEdit(result.Edit); err != nil {
				return nil, err
			}
		}
		if result.Show != nil {
			if list := q.locations([]lsp.Location{*result.Show}); len(list) > 0 {
				out.show = &list[0]
			}
		}
		return out, nil
	})
	return dispatch.Later(s.withProgress(p.WorkDoneToken, p.Command, root, func(ctx context.Context) (any, error) {
		value, err := work(ctx)
		if err != nil {
			return nil, err
		}
		result := value.(done)
		if err := s.makeEdit(ctx, result.Title, result.edit); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Command, err)
		}
		s.showDocument(ctx, result.show)
		if result.Message != "" {
			kind := protocol.MessageTypeInfo
			if result.Failed {
				kind = protocol.MessageTypeWarning
			}
			s.tell(kind, true, s.host.o.Name+": "+result.Message)
		}
		if result.Value == nil {
			return nil, nil
		}
		return json.RawMessage(result.Value), nil
	})), nil
}

// commandRoot is the root that the first argument of a command lies in, or else the first.
func (s *session) commandRoot(arguments [][]byte) (*root, error) {
	if len(arguments) > 0 {
		var name string
		if json.Unmarshal(arguments[0], &name) != nil {
			var about struct {
				URI string `json:"uri"`
			}
			_ = json.Unmarshal(arguments[0], &about) // anything else is about no file
			name = about.URI
		}
		if name, err := s.canonical(uri.URI(name)); err == nil && isFile(name) {
			if root := s.rootOf(name); root != nil {
				return root, nil
			}
		}
	}
	if roots := s.roots(); len(roots) > 0 {
		return roots[0], nil
	}
	return nil, jsonrpc2.Errorf(dispatch.RequestFailed, "no workspace is open that the command could be about")
}

// makeEdit has the client make a change; nil is none.
func (s *session) makeEdit(ctx context.Context, title string, edit *protocol.WorkspaceEdit) error {
	if edit == nil {
		return nil
	}
	if !s.agreed.Load().caps.applyEdit {
		return errors.New("the client makes no changes for a server")
	}
	params := &protocol.ApplyWorkspaceEditParams{Edit: *edit}
	if title != "" {
		params.Label = &title
	}
	var result protocol.ApplyWorkspaceEditResult
	if err := s.conn.Call(ctx, protocol.MethodWorkspaceApplyEdit, params, &result); err != nil {
		return err
	}
	if result.Applied {
		return nil
	}
	if result.FailureReason != nil {
		return fmt.Errorf("the client has not made the change: %s", *result.FailureReason)
	}
	return errors.New("the client has not made the change")
}

// showDocument has the client show a place, if it can; nil is none.
func (s *session) showDocument(ctx context.Context, at *protocol.Location) {
	if at == nil || !s.agreed.Load().caps.showDocument {
		return
	}
	focus := true
	params := &protocol.ShowDocumentParams{URI: at.URI, TakeFocus: &focus, Selection: &at.Range}
	if err := s.conn.Call(ctx, protocol.MethodWindowShowDocument, params, nil); err != nil && ctx.Err() == nil {
		s.log.Warn("server: the client does not show a document", "uri", string(at.URI), "err", err)
	}
}
