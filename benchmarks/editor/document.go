package editor

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// A Document is an open text.
type Document struct {
	Path    string
	Version int
	Text    string
}

// A Diagnostic is one, as far as it is looked at.
type Diagnostic struct {
	Range    protocol.Range
	Severity int
	Message  string
}

// SeverityError is DiagnosticSeverity.Error.
const SeverityError = 1

// PathOf is the path of a file's URI, "" for what is none.
func PathOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "file" {
		return ""
	}
	return filepath.FromSlash(u.Path)
}

// Named is a TextDocumentIdentifier.
func Named(path string) map[string]any { return map[string]any{"uri": string(uri.File(path))} }

// languageOf is the language identifier of a file.
func languageOf(path string) string {
	switch base := filepath.Base(path); {
	case base == "go.mod":
		return "go.mod"
	case base == "go.sum":
		return "go.sum"
	case base == "go.work":
		return "go.work"
	case strings.HasSuffix(base, ".s"):
		return "go.s"
	case strings.HasSuffix(base, "tmpl"):
		return "gotmpl"
	}
	return "go"
}

// OpenFile opens a file with its text on the disk.
func (c *Client) OpenFile(ctx context.Context, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d := &Document{Path: path, Version: 1, Text: string(text)}
	c.Open[path] = d
	return c.Tell(
		ctx,
		protocol.MethodTextDocumentDidOpen,
		map[string]any{"textDocument": map[string]any{
			"uri": string(uri.File(path)), "languageId": languageOf(path),
			"version": d.Version, "text": d.Text,
		}},
	)
}

// CloseFile closes an open file.
func (c *Client) CloseFile(ctx context.Context, path string) error {
	delete(c.Open, path)
	return c.Tell(
		ctx,
		protocol.MethodTextDocumentDidClose,
		map[string]any{"textDocument": Named(path)},
	)
}

// An Edit replaces a part of an open text: the bytes from Start to End.
type Edit struct {
	Path       string
	Start, End int
	Text       string
}

// Undo is the edit that takes e back; d is the document before e.
func (e Edit) Undo(d *Document) Edit {
	return Edit{e.Path, e.Start, e.Start + len(e.Text), d.Text[e.Start:e.End]}
}

// Apply tells the server of an edit.
func (c *Client) Apply(ctx context.Context, e Edit) error {
	d := c.Open[e.Path]
	change := map[string]any{
		"range": protocol.Range{Start: Position(d.Text, e.Start), End: Position(d.Text, e.End)},
		"text":  e.Text,
	}
	d.Version++
	d.Text = d.Text[:e.Start] + e.Text + d.Text[e.End:]
	return c.Tell(ctx, protocol.MethodTextDocumentDidChange, map[string]any{
		"textDocument":   map[string]any{"uri": string(uri.File(e.Path)), "version": d.Version},
		"contentChanges": []any{change},
	})
}

// Position is the position of an offset in bytes, in UTF-16 code units.
func Position(text string, offset int) protocol.Position {
	before := text[:offset]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return protocol.Position{
		Line:      uint32(strings.Count(before, "\n")),
		Character: uint32(unitsOf(line)),
	}
}

// unitsOf counts the UTF-16 code units of a text.
func unitsOf(text string) (n int) {
	for _, r := range text {
		if n++; r >= 0x10000 {
			n++
		}
	}
	return n
}

// Offset is the offset in bytes of a position in UTF-16 code units. Like an editor, it takes what
// is behind the end of a line for that end; a line that the text does not have is an error.
func Offset(text string, p protocol.Position) (int, error) {
	at := 0
	for range p.Line {
		end := strings.IndexByte(text[at:], '\n')
		if end < 0 {
			return 0, fmt.Errorf("line %d of a text with fewer", p.Line)
		}
		at += end + 1
	}
	for units := uint32(0); units < p.Character && at < len(text) && text[at] != '\n'; units++ {
		r, size := utf8.DecodeRuneInString(text[at:])
		if at += size; r >= 0x10000 {
			units++
		}
	}
	return at, nil
}

// A TextEdit is one of the protocol's.
type TextEdit struct {
	Range   protocol.Range `json:"range"`
	NewText string         `json:"newText"`
}

// Edited is a text with edits, whose positions are all those of the text without them. Edits at
// one place apply in their order. It is an error if edits overlap.
func Edited(text string, edits []TextEdit) (string, error) {
	type span struct {
		start, end int
		text       string
	}
	spans := make([]span, len(edits))
	for i, e := range edits {
		start, err := Offset(text, e.Range.Start)
		if err != nil {
			return "", err
		}
		end, err := Offset(text, e.Range.End)
		if err != nil {
			return "", err
		}
		if end < start {
			return "", fmt.Errorf("an edit ends before it starts: %v", e.Range)
		}
		spans[i] = span{start, end, e.NewText}
	}
	slices.SortStableFunc(spans, func(a, b span) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return a.end - b.end
	})
	var b strings.Builder
	at := 0
	for _, s := range spans {
		if s.start < at {
			return "", fmt.Errorf("edits overlap at offset %d", s.start)
		}
		b.WriteString(text[at:s.start])
		b.WriteString(s.text)
		at = s.end
	}
	b.WriteString(text[at:])
	return b.String(), nil
}

// Line returns a line of a file, counted from 0, as open or as on the disk, "" for none.
func (c *Client) Line(path string, n int) string {
	text := ""
	if d := c.Open[path]; d != nil {
		text = d.Text
	} else if raw, err := os.ReadFile(path); err == nil {
		text = string(raw)
	}
	lines := strings.SplitN(text, "\n", n+2)
	if n >= len(lines) {
		return ""
	}
	return lines[n]
}
