package agree

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"go.lsp.dev/jsonrpc2"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

// answerMax is the longest time for one answer; one that takes longer is none.
const answerMax = 30 * time.Second

// failuresMax is how many answers may fail in other ways than by being refused, as a server that
// hangs or has ended is not worth waiting for.
const failuresMax = 20

// An answer is what a server said to a question. Refusing one, and answering null, is an answer
// without lines.
type answer struct {
	lines   []string // sorted
	offered []string // by kinds that have it
	refused string   // the server's message
	failed  string   // why there is no answer
	unasked bool     // the server does not announce the feature
}

// A server is one of the two.
type server struct {
	name     string
	program  editor.Program
	complete func() func(string, []byte) bool
	options  map[string]any
}

// askAll starts a server on a ground and asks all questions. The answers are in the order of the
// questions.
func (s *server) askAll(ctx context.Context, sc *script) (answers []answer, err error) {
	c, err := editor.Start(ctx, s.program, editor.Config{
		Root: sc.root, Options: s.options, Complete: s.complete(), Capabilities: editor.Capabilities(),
		Answer: func(method string, params []byte) (any, bool) {
			if method != "workspace/configuration" {
				return nil, false
			}
			var p struct{ Items []struct{} }
			if json.Unmarshal(params, &p) != nil {
				return nil, false
			}
			return slices.Repeat([]any{s.options}, len(p.Items)), true
		},
	})
	if err != nil {
		return nil, err
	}
	defer c.Kill()
	for _, f := range sc.files {
		if err := c.OpenFile(ctx, f.path); err != nil {
			return nil, err
		}
	}
	done := func(h *editor.Heard) bool { return h.Finished }
	if err := c.Wait(ctx, editor.IndexMax, "the first index", done); err != nil {
		return nil, err
	}
	var options struct{ Legend struct{ TokenTypes []string } }
	if raw := c.Capabilities["semanticTokensProvider"]; len(raw) > 0 {
		if err := json.Unmarshal(raw, &options); err != nil {
			options.Legend.TokenTypes = nil // announced as true, registered later
		}
	}
	r := &reader{sc.root, options.Legend.TokenTypes}
	answers = make([]answer, len(sc.questions))
	failures := 0
	for i, q := range sc.questions {
		if !c.Announces(q.kind.field, q.kind.method) {
			answers[i].unasked = true
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		answers[i] = s.ask(ctx, c, r, q)
		if answers[i].failed == "" {
			continue
		}
		if failures++; failures > failuresMax {
			return nil, fmt.Errorf("%s has failed %d times, last at %s: %s", s.name, failures, q, answers[i].failed)
		}
	}
	return answers, nil
}

// ask asks one question.
func (s *server) ask(ctx context.Context, c *editor.Client, r *reader, q *question) (a answer) {
	whole := ctx // an edit is undone after an answer that took too long, too
	ctx, cancel := context.WithTimeout(ctx, answerMax)
	defer cancel()
	asked := *q
	if q.kind.edit != nil {
		e, at := q.kind.edit(q)
		back := e.Undo(c.Open[e.Path])
		if err := c.Apply(ctx, e); err != nil {
			return answer{failed: err.Error()}
		}
		asked.at = editor.Position(c.Open[e.Path].Text, at)
		defer func() {
			if err := c.Apply(whole, back); err != nil && a.failed == "" {
				a.failed = err.Error()
			}
		}()
	}
	raw, err := s.call(ctx, c, q.kind, q.kind.params(&asked))
	if refused, ok := errors.AsType[*jsonrpc2.Error](err); ok {
		return answer{refused: refused.Message}
	}
	if err != nil {
		return answer{failed: err.Error()}
	}
	if len(raw) == 0 {
		raw = []byte("null")
	}
	if string(raw) != "null" || q.kind.edit != nil {
		if a.lines, err = q.kind.read(r, &asked, raw); err != nil {
			return answer{failed: fmt.Sprintf("%v: %.200s", err, raw)}
		}
	}
	if q.kind.offered != nil && string(raw) != "null" {
		if a.offered, err = q.kind.offered(raw); err != nil {
			return answer{failed: err.Error()}
		}
	}
	slices.Sort(a.lines)
	a.lines = slices.Compact(a.lines)
	return a
}

// call sends the request of a kind, and what follows for each item.
func (s *server) call(ctx context.Context, c *editor.Client, k *kind, params any) ([]byte, error) {
	_, raw, err := c.Ask(ctx, k.method, params)
	if err != nil || k.next == "" {
		return raw, err
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, err
	}
	all := []json.RawMessage{}
	for _, item := range items {
		_, raw, err := c.Ask(ctx, k.next, map[string]any{"item": item})
		if err != nil {
			return nil, err
		}
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return json.Marshal(all)
}

// servers are those that are compared, ours first, with what they keep below a directory.
func servers(ctx context.Context, command, dir string) (list [2]*server, err error) {
	path, err := editor.BuildGopls(ctx, false)
	if err != nil {
		return list, err
	}
	caches := make([]string, 2)
	for i := range caches {
		if caches[i], err = os.MkdirTemp(dir, "cache-"); err != nil {
			return list, err
		}
	}
	list[0] = &server{
		name: "cytisus", program: editor.Cytisus(command, caches[0]), complete: editor.CytisusComplete,
		options: map[string]any{"semanticTokens": true},
	}
	list[1] = &server{
		name: "gopls", program: editor.Gopls(path, caches[1]), complete: editor.GoplsComplete,
		options: map[string]any{
			"verboseWorkDoneProgress": true, "pullDiagnostics": true, "semanticTokens": true,
			"completionBudget": "0s",
		},
	}
	return list, nil
}
