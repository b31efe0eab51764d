package markers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

// renamed is what the files are with the name at the first argument replaced by the second.
func (m *mark) renamed(ctx context.Context) (map[string]string, error) {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return nil, err
	}
	params := at.position()
	params["newName"] = m.string(1)
	var answer workspaceEdit
	if err := m.run.ask(ctx, protocol.MethodTextDocumentRename, params, &answer); err != nil {
		return nil, err
	}
	return m.run.changed(answer)
}

func rename(ctx context.Context, m *mark) error {
	want, err := m.golden(m.arg(2))
	if err != nil {
		return err
	}
	got, err := m.renamed(ctx)
	if err != nil {
		return err
	}
	return m.run.checkDiffs(got, want)
}

// renameErr checks that a renaming is refused. The words are a matter of taste.
func renameErr(ctx context.Context, m *mark) error {
	got, err := m.renamed(ctx)
	if err == nil {
		return fmt.Errorf("got %d changed files, wanted an error like %v", len(got), m.arg(2))
	}
	return m.refused(m.arg(2), err)
}

// prepareRename compares the name that is offered. Refusing with an error where nothing is wanted
// is a matter of taste.
func prepareRename(ctx context.Context, m *mark) error {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return err
	}
	var answer *struct {
		Range       protocol.Range
		Placeholder string
		Start, End  protocol.Position // of an answer that is a range alone
	}
	err = m.run.ask(ctx, protocol.MethodTextDocumentPrepareRename, at.position(), &answer)
	want := m.string(1)
	if want == "" {
		switch _, refused := errors.AsType[*refusal](err); {
		case refused:
			return taste(fmt.Errorf("got an error, wanted null: %w", err))
		case err != nil:
			return err
		case answer != nil:
			return fmt.Errorf("got %+v, wanted null", *answer)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if answer == nil {
		return fmt.Errorf("got null, wanted %q", want)
	}
	if answer.Placeholder == "" && answer.End != (protocol.Position{}) {
		answer.Range = protocol.Range{Start: answer.Start, End: answer.End}
		if answer.Placeholder, err = m.textOf(answer.Range); err != nil {
			return err
		}
	}
	if answer.Placeholder != want {
		return fmt.Errorf("got %q, wanted %q", answer.Placeholder, want)
	}
	if span, ok := m.note.named["span"]; ok {
		l, err := m.locate(span)
		if err != nil {
			return err
		}
		if l.rang != answer.Range {
			got := location{l.path, answer.Range}
			return fmt.Errorf("the range is %s, not %s", m.run.show(got), m.run.show(l))
		}
	}
	return nil
}

// format compares the formatted file, or the message of an error, whose words are a matter of
// taste.
func format(ctx context.Context, m *mark) error {
	want, err := m.one(m.arg(0))
	if err != nil {
		return err
	}
	params := m.document()
	params["options"] = map[string]any{"tabSize": 8, "insertSpaces": false}
	var edits []editor.TextEdit
	err = m.run.ask(ctx, protocol.MethodTextDocumentFormatting, params, &edits)
	if refused, ok := errors.AsType[*refusal](err); ok {
		differs := sameText(refused.message, want)
		if differs != nil && strings.Count(want, "\n") <= 1 {
			return taste(differs)
		}
		return differs
	}
	if err != nil {
		return err
	}
	got, err := editor.Edited(m.run.archive.files[m.note.file], edits)
	if err != nil {
		return err
	}
	return sameText(got, want)
}

// An action is a CodeAction.
type action struct {
	Title, Kind string
	Edit        *workspaceEdit
	Command     json.RawMessage
	Disabled    *struct{ Reason string }

	raw json.RawMessage
}

// action asks for the one action of a kind.
func (m *mark) action(ctx context.Context, at location, kind string, about *shown) (*action, error) {
	diagnostics := []any{}
	if about != nil {
		diagnostics = append(diagnostics, about.raw)
	}
	params := map[string]any{
		"textDocument": map[string]any{"uri": string(uri.File(at.path))}, "range": at.rang,
		"context": map[string]any{"only": []any{""}, "diagnostics": diagnostics},
	}
	var raws []json.RawMessage
	if err := m.run.ask(ctx, protocol.MethodTextDocumentCodeAction, params, &raws); err != nil {
		return nil, err
	}
	var found []*action
	var others []string
	for _, raw := range raws {
		a, err := decoded[action](raw)
		if err != nil {
			return nil, err
		}
		a.raw = raw
		if a.Kind == kind && a.Disabled == nil {
			found = append(found, &a)
		}
		others = append(others, fmt.Sprintf("%s %q", a.Kind, a.Title))
	}
	if len(found) != 1 {
		return nil, &refusal{fmt.Sprintf(
			"found %d CodeActions of kind %s for this diagnostic, want 1; all:%s",
			len(found), kind, column(others),
		)}
	}
	a := found[0]
	if a.Edit == nil && m.resolves() {
		var raw json.RawMessage
		if err := m.run.ask(ctx, protocol.MethodCodeActionResolve, a.raw, &raw); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, a); err != nil {
			return nil, err
		}
		a.raw = raw
	}
	return a, nil
}

// resolves reports whether actions are asked for their edits: server and client must both want it.
func (m *mark) resolves() bool {
	options, err := decoded[struct{ ResolveProvider bool }](m.run.client.Capabilities["codeActionProvider"])
	if err != nil || !options.ResolveProvider {
		return false
	}
	raw, err := json.Marshal(overlaid(editor.Capabilities(), m.run.archive.capabilities))
	if err != nil {
		return false
	}
	client, err := decoded[struct {
		TextDocument struct {
			CodeAction struct{ ResolveSupport struct{ Properties []string } }
		}
	}](raw)
	return err == nil && len(client.TextDocument.CodeAction.ResolveSupport.Properties) > 0
}

// applied is what the files are after an action, of which a command asks for edits.
func (m *mark) applied(ctx context.Context, a *action) (map[string]string, error) {
	m.run.asked() // what was asked before is no effect of this one
	if a.Edit != nil {
		return m.run.changed(*a.Edit)
	}
	if len(a.Command) == 0 || string(a.Command) == "null" {
		return nil, fmt.Errorf("the action %q has neither an edit nor a command", a.Title)
	}
	command, err := decoded[struct {
		Command   string
		Arguments []json.RawMessage
	}](a.Command)
	if err != nil {
		return nil, err
	}
	params := map[string]any{"command": command.Command, "arguments": command.Arguments}
	if err := m.run.ask(ctx, protocol.MethodWorkspaceExecuteCommand, params, nil); err != nil {
		return nil, err
	}
	return m.run.changed(m.run.asked()...)
}

// codeAction compares what an action does, or what it is.
func codeAction(ctx context.Context, m *mark) error {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return err
	}
	if end, ok := m.note.named["end"]; ok {
		l, err := m.locate(end)
		if err != nil {
			return err
		}
		at.rang.End = l.rang.End
	}
	var about *shown
	if pattern, ok := m.note.named["diag"]; ok {
		re, err := patternOf(pattern)
		if err != nil {
			return err
		}
		if about, err = m.run.take(at, re, false); err != nil {
			return errors.New(err.Error()) // no action, so no matter of taste
		}
	}
	var got map[string]string
	a, err := m.action(ctx, at, m.string(1), about)
	if golden, ok := m.note.named["action"]; ok && err == nil {
		return m.sameAction(a, golden)
	}
	if err == nil {
		got, err = m.applied(ctx, a)
	}
	if wanted, ok := m.note.named["err"]; ok {
		return m.refused(wanted, err)
	}
	if err != nil {
		return err
	}
	if title, ok := m.note.named["title"]; ok {
		return m.matches(title, a.Title)
	}
	if edit, ok := m.note.named["edit"]; ok {
		want, err := m.golden(edit)
		if err != nil {
			return err
		}
		return m.run.checkDiffs(got, want)
	}
	want, err := m.golden(m.note.named["result"])
	if err != nil {
		return err
	}
	return checkFiles(got, want)
}

// sameAction compares an action as JSON. If title and kind are right, the rest is a matter of
// taste: commands are each server's own.
func (m *mark) sameAction(a *action, golden any) error {
	want, err := m.one(golden)
	if err != nil {
		return err
	}
	root := string(uri.File(m.run.dir))
	raw := bytes.ReplaceAll(a.raw, []byte(root), []byte("$WORKDIR"))
	g, err := decoded[any](raw)
	if err != nil {
		return err
	}
	w, err := decoded[any]([]byte(want))
	if err != nil || reflect.DeepEqual(g, w) {
		return err
	}
	differs := fmt.Errorf("got %s\nwanted %s", raw, want)
	other, err := decoded[action]([]byte(want))
	if err == nil && other.Title == a.Title && other.Kind == a.Kind {
		return taste(differs)
	}
	return differs
}

// fixed asks for the one quick fix of a diagnostic, and what it does.
func (m *mark) fixed(ctx context.Context) (map[string]string, error) {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return nil, err
	}
	re, err := patternOf(m.arg(1))
	if err != nil {
		return nil, err
	}
	about, err := m.run.take(at, re, false)
	if err != nil {
		return nil, errors.New(err.Error()) // no fix, so no matter of taste
	}
	a, err := m.action(ctx, location{at.path, about.Range}, "quickfix", about)
	if err != nil {
		return nil, err
	}
	return m.applied(ctx, a)
}

func quickFix(ctx context.Context, m *mark) error {
	want, err := m.golden(m.arg(2))
	if err != nil {
		return err
	}
	got, err := m.fixed(ctx)
	if err != nil {
		return err
	}
	return m.run.checkDiffs(got, want)
}

func quickFixErr(ctx context.Context, m *mark) error {
	_, err := m.fixed(ctx)
	return m.refused(m.arg(2), err)
}
