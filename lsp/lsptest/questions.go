package lsptest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/lsptest/editor"
	"github.com/cytisus/cytisus/lsp/position"
	"github.com/cytisus/cytisus/lsp/server"
)

// askPlaces asks what is answered with places.
func (p *player) askPlaces(method string, args []string) (string, error) {
	at, _, err := p.point(args)
	if err != nil {
		return "", err
	}
	params := editor.AboutPlace(at.path, at.text, at.start)
	params["context"] = map[string]bool{"includeDeclaration": true}
	var raw json.RawMessage
	if err := p.ask(method, params, &raw); err != nil {
		return "", err
	}
	if string(raw) == "null" {
		return "nothing", nil
	}
	if raw[0] == '{' {
		raw = slices.Concat([]byte("["), raw, []byte("]"))
	}
	var found []struct {
		URI                  string
		Range                protocol.Range
		Kind                 int
		TargetURI            string
		TargetSelectionRange protocol.Range
	}
	if err := json.Unmarshal(raw, &found); err != nil {
		return "", err
	}
	var lines []string
	for _, f := range found {
		kind := ""
		switch {
		case f.TargetURI != "":
			f.URI, f.Range = f.TargetURI, f.TargetSelectionRange
		case f.URI == "":
			f.URI = editor.URI(at.path)
			kind = map[int]string{2: "  read", 3: "  write"}[f.Kind]
		}
		lines = append(lines, p.showRange(f.URI, f.Range)+kind)
	}
	return list(lines), nil
}

func (p *player) hover(args []string) (string, error) {
	at, _, err := p.point(args)
	if err != nil {
		return "", err
	}
	var h *struct {
		Contents markup
		Range    *protocol.Range
	}
	err = p.ask("textDocument/hover", editor.AboutPlace(at.path, at.text, at.start), &h)
	switch {
	case err != nil:
		return "", err
	case h == nil:
		return "nothing", nil
	case h.Range == nil:
		return string(h.Contents), nil
	}
	return p.showRange(editor.URI(at.path), *h.Range) + "\n" + string(h.Contents), nil
}

func (p *player) signature(args []string) (string, error) {
	at, rest, err := p.point(args)
	if err != nil {
		return "", err
	}
	var help *struct {
		Signatures []struct {
			Label         string
			Documentation markup
			Parameters    []struct {
				Label         json.RawMessage
				Documentation markup
			}
			ActiveParameter *int
		}
		ActiveSignature, ActiveParameter *int
	}
	question := editor.AboutPlace(at.path, at.text, at.start)
	if slices.Contains(rest, "asked") {
		question["context"] = protocol.SignatureHelpContext{TriggerKind: protocol.SignatureHelpTriggerKindInvoked}
	}
	if err := p.ask("textDocument/signatureHelp", question, &help); err != nil {
		return "", err
	}
	if help == nil {
		return "nothing", nil
	}
	var lines []string
	for i, s := range help.Signatures {
		isActive := help.ActiveSignature == nil && i == 0 || help.ActiveSignature != nil && *help.ActiveSignature == i
		active := help.ActiveParameter
		if s.ActiveParameter != nil {
			active = s.ActiveParameter
		}
		label, doc := s.Label, string(s.Documentation)
		if isActive && active != nil && *active >= 0 && *active < len(s.Parameters) {
			start, end, err := parameterSpan(s.Label, s.Parameters[*active].Label)
			if err != nil {
				return "", err
			}
			label = label[:start] + "«" + label[start:end] + "»" + label[end:]
			doc = strings.TrimSpace(string(s.Parameters[*active].Documentation) + "\n" + doc)
		}
		if isActive && len(help.Signatures) > 1 {
			label = "* " + label
		}
		lines = append(lines, label)
		if doc != "" {
			lines = append(lines, doc)
		}
	}
	return list(lines), nil
}

// parameterSpan is where a parameter stands in a signature: its label is a part of that, or two
// offsets in UTF-16 code units.
func parameterSpan(signature string, label json.RawMessage) (start, end int, err error) {
	var offsets [2]int
	if json.Unmarshal(label, &offsets) == nil {
		at, units := [2]int{len(signature), len(signature)}, 0
		for i, r := range signature {
			for k := range at {
				if units == offsets[k] {
					at[k] = i
				}
			}
			units += len([]rune{r})
			if r > 0xffff {
				units++
			}
		}
		if at[0] > at[1] || offsets[1] > units {
			return 0, 0, fmt.Errorf("%v is no part of the signature %q", offsets, signature)
		}
		return at[0], at[1], nil
	}
	var part string
	if err := json.Unmarshal(label, &part); err != nil {
		return 0, 0, err
	}
	start = strings.Index(signature, part)
	if start < 0 {
		return 0, 0, fmt.Errorf("%q is no part of the signature %q", part, signature)
	}
	return start, start + len(part), nil
}

func (p *player) selection(args []string) (string, error) {
	at, _, err := p.point(args)
	if err != nil {
		return "", err
	}
	type nested struct {
		Range  protocol.Range
		Parent *nested
	}
	params := editor.About(at.path)
	params["positions"] = []any{editor.Position(at.text, at.start)}
	var found []*nested
	if err := p.ask("textDocument/selectionRange", params, &found); err != nil {
		return "", err
	}
	var lines []string
	for _, n := range found {
		for ; n != nil; n = n.Parent {
			lines = append(lines, p.showRange(editor.URI(at.path), n.Range))
		}
	}
	return list(lines), nil
}

func (p *player) linked(args []string) (string, error) {
	at, _, err := p.point(args)
	if err != nil {
		return "", err
	}
	var found *struct{ Ranges []protocol.Range }
	if err := p.ask("textDocument/linkedEditingRange", editor.AboutPlace(at.path, at.text, at.start), &found); err != nil {
		return "", err
	}
	if found == nil {
		return "nothing", nil
	}
	var lines []string
	for _, r := range found.Ranges {
		lines = append(lines, p.showRange(editor.URI(at.path), r))
	}
	return list(lines), nil
}

func (p *player) folding(args []string) (string, error) {
	path, err := p.file(args)
	if err != nil {
		return "", err
	}
	var found []struct {
		StartLine, EndLine           int
		StartCharacter, EndCharacter *int
		Kind, CollapsedText          string
	}
	if err := p.ask("textDocument/foldingRange", editor.About(path), &found); err != nil {
		return "", err
	}
	text, err := p.Text(path)
	if err != nil {
		return "", err
	}
	all := strings.Split(text, "\n")
	var lines []string
	for _, f := range found {
		column := func(n *int) string {
			if n == nil {
				return ""
			}
			return fmt.Sprintf(":%d", *n+1)
		}
		line := fmt.Sprintf("%d%s-%d%s", f.StartLine+1, column(f.StartCharacter), f.EndLine+1, column(f.EndCharacter))
		if f.Kind != "" {
			line += " " + f.Kind
		}
		if f.StartLine < len(all) {
			line += "  " + strings.TrimSpace(all[f.StartLine])
		}
		if f.CollapsedText != "" {
			line += "  " + f.CollapsedText
		}
		lines = append(lines, line)
	}
	return list(lines), nil
}

func (p *player) links(args []string) (string, error) {
	path, err := p.file(args)
	if err != nil {
		return "", err
	}
	var found []json.RawMessage
	if err := p.ask("textDocument/documentLink", editor.About(path), &found); err != nil {
		return "", err
	}
	type link struct {
		Range           protocol.Range
		Target, Tooltip string
	}
	var lines []string
	for _, raw := range found {
		var l link
		if err := json.Unmarshal(raw, &l); err != nil {
			return "", err
		}
		if l.Target == "" {
			if err := p.ask("documentLink/resolve", raw, &l); err != nil {
				return "", err
			}
		}
		line := p.showRange(editor.URI(path), l.Range) + "  to " + p.name(l.Target)
		if l.Tooltip != "" {
			line += "  " + l.Tooltip
		}
		lines = append(lines, line)
	}
	return list(lines), nil
}

func (p *player) lenses(args []string) (string, error) {
	path, err := p.file(args)
	if err != nil {
		return "", err
	}
	var found []json.RawMessage
	if err := p.ask("textDocument/codeLens", editor.About(path), &found); err != nil {
		return "", err
	}
	type lens struct {
		Range   protocol.Range
		Command *serverCommand
	}
	var lines []string
	for _, raw := range found {
		var l lens
		if err := json.Unmarshal(raw, &l); err != nil {
			return "", err
		}
		if l.Command == nil {
			if err := p.ask("codeLens/resolve", raw, &l); err != nil {
				return "", err
			}
		}
		line := p.showRange(editor.URI(path), l.Range)
		if l.Command != nil {
			line += "  " + l.Command.Title + "  " + l.Command.Command
			if l.Command.Arguments != nil {
				shown, err := p.plain(string(l.Command.Arguments))
				if err != nil {
					return "", err
				}
				line += " " + shown
			}
		}
		lines = append(lines, line)
	}
	return list(lines), nil
}

func (p *player) hints(args []string) (string, error) {
	path, err := p.file(args)
	if err != nil {
		return "", err
	}
	text, err := p.Text(path)
	if err != nil {
		return "", err
	}
	params := editor.About(path)
	params["range"] = map[string]any{"start": editor.Position(text, 0), "end": editor.Position(text, len(text))}
	var found []struct {
		Position                  protocol.Position
		Label                     json.RawMessage
		PaddingLeft, PaddingRight bool
		Tooltip                   markup
	}
	if err := p.ask("textDocument/inlayHint", params, &found); err != nil {
		return "", err
	}
	all := strings.Split(text, "\n")
	var lines []string
	for _, h := range found {
		label, err := hintLabel(h.Label)
		if err != nil {
			return "", err
		}
		if h.PaddingLeft {
			label = " " + label
		}
		if h.PaddingRight {
			label += " "
		}
		line, column := "", int(h.Position.Character)
		if int(h.Position.Line) < len(all) {
			line = all[h.Position.Line]
		}
		if column > len(line) {
			return "", fmt.Errorf("a hint stands behind the end of line %d", h.Position.Line+1)
		}
		lines = append(lines, fmt.Sprintf("%d:%d  %s«%s»%s", h.Position.Line+1, column+1, strings.TrimLeft(line[:column], " \t"), label, line[column:]))
	}
	return list(lines), nil
}

// hintLabel is a label as a whole, which may come in parts.
func hintLabel(raw json.RawMessage) (string, error) {
	var label string
	if json.Unmarshal(raw, &label) == nil {
		return label, nil
	}
	var parts []struct{ Value string }
	err := json.Unmarshal(raw, &parts)
	for _, part := range parts {
		label += part.Value
	}
	return label, err
}

func (p *player) symbols(args []string) (string, error) {
	path, err := p.file(args)
	if err != nil {
		return "", err
	}
	type symbol struct {
		Name, Detail          string
		Kind                  lsp.SymbolKind
		Range, SelectionRange protocol.Range
		Children              []symbol
	}
	var found []symbol
	if err := p.ask("textDocument/documentSymbol", editor.About(path), &found); err != nil {
		return "", err
	}
	var lines []string
	var walk func(list []symbol, indent string)
	walk = func(list []symbol, indent string) {
		for _, s := range list {
			line := fmt.Sprintf("%s%v %s", indent, s.Kind, s.Name)
			if s.Detail != "" {
				line += "  " + s.Detail
			}
			lines = append(lines, fmt.Sprintf("%s  %s (%s)", line, shownRange(s.SelectionRange), shownRange(s.Range)))
			walk(s.Children, indent+"  ")
		}
	}
	walk(found, "")
	return list(lines), nil
}

func (p *player) find(args []string) (string, error) {
	var found []struct {
		Name, ContainerName string
		Kind                lsp.SymbolKind
		Location            place
	}
	if err := p.ask("workspace/symbol", map[string]string{"query": strings.Join(args, " ")}, &found); err != nil {
		return "", err
	}
	var lines []string
	for _, s := range found {
		line := fmt.Sprintf("%v %s", s.Kind, s.Name)
		if s.ContainerName != "" {
			line += " in " + s.ContainerName
		}
		lines = append(lines, fmt.Sprintf("%s  %s:%s", line, p.name(s.Location.URI), shownRange(s.Location.Range)))
	}
	return list(lines), nil
}

// An item is one of a hierarchy.
type item struct {
	Name, Detail, URI string
	Kind              lsp.SymbolKind
	SelectionRange    protocol.Range
}

func (p *player) showItem(i item) string {
	line := fmt.Sprintf("%v %s", i.Kind, i.Name)
	if i.Detail != "" {
		line += "  " + i.Detail
	}
	return line + "  " + p.name(i.URI) + ":" + shownRange(i.SelectionRange)
}

// hierarchy asks for the items at a place.
func (p *player) hierarchy(method string, args []string) (items []json.RawMessage, at spot, err error) {
	if len(args) == 0 {
		return nil, spot{}, fmt.Errorf("it names no direction")
	}
	if at, _, err = p.point(args[1:]); err != nil {
		return nil, spot{}, err
	}
	err = p.ask(method, editor.AboutPlace(at.path, at.text, at.start), &items)
	return items, at, err
}

func (p *player) calls(args []string) (string, error) {
	items, _, err := p.hierarchy("textDocument/prepareCallHierarchy", args)
	if err != nil {
		return "", err
	}
	method, ok := map[string]string{"in": "callHierarchy/incomingCalls", "out": "callHierarchy/outgoingCalls"}[args[0]]
	if !ok {
		return "", fmt.Errorf("%s is no direction", args[0])
	}
	var lines []string
	for _, raw := range items {
		var of item
		if err := json.Unmarshal(raw, &of); err != nil {
			return "", err
		}
		lines = append(lines, p.showItem(of))
		var found []struct {
			From, To   *item
			FromRanges []protocol.Range
		}
		if err := p.ask(method, map[string]any{"item": raw}, &found); err != nil {
			return "", err
		}
		for _, c := range found {
			other, in := c.From, c.From
			if other == nil {
				other, in = c.To, &of
			}
			lines = append(lines, "  "+p.showItem(*other))
			for _, r := range c.FromRanges {
				lines = append(lines, "    "+p.showRange(in.URI, r))
			}
		}
	}
	return list(lines), nil
}

func (p *player) types(args []string) (string, error) {
	items, _, err := p.hierarchy("textDocument/prepareTypeHierarchy", args)
	if err != nil {
		return "", err
	}
	method, ok := map[string]string{"super": "typeHierarchy/supertypes", "sub": "typeHierarchy/subtypes"}[args[0]]
	if !ok {
		return "", fmt.Errorf("%s is no direction", args[0])
	}
	var lines []string
	for _, raw := range items {
		var of item
		if err := json.Unmarshal(raw, &of); err != nil {
			return "", err
		}
		lines = append(lines, p.showItem(of))
		var found []item
		if err := p.ask(method, map[string]any{"item": raw}, &found); err != nil {
			return "", err
		}
		for _, i := range found {
			lines = append(lines, "  "+p.showItem(i))
		}
	}
	return list(lines), nil
}

// A diagnosed is a diagnostic as the protocol writes it.
type diagnosed struct {
	Range              protocol.Range
	Severity           lsp.Severity
	Code               any
	Source, Message    string
	Tags               []int
	RelatedInformation []struct {
		Location place
		Message  string
	}
}

// pull asks for what is wrong with a file, once nothing changes by itself.
func (p *player) pull() (byURI map[string][]json.RawMessage, err error) {
	p.Must(server.MethodSettle, nil)
	var report struct {
		Items []struct {
			URI   string
			Items []json.RawMessage
		}
	}
	if err := p.ask("workspace/diagnostic", map[string]any{"previousResultIds": []any{}}, &report); err != nil {
		return nil, err
	}
	byURI = map[string][]json.RawMessage{}
	for _, f := range report.Items {
		byURI[f.URI] = f.Items
	}
	for _, path := range p.OpenFiles() { // also those outside of the folder
		var one struct{ Items []json.RawMessage }
		if err := p.ask("textDocument/diagnostic", editor.About(path), &one); err != nil {
			return nil, err
		}
		byURI[editor.URI(path)] = one.Items
	}
	return byURI, nil
}

// diagnostics shows what is wrong. What has been published must become the same.
func (p *player) diagnostics(args []string) (string, error) {
	pulled, err := p.pull()
	if err != nil {
		return "", err
	}
	only := ""
	if len(args) > 0 {
		only = editor.URI(p.path(args[0]))
	}
	want, err := p.showDiagnostics(pulled, only)
	if err != nil {
		return "", err
	}
	got := ""
	same := p.AwaitUntil(func() bool {
		got, err = p.showDiagnostics(p.Published(), only)
		return err != nil || got == want
	})
	if !same || err != nil {
		return "", fmt.Errorf("the server answers\n%s\nbut has published\n%s\n%w", want, got, err)
	}
	return want, nil
}

func (p *player) showDiagnostics(byURI map[string][]json.RawMessage, only string) (string, error) {
	type shown struct {
		uri  string
		at   protocol.Position
		line string
	}
	var all []shown
	for u, list := range byURI {
		if only != "" && u != only {
			continue
		}
		for _, raw := range list {
			var d diagnosed
			if err := json.Unmarshal(raw, &d); err != nil {
				return "", err
			}
			all = append(all, shown{u, d.Range.Start, p.showDiagnostic(u, d)})
		}
	}
	slices.SortFunc(all, func(a, b shown) int {
		return cmp.Or(cmp.Compare(a.uri, b.uri), cmp.Compare(a.at.Line, b.at.Line), cmp.Compare(a.at.Character, b.at.Character), cmp.Compare(a.line, b.line))
	})
	lines := make([]string, len(all))
	for i, s := range all {
		lines[i] = s.line
	}
	return list(lines), nil
}

func (p *player) showDiagnostic(u string, d diagnosed) string {
	by := d.Source
	if d.Code != nil {
		by += fmt.Sprintf("(%v)", d.Code)
	}
	line := fmt.Sprintf("%s\n  %v %s: %s", p.showRange(u, d.Range), d.Severity, by, d.Message)
	for _, tag := range d.Tags {
		line += map[int]string{1: " [unnecessary]", 2: " [deprecated]"}[tag]
	}
	for _, r := range d.RelatedInformation {
		line += "\n  " + p.showRange(r.Location.URI, r.Location.Range) + "\n    " + r.Message
	}
	return line
}

// offsets are the ends of a range in a text.
func offsets(text string, r protocol.Range) (start, end int, err error) {
	return position.NewMapper([]byte(text)).Offsets(r, position.UTF8)
}
