package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/editor"
)

var analysisColumns = []compare.Column{
	{Suffix: "-first", Unit: "s"},
	{Suffix: "-all", Unit: "s"},
	{Suffix: "-cpu", Unit: "s"},
	{Suffix: "-peak-rss", Unit: "MB"},
}

// A mistake is what every set of analyzers finds, at the end of a file. It is known of a file
// together with all that they find in its package.
const (
	mistake      = "\nfunc _(mistake int) { mistake = mistake }\n"
	mistakeFound = "self-assignment of mistake"
)

// analysis starts a server from nothing, opens all files of a script, each with a mistake, and
// waits until the first and until all of these are told.
func (r *run) analysis(staticcheck bool) worker {
	return func(ctx context.Context, s *server, sc *script, _ uint64) ([]float64, error) {
		cache, err := r.env.TempDir(s.name)
		if err != nil {
			return nil, err
		}
		c, err := s.start(ctx, sc.ground.Root, cache, mode{settings: true, staticcheck: staticcheck})
		if err != nil {
			return nil, err
		}
		figures, err := c.awaitMistakes(ctx, sc)
		if err != nil {
			return nil, errors.Join(err, kill(c))
		}
		used, err := usageOf(c.Pid())
		if err := errors.Join(err, c.Close(ctx)); err != nil {
			return nil, err
		}
		return append(figures, used.cpuSeconds, used.peakRSS), nil
	}
}

// awaitMistakes opens the files, and returns how many seconds after the start the first mistake and
// the last one were told.
func (c *client) awaitMistakes(ctx context.Context, sc *script) (figures []float64, err error) {
	for _, f := range sc.opened {
		if err := c.OpenFile(ctx, f.path); err != nil {
			return nil, err
		}
		e := editor.Edit{Path: f.path, Start: len(f.text), End: len(f.text), Text: mistake}
		if err := c.Apply(ctx, e); err != nil {
			return nil, err
		}
	}
	for _, all := range []bool{false, true} {
		err := c.Wait(ctx, indexMax, "what analyzers find in open files", func(h *editor.Heard) bool {
			told := func(f *source) bool {
				return slices.ContainsFunc(h.Shown[f.path].Diagnostics, func(d editor.Diagnostic) bool {
					return strings.Contains(d.Message, mistakeFound)
				})
			}
			if all {
				return !slices.ContainsFunc(sc.opened, func(f *source) bool { return !told(f) })
			}
			return slices.ContainsFunc(sc.opened, told)
		})
		if err != nil {
			missing := 0
			c.Hear(func(h *editor.Heard) {
				for _, f := range sc.opened {
					if len(h.Shown[f.path].Diagnostics) == 0 {
						missing++
					}
				}
			})
			return nil, fmt.Errorf("nothing was told of %d of %d files: %w", missing, len(sc.opened), err)
		}
		figures = append(figures, c.SinceStart().Seconds())
	}
	return figures, nil
}

// answer gives a server the settings of a mode, in whichever sections it asks for.
func (m mode) answer(method string, params []byte) (any, bool) {
	if !m.settings || method != protocol.MethodWorkspaceConfiguration {
		return nil, false
	}
	var p struct{ Items []struct{} }
	if json.Unmarshal(params, &p) != nil {
		return nil, false
	}
	answer := make([]any, len(p.Items))
	for i := range answer {
		answer[i] = map[string]any{"staticcheck": m.staticcheck}
	}
	return answer, true
}
