package lsp

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.lsp.dev/jsonrpc2"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/editor"
)

var (
	coldColumns = []compare.Column{
		{Suffix: "-first-outline", Unit: "s"},
		{Suffix: "-first-hover", Unit: "s"},
		{Suffix: "-first-definition", Unit: "s"},
		{Suffix: "-everything", Unit: "s"},
		{Suffix: "-cpu", Unit: "s"},
		{Suffix: "-peak-rss", Unit: "MB"},
		{Suffix: "-store", Unit: "B/B"},
	}
	warmColumns = []compare.Column{
		{Suffix: "-first-outline", Unit: "ms"},
		{Suffix: "-first-hover", Unit: "ms"},
	}
)

// firsts are the kinds that are asked as soon as a file is open.
var firsts = []string{"outline", "hover", "definition"}

// cold starts a server from nothing.
func (r *run) cold(ctx context.Context, s *server, sc *script, _ uint64) ([]float64, error) {
	cache, err := r.env.TempDir(s.name)
	if err != nil {
		return nil, err
	}
	c, answered, err := r.begin(ctx, s, sc, cache, mode{tells: true})
	if err == nil {
		err = r.everything(ctx, c, sc, true)
	}
	if err != nil {
		return nil, errors.Join(err, kill(c))
	}
	figures := []float64{
		answered[0].Seconds(),
		answered[1].Seconds(),
		answered[2].Seconds(),
		c.SinceStart().Seconds(),
	}
	used, err := usageOf(c.Pid())
	if err := errors.Join(err, c.Close(ctx)); err != nil {
		return nil, err
	}
	bytes, err := compare.DiskUsage(cache)
	if err != nil {
		return nil, err
	}
	r.keep(s, sc, cache)
	return append(
		figures,
		used.cpuSeconds,
		used.peakRSS,
		float64(bytes)/float64(sc.ground.SourceBytes),
	), nil
}

// warm starts a server with what an earlier one has left.
func (r *run) warm(ctx context.Context, s *server, sc *script, _ uint64) ([]float64, error) {
	cache, err := r.fill(ctx, s, sc)
	if err != nil {
		return nil, err
	}
	c, answered, err := r.begin(ctx, s, sc, cache, mode{})
	if err != nil {
		return nil, errors.Join(err, kill(c))
	}
	return []float64{ms(answered[0]), ms(answered[1])}, c.Close(ctx)
}

// begin starts a server, opens a file and asks the first questions. It returns how long after the
// start of the process each was answered.
func (r *run) begin(
	ctx context.Context,
	s *server,
	sc *script,
	cache string,
	m mode,
) (c *client, answered []time.Duration, err error) {
	if c, err = s.start(ctx, sc.ground.Root, cache, m); err != nil {
		return nil, nil, err
	}
	f := sc.opened[0]
	if err := c.OpenFile(ctx, f.path); err != nil {
		return c, nil, err
	}
	answered = make([]time.Duration, len(firsts))
	errs := make([]error, len(firsts))
	var asked sync.WaitGroup
	for i, name := range firsts {
		k := kindOf(name)
		places := k.places(f)
		p := places[len(places)/2]
		q := question{p, f, editor.Position(f.text, p.offset)}
		asked.Go(func() { answered[i], errs[i] = c.untilRight(ctx, k, q) })
	}
	asked.Wait()
	return c, answered, errors.Join(errs...)
}

// untilRight asks until the answer is right, after each message of the server that follows a wrong
// one.
func (c *client) untilRight(ctx context.Context, k kind, q question) (time.Duration, error) {
	for {
		messages := 0
		c.Hear(func(h *editor.Heard) { messages = h.Messages })
		_, answer, err := c.Ask(ctx, k.method, k.params(q))
		at := c.SinceStart()
		if err == nil {
			err = k.check(c, q, answer)
		}
		if err == nil {
			return at, nil
		}
		what := fmt.Sprintf("first %s, which is wrong so far (%v)", k.name, err)
		if err := c.Wait(ctx, indexMax, what, func(h *editor.Heard) bool { return h.Messages != messages }); err != nil {
			return 0, err
		}
	}
}

// everything waits until all is checked and indexed.
func (r *run) everything(ctx context.Context, c *client, sc *script, told bool) error {
	if told {
		finished := func(h *editor.Heard) bool { return h.Finished }
		if err := c.Wait(ctx, indexMax, "everything checked and indexed", finished); err != nil {
			return err
		}
	}
	d := sc.dependants[0]
	q := question{d.function.place, d.declared, editor.Position(d.declared.text, d.function.offset)}
	for _, name := range []string{"symbols", "references"} {
		k := kindOf(name)
		if _, err := c.once(ctx, k, q); err != nil {
			return err
		}
	}
	return nil
}

// A wrongError is an answer that is wrong, an error among them. It is none when there is no answer.
type wrongError struct {
	kind kind
	q    question
	err  error
}

func (e *wrongError) Error() string {
	return fmt.Sprintf("wrong answer: %s of %s at %s:%d:%d: %v",
		e.kind.name, e.q.name, e.q.file.path, e.q.at.Line+1, e.q.at.Character+1, e.err)
}

func (e *wrongError) Unwrap() error { return e.err }

// once asks a question whose answer should be right.
func (c *client) once(ctx context.Context, k kind, q question) (time.Duration, error) {
	took, answer, err := c.Ask(ctx, k.method, k.params(q))
	if _, refused := errors.AsType[*jsonrpc2.Error](err); err != nil && !refused {
		return 0, err
	}
	if err == nil {
		err = k.check(c, q, answer)
	}
	if err != nil {
		return 0, &wrongError{k, q, err}
	}
	return took, nil
}

// keep notes what a server has kept of a ground.
func (r *run) keep(s *server, sc *script, cache string) {
	r.filled[key{size: sc.ground.Name, name: s.name}] = cache
}

// fill returns a directory with all that a server keeps of a ground.
func (r *run) fill(ctx context.Context, s *server, sc *script) (string, error) {
	if dir := r.filled[key{size: sc.ground.Name, name: s.name}]; dir != "" {
		return dir, nil
	}
	_, err := r.cold(ctx, s, sc, 0)
	return r.filled[key{size: sc.ground.Name, name: s.name}], err
}

func kill(c *client) error {
	if c != nil {
		c.Kill()
	}
	return nil
}
