package lsp

import (
	"context"
	"fmt"
	"time"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

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
	version := c.Open[path].Version
	met := func(p editor.Published) bool {
		if p.Version != nil && *p.Version < version {
			return false
		}
		for _, d := range p.Diagnostics {
			if d.Severity == editor.SeverityError && lines[int(d.Range.Start.Line)] {
				return wanted
			}
		}
		return !wanted
	}
	if c.pulls {
		return c.pullUntil(ctx, since, path, what, met)
	}
	var at time.Time
	err := c.Wait(ctx, answerMax, what, func(h *editor.Heard) bool {
		p, ok := h.Shown[path]
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
	met func(editor.Published) bool,
) (time.Duration, error) {
	for {
		asked := 0
		c.Hear(func(h *editor.Heard) { asked = h.Refresh })
		_, answer, err := c.Ask(
			ctx,
			protocol.MethodTextDocumentDiagnostic,
			map[string]any{"textDocument": editor.Named(path)},
		)
		took := time.Since(since)
		if err != nil {
			return 0, err
		}
		var report struct{ Items []editor.Diagnostic }
		if err := decode(answer, &report); err != nil {
			return 0, err
		}
		if met(editor.Published{Diagnostics: report.Items}) {
			return took, nil
		}
		asks := func(h *editor.Heard) bool { return h.Refresh > asked }
		if err := c.Wait(ctx, answerMax, what, asks); err != nil {
			return 0, err
		}
	}
}
