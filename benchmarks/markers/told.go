package markers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

// askHover is the hover at a location: its text and its range.
func (m *mark) askHover(ctx context.Context, at location) (text string, rang protocol.Range, err error) {
	var answer struct {
		Contents json.RawMessage
		Range    protocol.Range
	}
	params := at.position()
	params["range"] = at.rang // beyond the protocol: of an expression, its type is wanted
	if err := m.run.ask(ctx, protocol.MethodTextDocumentHover, params, &answer); err != nil {
		return "", protocol.Range{}, err
	}
	if len(answer.Contents) == 0 {
		return "", protocol.Range{}, nil
	}
	if content, err := decoded[struct{ Value string }](answer.Contents); err == nil {
		text = content.Value
	} else if text, err = decoded[string](answer.Contents); err != nil {
		return "", protocol.Range{}, err
	}
	return strings.ReplaceAll(text, filepath.ToSlash(m.run.dir), "$WORKDIR"), answer.Range, nil
}

// hover compares text and range. If only the text differs, and the first line of code of the wanted
// one is in ours, the rest is a matter of taste; so is what else stands around a wanted part.
func hover(ctx context.Context, m *mark) error {
	all := make([]location, 2)
	for i := range all {
		l, err := m.locate(m.arg(i))
		if m.arg(i) == identifier("_") {
			l, err = location{}, nil
		}
		if err != nil {
			return err
		}
		all[i] = l
	}
	text, rang, err := m.askHover(ctx, all[0])
	if err != nil {
		return err
	}
	if rang != all[1].rang {
		got := location{all[0].path, rang}
		err = fmt.Errorf("the range is %s, not %s", m.run.show(got), m.run.show(all[1]))
	}
	differs := m.matches(m.arg(2), text)
	if differs == nil {
		return err
	}
	if err != nil {
		return errors.Join(err, differs)
	}
	id, golden := m.arg(2).(identifier)
	if golden && text != "" {
		line := signatureLine(m.run.archive.gold[string(id)][""])
		if line != "" && strings.Contains(plain(text), plain(line)) {
			return taste(differs)
		}
	}
	return differs
}

// signatureLine is the first line of code of a hover, without the comment at its end.
func signatureLine(text string) string {
	_, code, ok := strings.Cut(text, "```go\n")
	if !ok {
		return ""
	}
	line, _, _ := strings.Cut(code, "\n")
	line, _, _ = strings.Cut(line, "//")
	return strings.TrimSuffix(strings.TrimSpace(line), "{")
}

// plain is a text with single spaces.
func plain(text string) string { return strings.Join(strings.Fields(text), " ") }

func hoverErr(ctx context.Context, m *mark) error {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return err
	}
	text, _, err := m.askHover(ctx, at)
	if err == nil && text == "" {
		return taste(errors.New("got nothing, wanted an error"))
	}
	return m.refused(m.arg(1), err)
}

// signature compares the one signature and the active parameter.
func signature(ctx context.Context, m *mark) error {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return err
	}
	var answer struct {
		Signatures []struct {
			Label           string
			ActiveParameter *int64
		}
		ActiveSignature int
		ActiveParameter *int64
	}
	err = m.run.ask(ctx, protocol.MethodTextDocumentSignatureHelp, at.position(), &answer)
	label := m.string(1)
	var labels []string
	for _, s := range answer.Signatures {
		labels = append(labels, s.Label)
	}
	switch {
	case label == "" && len(labels) > 0:
		return fmt.Errorf("got %q, wanted none", labels)
	case label == "":
		return nil
	case err != nil:
		return err
	case len(labels) != 1:
		return fmt.Errorf("got %q, wanted %q", labels, label)
	}
	active := int64(-1)
	if answer.ActiveParameter != nil {
		active = *answer.ActiveParameter
	}
	if own := answer.Signatures[0].ActiveParameter; own != nil {
		active = *own
	}
	want, _ := m.arg(2).(int64)
	if want != active {
		return fmt.Errorf("parameter %d of %q is active, wanted %d of %q", active, labels[0], want, label)
	}
	if plain(labels[0]) != plain(label) {
		return fmt.Errorf("got %q, wanted %q", labels[0], label)
	}
	return nil
}

// A symbol is a DocumentSymbol.
type symbol struct {
	Name, Detail string
	Range        protocol.Range
	Children     []symbol
}

// symbols compares names, details and numbers of lines. Details are a matter of taste.
func symbols(ctx context.Context, m *mark) error {
	want, err := m.one(m.arg(0))
	if err != nil {
		return err
	}
	var answer []symbol
	if err := m.run.ask(ctx, protocol.MethodTextDocumentDocumentSymbol, m.document(), &answer); err != nil {
		return err
	}
	var lines []string
	var walk func(symbol, string)
	walk = func(s symbol, name string) {
		line := fmt.Sprintf("%s %q", name, s.Detail)
		if more := s.Range.End.Line - s.Range.Start.Line; more > 0 {
			line += fmt.Sprintf(" +%d lines", more)
		}
		lines = append(lines, line)
		for _, child := range s.Children {
			walk(child, name+"."+child.Name)
		}
	}
	for _, s := range answer {
		walk(s, s.Name)
	}
	sort.Strings(lines)
	got := strings.Join(lines, "\n")
	detail := regexp.MustCompile(`(?m) ".*"`)
	differs := sameText(got, want)
	if differs != nil && detail.ReplaceAllString(got, "") == strings.TrimSpace(detail.ReplaceAllString(want, "")) {
		return taste(differs)
	}
	return differs
}

// symbolKinds are the names of SymbolKind, from 1 on.
var symbolKinds = strings.Fields(". File Module Namespace Package Class Method Property Field " +
	"Constructor Enum Interface Function Variable Constant String Number Boolean Array Object Key " +
	"Null EnumMember Struct Event Operator TypeParameter")

// workspaceSymbols compares places, names and kinds in their order. The order, and the kinds, are a
// matter of taste.
func workspaceSymbols(ctx context.Context, m *mark) error {
	want, err := m.one(m.arg(1))
	if err != nil {
		return err
	}
	var answer []struct {
		Name     string
		Kind     int
		Location wireLocation
	}
	params := map[string]any{"query": m.string(0)}
	if err := m.run.ask(ctx, protocol.MethodWorkspaceSymbol, params, &answer); err != nil {
		return err
	}
	var lines []string
	for _, s := range answer {
		place := "<external>"
		if l := s.Location.location(); !filepath.IsAbs(filepath.FromSlash(m.run.nameOf(l.path))) {
			place = m.run.show(l)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", place, s.Name, symbolKinds[s.Kind%len(symbolKinds)]))
	}
	differs := sameText(strings.Join(lines, "\n"), want)
	withoutKinds := func(lines []string) (out []string) {
		for _, l := range lines {
			if at := strings.LastIndexByte(l, ' '); at > 0 {
				out = append(out, l[:at])
			}
		}
		slices.Sort(out)
		return out
	}
	if differs != nil && slices.Equal(withoutKinds(lines), withoutKinds(strings.Split(want, "\n"))) {
		return taste(differs)
	}
	return differs
}

// diag takes a diagnostic. Another message at the right place is a matter of taste.
func diag(_ context.Context, m *mark) error {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return err
	}
	re, err := patternOf(m.arg(1))
	if err != nil {
		return err
	}
	exact, _ := m.note.named["exact"].(bool)
	_, err = m.run.take(at, re, exact)
	return err
}

// take takes a diagnostic out of those that are left.
func (r *run) take(at location, re *regexp.Regexp, exact bool) (*shown, error) {
	if d := take(&r.left, at, re, exact); d != nil {
		return d, nil
	}
	var there, near []string
	for _, d := range r.left {
		if d.path != at.path || d.Range.Start.Line != at.rang.Start.Line {
			continue
		}
		text := fmt.Sprintf("%s: %s", r.show(location{d.path, d.Range}), d.Message)
		if d.Range.Start == at.rang.Start {
			there = append(there, text)
		} else {
			near = append(near, text)
		}
	}
	err := fmt.Errorf("got none at %s that matches %q; in the line:%s", r.show(at), re,
		column(append(there, near...)))
	if len(there) > 0 {
		err = taste(err)
	}
	return nil, err
}

// take takes the first diagnostic that starts where a location does and matches out of a list, nil
// for none.
func take(left *[]*shown, at location, re *regexp.Regexp, exact bool) *shown {
	for i, d := range *left {
		if d.path == at.path && d.Range.Start == at.rang.Start && re.MatchString(d.Message) &&
			(!exact || d.Range.End == at.rang.End) {
			*left = slices.Delete(*left, i, i+1)
			return d
		}
	}
	return nil
}

// textOf is the text of a range of the marker's file.
func (m *mark) textOf(r protocol.Range) (string, error) {
	text := m.run.archive.files[m.note.file]
	start, err := editor.Offset(text, r.Start)
	if err != nil {
		return "", err
	}
	end, err := editor.Offset(text, r.End)
	if err != nil || end < start {
		return "", fmt.Errorf("range %v, %w", r, err)
	}
	return text[start:end], nil
}
