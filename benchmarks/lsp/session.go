package lsp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/editor"
)

// asks is how many questions a round has.
func (r *run) asks() int { return r.env.Size(30, 3) }

// wrongShare: a round in which more than one of so many answers are wrong fails.
const wrongShare = 10

var memoryColumns = []compare.Column{
	{Suffix: "-rss", Unit: "MB"},
	{Suffix: "-peak-rss", Unit: "MB"},
}

// session returns the server that is at work on a ground, with the script's files open. In a mode
// in which the server tells when all is checked, that is waited for, and a hover in each file;
// otherwise a type error in each file, and its end. Servers of other grounds and modes, which would
// be in its way, are ended.
func (r *run) session(ctx context.Context, s *server, sc *script, m mode) (*client, error) {
	if err := r.end(ctx, sc.ground.Name, m); err != nil {
		return nil, err
	}
	k := key{sc.ground.Name, s.name, m}
	if c := r.sessions[k]; c != nil {
		return c, nil
	}
	cache, err := r.fill(ctx, s, sc)
	if err != nil {
		return nil, err
	}
	c, _, err := r.begin(ctx, s, sc, cache, m)
	if err == nil {
		err = r.everything(ctx, c, sc, s.ours || m.tells)
	}
	for i, f := range sc.opened {
		if err == nil && i > 0 {
			err = c.OpenFile(ctx, f.path)
		}
		switch {
		case err != nil:
		case m.tells:
			q := question{f.names[0], f, editor.Position(f.text, f.names[0].offset)}
			_, err = c.once(ctx, kindOf("hover"), q)
		default:
			_, err = c.typeAndUndo(ctx, typeError(f, f.functions[0], r.rand(0, uint64(i))), nil)
		}
	}
	if err != nil {
		return nil, errors.Join(err, kill(c))
	}
	r.sessions[k] = c
	return c, nil
}

// end ends the sessions that are not of this ground and mode.
func (r *run) end(ctx context.Context, size string, m mode) (err error) {
	for k, c := range r.sessions {
		if k.size != size || k.mode != m {
			delete(r.sessions, k)
			if cerr := c.Close(ctx); cerr != nil {
				err = errors.Join(err, fmt.Errorf("%s: %w", k.name, cerr))
			}
		}
	}
	return err
}

// rand is the source of one round of one kind of work, the same for all servers.
func (r *run) rand(purpose, round uint64) *rand.Rand {
	return rand.New(rand.NewPCG(r.env.Seed, purpose<<32+round))
}

// asking is the work of one kind. Kinds that edit nothing have a server of their own, which nothing
// that it puts off after an edit keeps busy.
func (r *run) asking(k kind, purpose uint64) worker {
	return func(ctx context.Context, s *server, sc *script, round uint64) ([]float64, error) {
		c, err := r.session(ctx, s, sc, mode{tells: !k.edited})
		if err != nil {
			return nil, err
		}
		random := r.rand(100+purpose, round)
		var (
			all   []float64
			wrong int
		)
		ask := func(q question) error {
			if k.opens {
				if err := c.OpenFile(ctx, q.file.path); err != nil {
					return err
				}
			}
			took, err := c.once(ctx, k, q)
			if k.opens {
				err = errors.Join(err, c.CloseFile(ctx, q.file.path))
			}
			if w, ok := errors.AsType[*wrongError](err); ok {
				wrong++
				r.env.Logf("  %s: %v", s.name, w)
				return nil
			}
			all = append(all, ms(took))
			return err
		}
		for range r.asks() {
			if k.edited {
				e, q := k.drawBehind(sc, random)
				_, err = c.typeAndUndo(ctx, e, func() error {
					q.at = editor.Position(c.Open[e.Path].Text, k.offset(q.place)+len(e.Text))
					return ask(q)
				})
			} else {
				err = ask(k.draw(sc, random))
			}
			if err != nil {
				return nil, err
			}
		}
		if wrong > r.asks()/wrongShare {
			return nil, fmt.Errorf("%d of %d answers are wrong", wrong, r.asks())
		}
		return spreadOf(all), nil
	}
}

// typing is the work of typing type errors.
func (r *run) typing(m mode) worker {
	return func(ctx context.Context, s *server, sc *script, round uint64) ([]float64, error) {
		c, err := r.session(ctx, s, sc, m)
		if err != nil {
			return nil, err
		}
		random := r.rand(1, round)
		var all []float64
		for range r.asks() {
			f := sc.opened[random.IntN(len(sc.opened))]
			e := typeError(f, f.functions[random.IntN(len(f.functions))], random)
			took, err := c.typeAndUndo(ctx, e, nil)
			if err != nil {
				return nil, err
			}
			all = append(all, ms(took))
		}
		return spreadOf(all), nil
	}
}

// typeAndUndo types a type error, asks what is to be asked behind it, waits until the error is
// shown, undoes it, and waits until it is gone. It returns how long it took until the error was
// shown.
func (c *client) typeAndUndo(
	ctx context.Context,
	e editor.Edit,
	ask func() error,
) (took time.Duration, err error) {
	back := e.Undo(c.Open[e.Path])
	line := int(editor.Position(c.Open[e.Path].Text, e.Start).Line) + 1
	began := time.Now()
	if err := c.Apply(ctx, e); err != nil {
		return 0, err
	}
	if ask != nil {
		if err := ask(); err != nil {
			return 0, err
		}
	}
	lines := map[int]bool{line: true}
	if took, err = c.awaitError(ctx, began, e.Path, lines, true); err != nil {
		return 0, err
	}
	undone := time.Now()
	if err := c.Apply(ctx, back); err != nil {
		return 0, err
	}
	_, err = c.awaitError(ctx, undone, e.Path, lines, false)
	return took, err
}

// renaming is the work of renaming exported functions.
func (r *run) renaming(
	ctx context.Context,
	s *server,
	sc *script,
	round uint64,
) ([]float64, error) {
	c, err := r.session(ctx, s, sc, mode{})
	if err != nil {
		return nil, err
	}
	random := r.rand(2, round)
	var all []float64
	for range max(1, r.asks()/3) {
		d := sc.dependants[random.IntN(len(sc.dependants))]
		end := d.function.offset + len(d.function.name)
		e := editor.Edit{
			Path: d.declared.path, Start: end, End: end,
			Text: fmt.Sprintf("Renamed%d", random.Uint32()),
		}
		back := e.Undo(c.Open[e.Path])
		began := time.Now()
		if err := c.Apply(ctx, e); err != nil {
			return nil, err
		}
		took, err := c.awaitError(ctx, began, d.used.path, d.lines, true)
		if err != nil {
			return nil, err
		}
		if err := c.Apply(ctx, back); err != nil {
			return nil, err
		}
		if _, err := c.awaitError(ctx, began, d.used.path, d.lines, false); err != nil {
			return nil, err
		}
		all = append(all, ms(took))
	}
	return spreadOf(all), nil
}

// memory reads what the server holds.
func (r *run) memory(ctx context.Context, s *server, sc *script, _ uint64) ([]float64, error) {
	c, err := r.session(ctx, s, sc, mode{})
	if err != nil {
		return nil, err
	}
	used, err := usageOf(c.Pid())
	return []float64{used.rssMB, used.peakRSS}, err
}
