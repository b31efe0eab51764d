package lsp

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"
)

// pathOf is the path of a file's URI, "" for what is none.
func pathOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "file" {
		return ""
	}
	return filepath.FromSlash(u.Path)
}

// named is a TextDocumentIdentifier.
func named(path string) map[string]any { return map[string]any{"uri": string(uri.File(path))} }

// openFile opens a file with its text on the disk.
func (c *client) openFile(ctx context.Context, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	d := &document{path: path, version: 1, text: string(text)}
	c.open[path] = d
	return c.tell(
		ctx,
		protocol.MethodTextDocumentDidOpen,
		map[string]any{"textDocument": map[string]any{
			"uri": string(uri.File(path)), "languageId": "go", "version": d.version, "text": d.text,
		}},
	)
}

// closeFile closes an open file.
func (c *client) closeFile(ctx context.Context, path string) error {
	delete(c.open, path)
	return c.tell(
		ctx,
		protocol.MethodTextDocumentDidClose,
		map[string]any{"textDocument": named(path)},
	)
}

// An edit replaces a part of an open text.
type edit struct {
	path       string
	start, end int // offsets into the text, both at columns that ASCII only is before
	text       string
}

// undo is the edit that takes e back; d is the document before e.
func (e edit) undo(d *document) edit {
	return edit{e.path, e.start, e.start + len(e.text), d.text[e.start:e.end]}
}

// apply tells the server of an edit.
func (c *client) apply(ctx context.Context, e edit) error {
	d := c.open[e.path]
	change := map[string]any{
		"range": protocol.Range{Start: position(d.text, e.start), End: position(d.text, e.end)},
		"text":  e.text,
	}
	d.version++
	d.text = d.text[:e.start] + e.text + d.text[e.end:]
	return c.tell(ctx, protocol.MethodTextDocumentDidChange, map[string]any{
		"textDocument":   map[string]any{"uri": string(uri.File(e.path)), "version": d.version},
		"contentChanges": []any{change},
	})
}

// position is the position of an offset that ASCII only is before in its line.
func position(text string, offset int) protocol.Position {
	before := text[:offset]
	return protocol.Position{
		Line:      uint32(strings.Count(before, "\n")),
		Character: uint32(offset - strings.LastIndexByte(before, '\n') - 1),
	}
}

// line returns a line of a file, as open or as on the disk, "" for none.
func (c *client) line(path string, n int) string {
	text := ""
	if d := c.open[path]; d != nil {
		text = d.text
	} else if raw, err := os.ReadFile(path); err == nil {
		text = string(raw)
	}
	lines := strings.SplitN(text, "\n", n+2)
	if n >= len(lines) {
		return ""
	}
	return lines[n]
}

// awaitError waits until a file is shown to have an error in one of the lines, or in none of them,
// and returns how long that took since a moment. Where the version is told, an older one does not
// count.
func (c *client) awaitError(
	ctx context.Context,
	since time.Time,
	path string,
	lines map[int]bool,
	wanted bool,
) (time.Duration, error) {
	what := fmt.Sprintf("an error in %s at one of the lines %v (counted from 0)", path, lines)
	if !wanted {
		what = "the end of " + what
	}
	version := c.open[path].version
	met := func(p published) bool {
		if p.Version != nil && *p.Version < version {
			return false
		}
		for _, d := range p.Diagnostics {
			if d.Severity == severityError && lines[int(d.Range.Start.Line)] {
				return wanted
			}
		}
		return !wanted
	}
	if c.pulls {
		return c.pullUntil(ctx, since, path, what, met)
	}
	var at time.Time
	err := c.wait(ctx, answerMax, what, func() bool {
		p, ok := c.shown[path]
		at = time.Now()
		return ok && met(p)
	})
	return at.Sub(since), err
}

// pullUntil asks for diagnostics, and once more whenever the server asks for that, until they are
// as wanted.
func (c *client) pullUntil(
	ctx context.Context,
	since time.Time,
	path, what string,
	met func(published) bool,
) (time.Duration, error) {
	for {
		c.mu.Lock()
		asked := c.refresh
		c.mu.Unlock()
		_, answer, err := c.ask(
			ctx,
			protocol.MethodTextDocumentDiagnostic,
			map[string]any{"textDocument": named(path)},
		)
		took := time.Since(since)
		if err != nil {
			return 0, err
		}
		var report struct{ Items []diagnostic }
		if err := decode(answer, &report); err != nil {
			return 0, err
		}
		if met(published{Diagnostics: report.Items}) {
			return took, nil
		}
		asks := func() bool { return c.refresh > asked }
		if err := c.wait(ctx, answerMax, what, asks); err != nil {
			return 0, err
		}
	}
}
