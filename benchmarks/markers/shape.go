package markers

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

// tokens compares the type and the modifiers of the one token in a range.
func tokens(ctx context.Context, m *mark) error {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return err
	}
	options, err := decoded[struct {
		Legend struct{ TokenTypes, TokenModifiers []string }
	}](m.run.client.Capabilities["semanticTokensProvider"])
	if err != nil {
		return err
	}
	var answer struct{ Data []uint32 }
	params := m.document()
	params["range"] = at.rang
	if err := m.run.ask(ctx, "textDocument/semanticTokens/range", params, &answer); err != nil {
		return err
	}
	if n := len(answer.Data) / 5; n != 1 {
		return fmt.Errorf("%d tokens, wanted 1", n)
	}
	if int(answer.Data[3]) >= len(options.Legend.TokenTypes) {
		return fmt.Errorf("type %d, which the legend lacks", answer.Data[3])
	}
	got := options.Legend.TokenTypes[answer.Data[3]]
	var modifiers []string
	for i, name := range options.Legend.TokenModifiers {
		if answer.Data[4]&(1<<i) != 0 {
			modifiers = append(modifiers, name)
		}
	}
	if got != m.string(1) {
		return fmt.Errorf("got %s %q, wanted %s %q", got, modifiers, m.string(1), m.string(2))
	}
	want := strings.Fields(m.string(2))
	slices.Sort(want)
	slices.Sort(modifiers)
	if !slices.Equal(modifiers, want) {
		return taste(fmt.Errorf("got %s with %q, wanted %q", got, modifiers, want))
	}
	return nil
}

// inserted compares the marker's file with texts inserted into it. How often the golden text
// differs in those is all that counts.
func (m *mark) inserted(edits []editor.TextEdit, golden any) error {
	want, err := m.one(golden)
	if err != nil {
		return err
	}
	got, err := editor.Edited(m.run.archive.files[m.note.file], edits)
	if err != nil {
		return err
	}
	return sameText(got, want)
}

func inlayHints(ctx context.Context, m *mark) error {
	text := m.run.archive.files[m.note.file]
	params := m.document()
	params["range"] = protocol.Range{End: editor.Position(text, len(text))}
	var answer []struct {
		Position                  protocol.Position
		Label                     json.RawMessage
		PaddingLeft, PaddingRight bool
	}
	if err := m.run.ask(ctx, "textDocument/inlayHint", params, &answer); err != nil {
		return err
	}
	var edits []editor.TextEdit
	for _, h := range answer {
		label, err := decoded[string](h.Label)
		if err != nil {
			parts, err := decoded[[]struct{ Value string }](h.Label)
			if err != nil {
				return err
			}
			for _, p := range parts {
				label += p.Value
			}
		}
		if h.PaddingLeft {
			label = " " + label
		}
		if h.PaddingRight {
			label += " "
		}
		at := protocol.Range{Start: h.Position, End: h.Position}
		edits = append(edits, editor.TextEdit{Range: at, NewText: "<" + label + ">"})
	}
	return m.inserted(edits, m.arg(0))
}

func foldingRanges(ctx context.Context, m *mark) error {
	var answer []struct {
		StartLine, EndLine           uint32
		StartCharacter, EndCharacter *uint32
		Kind                         string
	}
	if err := m.run.ask(ctx, protocol.MethodTextDocumentFoldingRange, m.document(), &answer); err != nil {
		return err
	}
	lines := strings.Split(m.run.archive.files[m.note.file], "\n")
	var edits []editor.TextEdit
	insert := func(line uint32, character *uint32, text string) {
		at := protocol.Position{Line: line}
		if character != nil {
			at.Character = *character
		} else if int(line) < len(lines) {
			at.Character = uint32(len(lines[line]))
		}
		edits = append(edits, editor.TextEdit{Range: protocol.Range{Start: at, End: at}, NewText: text})
	}
	for i, f := range answer {
		insert(f.StartLine, f.StartCharacter, fmt.Sprintf("<%d kind=%q>", i, f.Kind))
		insert(f.EndLine, f.EndCharacter, fmt.Sprintf("</%d>", i))
	}
	return m.inserted(edits, m.arg(0))
}

// A selection is a SelectionRange.
type selection struct {
	Range  protocol.Range
	Parent *selection
}

func selectionRanges(ctx context.Context, m *mark) error {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return err
	}
	want, err := m.one(m.arg(1))
	if err != nil {
		return err
	}
	params := m.document()
	params["positions"] = []any{at.rang.Start}
	var answer []*selection
	if err := m.run.ask(ctx, "textDocument/selectionRange", params, &answer); err != nil {
		return err
	}
	var b strings.Builder
	for i, s := range answer {
		fmt.Fprintf(&b, "Ranges %d:", i)
		for ; s != nil; s = s.Parent {
			text, err := m.textOf(s.Range)
			if err != nil {
				return err
			}
			if len(text) >= 30 {
				text = text[:15] + "..." + text[len(text)-15:]
			}
			fmt.Fprintf(&b, "\n\t%d:%d-%d:%d %q", s.Range.Start.Line, s.Range.Start.Character,
				s.Range.End.Line, s.Range.End.Character, strings.ReplaceAll(text, "\n", "\\n"))
		}
		b.WriteByte('\n')
	}
	return sameText(b.String(), want)
}

// codeLenses compares the lenses of a file with those that markers named codelens in it tell.
func codeLenses(ctx context.Context, m *mark) error {
	var answer []json.RawMessage
	if err := m.run.ask(ctx, protocol.MethodTextDocumentCodeLens, m.document(), &answer); err != nil {
		return err
	}
	var got, want []string
	line := func(r protocol.Range, title string) string {
		return m.run.show(location{m.path(), r}) + " " + title
	}
	type lens struct {
		Range   protocol.Range
		Command *struct{ Title string }
	}
	for _, raw := range answer {
		l, err := decoded[lens](raw)
		if err == nil && l.Command == nil {
			err = m.run.ask(ctx, protocol.MethodCodeLensResolve, raw, &l)
		}
		if err != nil {
			return err
		}
		title := ""
		if l.Command != nil {
			title = l.Command.Title
		}
		got = append(got, line(l.Range, title))
	}
	for _, n := range m.run.archive.notes {
		if n.name == "codelens" && n.file == m.note.file {
			other := &mark{m.run, n}
			at, err := other.locate(other.arg(0))
			if err != nil {
				return err
			}
			want = append(want, line(at.rang, other.string(1)))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	return sameList(got, want)
}

func documentLinks(ctx context.Context, m *mark) error {
	want, err := m.one(m.arg(0))
	if err != nil {
		return err
	}
	var answer []json.RawMessage
	if err := m.run.ask(ctx, protocol.MethodTextDocumentDocumentLink, m.document(), &answer); err != nil {
		return err
	}
	type link struct {
		Range  protocol.Range
		Target string
	}
	var lines []string
	for _, raw := range answer {
		l, err := decoded[link](raw)
		if err == nil && l.Target == "" {
			err = m.run.ask(ctx, protocol.MethodDocumentLinkResolve, raw, &l)
		}
		if err != nil {
			return err
		}
		lines = append(lines, m.run.show(location{m.path(), l.Range})+" "+l.Target)
	}
	differs := sameText(strings.Join(lines, "\n"), want)
	wanted := strings.Split(strings.TrimSpace(want), "\n")
	slices.Sort(lines)
	slices.Sort(wanted)
	if differs != nil && slices.Equal(lines, wanted) {
		return taste(differs) // only the order differs
	}
	return differs
}
