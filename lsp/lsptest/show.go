package lsptest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/lsp/lsptest/editor"
	"github.com/cytisus/cytisus/lsp/position"
)

// A place is a range of a file as the protocol writes it.
type place struct {
	URI   string
	Range protocol.Range
}

// shownRange is a range as readers count.
func shownRange(r protocol.Range) string {
	start := fmt.Sprintf("%d:%d", r.Start.Line+1, r.Start.Character+1)
	switch {
	case r.Start == r.End:
		return start
	case r.Start.Line == r.End.Line:
		return fmt.Sprintf("%s-%d", start, r.End.Character+1)
	}
	return fmt.Sprintf("%s-%d:%d", start, r.End.Line+1, r.End.Character+1)
}

// showRange is a range with the first line of what stands there.
func (p *player) showRange(u string, r protocol.Range) string {
	shown := p.name(u) + ":" + shownRange(r)
	text, err := p.Text(editor.Path(u))
	if err != nil {
		return shown
	}
	m := position.NewMapper([]byte(text))
	start, end, err := m.Offsets(r, position.UTF8)
	if err != nil {
		return shown + "  " + err.Error()
	}
	// What is published may still be about an older text, where the line was longer.
	lineStart, _, err := m.Offsets(protocol.Range{Start: protocol.Position{Line: r.Start.Line}, End: r.End}, position.UTF8)
	if err != nil {
		return shown + "  " + err.Error()
	}
	lineEnd := lineStart + len(m.Line(int(r.Start.Line)))
	inside, after := text[start:min(end, lineEnd)], ""
	if end <= lineEnd {
		after = "»" + text[end:lineEnd]
	}
	return shown + "  " + strings.TrimLeft(text[lineStart:start], " \t") + "«" + inside + after
}

// list joins the lines of an answer.
func list(lines []string) string {
	if len(lines) == 0 {
		return "none"
	}
	return strings.Join(lines, "\n")
}

// showEdit shows what a change of the workspace changes, given the texts before it by path; those
// that are missing are looked up.
func (p *player) showEdit(w *editor.WorkspaceEdit, before map[string]string) (string, error) {
	p.proposed = w
	texts := maps.Clone(before)
	if texts == nil {
		texts = map[string]string{}
	}
	var lines []string
	for _, step := range w.Steps() {
		switch step.Kind {
		case "create":
			lines = append(lines, "create "+p.name(step.URI))
			texts[editor.Path(step.URI)] = ""
			continue
		case "rename":
			lines = append(lines, "rename "+p.name(step.OldURI)+" to "+p.name(step.NewURI))
			if text, err := p.textOf(texts, editor.Path(step.OldURI)); err == nil {
				texts[editor.Path(step.NewURI)] = text
			}
			continue
		case "delete":
			lines = append(lines, "delete "+p.name(step.URI))
			continue
		}
		path := editor.Path(step.TextDocument.URI)
		text, err := p.textOf(texts, path)
		if err != nil {
			return "", err
		}
		changed, err := editor.Apply(text, step.Edits)
		if err != nil {
			return "", fmt.Errorf("%s: %w", p.name(step.TextDocument.URI), err)
		}
		texts[path] = changed
		if diff := changedLines(p.name(step.TextDocument.URI), text, changed); diff != "" {
			lines = append(lines, diff)
		}
	}
	return list(lines), nil
}

func (p *player) textOf(texts map[string]string, path string) (string, error) {
	if text, ok := texts[path]; ok {
		return text, nil
	}
	return p.Text(path)
}

// snapshot are the texts of all files, by path.
func (p *player) snapshot() map[string]string {
	texts := map[string]string{}
	_ = filepath.WalkDir(p.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if raw, err := os.ReadFile(path); err == nil {
				texts[path] = string(raw)
			}
		}
		return nil
	})
	for _, path := range p.OpenFiles() {
		texts[path], _ = p.Text(path)
	}
	return texts
}

// showEdits shows edits of one file.
func (p *player) showEdits(path string, edits []editor.TextEdit) (string, error) {
	return p.showEdit(&editor.WorkspaceEdit{Changes: map[string][]editor.TextEdit{editor.URI(path): edits}}, nil)
}

// A markup is text that may be marked up: a string, or an object with a value.
type markup string

func (m *markup) UnmarshalJSON(raw []byte) error {
	if raw[0] == '[' {
		var all []markup
		err := json.Unmarshal(raw, &all)
		for i, one := range all {
			if i > 0 {
				*m += "\n"
			}
			*m += one
		}
		return err
	}
	if raw[0] == '"' {
		var s string
		err := json.Unmarshal(raw, &s)
		*m = markup(s)
		return err
	}
	var o struct{ Value string }
	err := json.Unmarshal(raw, &o)
	*m = markup(o.Value)
	return err
}

// plain shows any answer: as JSON, with a range written as readers count, and one line for what
// fits on it.
func (p *player) plain(answer string) (string, error) {
	if answer == "" || answer == "null" {
		return "nothing", nil
	}
	dec := json.NewDecoder(strings.NewReader(answer))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "", fmt.Errorf("%w: %s", err, answer)
	}
	var out strings.Builder
	p.writeValue(&out, v, "")
	return out.String(), nil
}

// lineMax is how long the value of a member may become on one line.
const lineMax = 100

func (p *player) writeValue(out *strings.Builder, v any, indent string) {
	if short := p.oneLine(v); len(indent)+len(short) <= lineMax {
		out.WriteString(short)
		return
	}
	inner := indent + "  "
	switch v := v.(type) {
	case map[string]any:
		out.WriteString("{\n")
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out.WriteString(inner + key + ": ")
			p.writeValue(out, v[key], inner)
			out.WriteString("\n")
		}
		out.WriteString(indent + "}")
	case []any:
		out.WriteString("[\n")
		for _, one := range v {
			out.WriteString(inner)
			p.writeValue(out, one, inner)
			out.WriteString("\n")
		}
		out.WriteString(indent + "]")
	default:
		out.WriteString(p.oneLine(v))
	}
}

func (p *player) oneLine(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if r, ok := asRange(v); ok {
			return shownRange(r)
		}
		var members []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			members = append(members, key+": "+p.oneLine(v[key]))
		}
		return "{" + strings.Join(members, ", ") + "}"
	case []any:
		items := make([]string, len(v))
		for i, one := range v {
			items[i] = p.oneLine(one)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case string:
		if strings.HasPrefix(v, "file://") {
			return p.name(v)
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // it came from JSON
	return strings.TrimSpace(out.String())
}

// asRange reads a range or a position.
func asRange(v map[string]any) (r protocol.Range, ok bool) {
	raw, err := json.Marshal(v)
	if err != nil {
		return r, false
	}
	if _, isPosition := v["line"]; isPosition && len(v) == 2 && json.Unmarshal(raw, &r.Start) == nil {
		r.End = r.Start
		return r, true
	}
	_, start := v["start"].(map[string]any)
	_, end := v["end"].(map[string]any)
	return r, start && end && len(v) == 2 && json.Unmarshal(raw, &r) == nil
}
