package lsptest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/lsptest/editor"
)

// A completionItem is one as the protocol writes it.
type completionItem struct {
	Label, Detail, SortText, InsertText string
	Kind                                int
	LabelDetails                        struct{ Detail, Description string }
	Documentation                       markup
	Deprecated, Preselect               bool
	Tags                                []int
	TextEdit                            *struct {
		NewText         string
		Range           *protocol.Range
		Insert, Replace *protocol.Range
	}
	TextEditText        string
	AdditionalTextEdits []editor.TextEdit
	raw                 json.RawMessage
}

// completionKinds are the names of the kinds that the protocol numbers.
var completionKinds = strings.Split(",text,method,function,constructor,field,variable,class,interface,module,property,unit,value,enum,"+
	"keyword,snippet,color,file,reference,folder,enum member,constant,struct,event,operator,type parameter", ",")

// edits are what accepting the item changes at a place; a snippet is inserted as it is written.
func (c *completionItem) edits(at spot, defaultRange *protocol.Range) []editor.TextEdit {
	edit := editor.TextEdit{NewText: cmp.Or(c.InsertText, c.Label)}
	switch {
	case c.TextEdit != nil && c.TextEdit.Range != nil:
		edit = editor.TextEdit{Range: *c.TextEdit.Range, NewText: c.TextEdit.NewText}
	case c.TextEdit != nil && c.TextEdit.Replace != nil:
		edit = editor.TextEdit{Range: *c.TextEdit.Replace, NewText: c.TextEdit.NewText}
	case defaultRange != nil:
		edit = editor.TextEdit{Range: *defaultRange, NewText: cmp.Or(c.TextEditText, c.Label)}
	default:
		raw, _ := json.Marshal(editor.Position(at.text, at.start)) // numbers
		_ = json.Unmarshal(raw, &edit.Range.Start)
		edit.Range.End = edit.Range.Start
	}
	return append([]editor.TextEdit{edit}, c.AdditionalTextEdits...)
}

// inserted is the text that accepting the item puts at the caret.
func (c *completionItem) inserted() string {
	if c.TextEdit != nil {
		return c.TextEdit.NewText
	}
	return cmp.Or(c.TextEditText, c.InsertText, c.Label)
}

func (c *completionItem) String() string {
	line := c.Label + c.LabelDetails.Detail
	if c.Kind > 0 && c.Kind < len(completionKinds) {
		line += "  (" + completionKinds[c.Kind] + ")"
	}
	for _, more := range []string{c.Detail, c.LabelDetails.Description} {
		if more != "" {
			line += "  " + more
		}
	}
	if text := c.inserted(); text != c.Label {
		line += fmt.Sprintf("  inserts %q", text)
	}
	if len(c.AdditionalTextEdits) > 0 {
		line += "  with more edits"
	}
	if c.Deprecated || slices.Contains(c.Tags, 1) {
		line += "  deprecated"
	}
	if c.Preselect {
		line += "  preselected"
	}
	return line
}

func (p *player) completion(args []string) (string, error) {
	at, rest, err := p.point(args)
	if err != nil {
		return "", err
	}
	var answer json.RawMessage
	if err := p.ask("textDocument/completion", editor.AboutPlace(at.path, at.text, at.start), &answer); err != nil {
		return "", err
	}
	var found struct {
		IsIncomplete bool
		ItemDefaults struct{ EditRange json.RawMessage }
		Items        []json.RawMessage
	}
	switch {
	case string(answer) == "null":
		return "nothing", nil
	case answer[0] == '[':
		err = json.Unmarshal(answer, &found.Items)
	default:
		err = json.Unmarshal(answer, &found)
	}
	items := make([]completionItem, len(found.Items))
	for i, raw := range found.Items {
		if err == nil {
			err = json.Unmarshal(raw, &items[i])
		}
		items[i].raw = raw
	}
	if err != nil {
		return "", err
	}
	slices.SortStableFunc(items, func(a, b completionItem) int {
		return cmp.Compare(cmp.Or(a.SortText, a.Label), cmp.Or(b.SortText, b.Label))
	})
	if len(rest) >= 2 {
		return p.oneCompletion(at, items, defaultRange(found.ItemDefaults.EditRange), rest[0], rest[1])
	}
	most, err := count(rest)
	if err != nil {
		return "", err
	}
	var lines []string
	for i := range items {
		if most > 0 && i == most {
			lines = append(lines, "…")
			break
		}
		lines = append(lines, items[i].String())
	}
	if found.IsIncomplete {
		lines = append(lines, "(there are more)")
	}
	return list(lines), nil
}

// defaultRange is the range that items without one of their own replace.
func defaultRange(raw json.RawMessage) *protocol.Range {
	var both struct {
		Start, End *protocol.Position
		Replace    *protocol.Range
	}
	if raw == nil || json.Unmarshal(raw, &both) != nil {
		return nil
	}
	if both.Start != nil && both.End != nil {
		return &protocol.Range{Start: *both.Start, End: *both.End}
	}
	return both.Replace
}

// oneCompletion resolves or accepts an item.
func (p *player) oneCompletion(at spot, items []completionItem, replaced *protocol.Range, verb, label string) (string, error) {
	i := slices.IndexFunc(items, func(c completionItem) bool { return c.Label == label })
	if i < 0 {
		return "", fmt.Errorf("there is no item %q", label)
	}
	c := items[i]
	err := p.ask("completionItem/resolve", c.raw, &c)
	if _, err = refused("", err); err != nil { // a server need not resolve
		return "", err
	}
	switch verb {
	case "accept":
		return p.showEdits(at.path, c.edits(at, replaced))
	case "resolve":
		return strings.TrimSpace(c.String() + "\n" + string(c.Documentation)), nil
	}
	return "", fmt.Errorf("%s is neither resolve nor accept", verb)
}

func (p *player) prepareRename(args []string) (string, error) {
	at, _, err := p.point(args)
	if err != nil {
		return "", err
	}
	var found *struct {
		Start, End      *protocol.Position
		Range           protocol.Range
		Placeholder     string
		DefaultBehavior bool
	}
	err = p.ask("textDocument/prepareRename", editor.AboutPlace(at.path, at.text, at.start), &found)
	switch {
	case err != nil:
		return "", err
	case found == nil:
		return "nothing", nil
	case found.DefaultBehavior:
		return "the name at the place", nil
	case found.Start != nil && found.End != nil:
		found.Range = protocol.Range{Start: *found.Start, End: *found.End}
	}
	shown := p.showRange(editor.URI(at.path), found.Range)
	if found.Placeholder != "" {
		shown += "  " + found.Placeholder
	}
	return shown, nil
}

func (p *player) rename(args []string) (string, error) {
	at, rest, err := p.point(args)
	if err != nil {
		return "", err
	}
	if len(rest) != 1 {
		return "", fmt.Errorf("it takes a place and a name")
	}
	params := editor.AboutPlace(at.path, at.text, at.start)
	params["newName"] = rest[0]
	return p.askEdit("textDocument/rename", params)
}

// askEdit asks what is answered with a change of the workspace.
func (p *player) askEdit(method string, params any) (string, error) {
	var w *editor.WorkspaceEdit
	if err := p.ask(method, params, &w); err != nil {
		return "", err
	}
	if w == nil {
		return "nothing", nil
	}
	return p.showEdit(w, nil)
}

func (p *player) renameFile(args []string) (string, error) {
	if len(args) != 2 {
		return "", fmt.Errorf("it takes two names")
	}
	return p.askEdit("workspace/willRenameFiles", map[string]any{"files": []any{
		map[string]string{"oldUri": editor.URI(p.path(args[0])), "newUri": editor.URI(p.path(args[1]))},
	}})
}

// rangeOf is a range as the protocol writes it.
func (s spot) rangeOf() map[string]any {
	return map[string]any{"start": editor.Position(s.text, s.start), "end": editor.Position(s.text, s.end)}
}

func (p *player) codeAction(args []string) (string, error) {
	at, rest, err := p.spot(args)
	if err != nil {
		return "", err
	}
	pulled, err := p.pull()
	if err != nil {
		return "", err
	}
	wrong := []json.RawMessage{}
	for _, raw := range pulled[editor.URI(at.path)] {
		var d diagnosed
		if err := json.Unmarshal(raw, &d); err != nil {
			return "", err
		}
		start, end, err := offsets(at.text, d.Range)
		if err != nil {
			return "", err
		}
		if start <= at.end && at.start <= end {
			wrong = append(wrong, raw)
		}
	}
	about := map[string]any{"diagnostics": wrong, "triggerKind": 1}
	if len(rest) == 1 || len(rest) == 3 {
		about["only"] = rest[len(rest)-1:]
	}
	params := editor.About(at.path)
	params["range"], params["context"] = at.rangeOf(), about
	var found []json.RawMessage
	if err := p.ask("textDocument/codeAction", params, &found); err != nil {
		return "", err
	}
	var lines []string
	for _, raw := range found {
		var a codeAction
		if err := json.Unmarshal(raw, &a); err != nil {
			return "", err
		}
		if len(rest) >= 2 && a.Title == rest[1] {
			return p.perform(a, raw)
		}
		line := a.Title
		if a.Kind != "" {
			line += "  (" + a.Kind + ")"
		}
		if a.IsPreferred {
			line += "  preferred"
		}
		if a.Disabled != nil {
			line += "  not here: " + a.Disabled.Reason
		}
		lines = append(lines, line)
	}
	if len(rest) >= 2 {
		return "", fmt.Errorf("there is no action %q; there are\n%s", rest[1], list(lines))
	}
	return list(lines), nil
}

// A codeAction is one as the protocol writes it.
type codeAction struct {
	Title, Kind string
	IsPreferred bool
	Disabled    *struct{ Reason string }
	Edit        *editor.WorkspaceEdit
	Command     json.RawMessage
}

// perform shows what an action changes, and runs its command.
func (p *player) perform(a codeAction, raw json.RawMessage) (string, error) {
	if a.Edit == nil && a.Command == nil {
		if err := p.ask("codeAction/resolve", raw, &a); err != nil {
			return "", err
		}
	}
	var shown []string
	if a.Edit != nil {
		diff, err := p.showEdit(a.Edit, nil)
		if err != nil {
			return "", err
		}
		shown = append(shown, diff)
	}
	if a.Command != nil {
		var c serverCommand
		if json.Unmarshal(a.Command, &c) != nil { // the action is a command itself
			if err := json.Unmarshal(raw, &c); err != nil {
				return "", err
			}
		}
		answer, err := p.execute(&c)
		if err != nil {
			return "", err
		}
		shown = append(shown, answer)
	}
	return list(shown), nil
}

// askEdits asks what is answered with edits of one file.
func (p *player) askEdits(method, path string, params map[string]any) (string, error) {
	var edits []editor.TextEdit
	params["options"] = map[string]any{"tabSize": 4, "insertSpaces": false}
	if err := p.ask(method, params, &edits); err != nil {
		return "", err
	}
	return p.showEdits(path, edits)
}

func (p *player) format(args []string) (string, error) {
	path, err := p.file(args)
	if err != nil {
		return "", err
	}
	return p.askEdits("textDocument/formatting", path, editor.About(path))
}

func (p *player) formatRange(args []string) (string, error) {
	at, _, err := p.spot(args)
	if err != nil {
		return "", err
	}
	params := editor.About(at.path)
	params["range"] = at.rangeOf()
	return p.askEdits("textDocument/rangeFormatting", at.path, params)
}

func (p *player) formatOnType(args []string) (string, error) {
	at, rest, err := p.point(args)
	if err != nil {
		return "", err
	}
	if len(rest) != 1 {
		return "", fmt.Errorf("it takes a place and a character")
	}
	params := editor.AboutPlace(at.path, at.text, at.start)
	params["ch"] = strings.ReplaceAll(rest[0], `\n`, "\n")
	return p.askEdits("textDocument/onTypeFormatting", at.path, params)
}
