package query

import (
	"context"
	"fmt"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// A contender answers for the sum of all texts.
type contender interface {
	// set changes a text; the key "unread" is one that no answer reads.
	set(ctx context.Context, key, text string) error

	// ask returns the sum, and how long the question took.
	ask(ctx context.Context) (sum int, took time.Duration, err error)

	// one returns the length of the first text, and how long the question took.
	one(ctx context.Context) (length int, took time.Duration, err error)

	close() error
}

// A shape is what the answers read.
type shape struct {
	files  int
	wide   bool // the root asks for all files at once
	shared bool // each file's answer reads the key "shared" beside its own
}

// A maker makes a contender. One line here and a few in a file of its own add a peer.
type maker struct {
	name string
	make func(ctx context.Context, dir string, s shape) (contender, error)
}

var peers = []maker{
	{"recompute", newRecompute},
	{"by-hand", newByHand},
	{"map-singleflight", newMemoMap},
	{"go-memdb", newWatching},
}

// key names the file with number i.
func key(i int) string { return fmt.Sprintf("%06d", i) }

// An edit is one change of a case. It returns the sum after it.
type edit func(i int) (key, text string, sum int)

// base is the length of every text at first.
const base = 4

// Suite compares what questions cost after a commit.
func Suite() compare.Suite {
	return compare.Suite{
		Name: "query",
		Doc:  "a question after a commit: nothing, little or much of what it rests on has changed",
		Cases: func(env *compare.Env) ([]compare.Case, error) {
			files, steps := env.Size(20_000, 400), 200
			if env.Quick {
				steps = 4
			}
			at := key(files / 3)
			all := files * base
			text := func(n, i int) string { return fmt.Sprintf("%0*d", n, i)[:n] }
			tree := shape{files: files}
			few := max(2, steps/20)
			return append(known(env),
				question(env, "hit", tree, steps, nil),
				question(env, "unread", tree, steps, func(i int) (string, string, int) { return "unread", fmt.Sprint(i), all }),
				question(env, "equal", tree, steps, func(i int) (string, string, int) { return at, text(base, i), all }),
				question(env, "other", tree, steps, func(i int) (string, string, int) { return at, text(base+i, 0), all + i }),
				question(env, "undo", tree, steps, func(i int) (string, string, int) {
					return at, text(base+i%2, 0), all + i%2
				}),
				reopened(env, tree, all),
				question(env, "wide", shape{files: 5 * files, wide: true}, few, func(i int) (string, string, int) {
					return at, text(base+i, 0), 5*all + i
				}),
				question(env, "rerun", shape{files: files / 2, shared: true}, few, func(i int) (string, string, int) {
					return "shared", text(base+i%2, i), all/2 + files/2*(base+i%2)
				}),
				beside(env, shape{files: files / 2, shared: true}, few),
				memos(env, "memory", tree, false),
				memos(env, "stored", tree, true),
				warm(env, files/20),
				warm(env, 5*files),
				workers(env),
			), nil
		},
	}
}

// entrants are ours and the peers that take part.
func entrants(start func(m maker) func(context.Context) (compare.Session, error), take ...maker) []compare.Entrant {
	list := []compare.Entrant{{Name: "cytisus", Ours: true, Start: start(maker{"cytisus", newOurs})}}
	for _, m := range take {
		list = append(list, compare.Entrant{Name: m.name, Start: start(m)})
	}
	return list
}

var columns = []compare.Column{{Unit: "us"}}

// question is a case of steps edits, each followed by a question. No edit: the question alone.
func question(env *compare.Env, name string, s shape, steps int, e edit) compare.Case {
	return compare.Case{Name: name, Columns: columns, Entrants: entrants(func(m maker) func(context.Context) (compare.Session, error) {
		return func(ctx context.Context) (compare.Session, error) {
			dir, err := env.TempDir(name)
			if err != nil {
				return compare.Session{}, err
			}
			c, err := m.make(ctx, dir, s)
			if err != nil {
				return compare.Session{}, err
			}
			want, _, err := c.ask(ctx)
			if err != nil {
				return compare.Session{}, err
			}
			n := 0
			round := func(ctx context.Context) ([]float64, error) {
				var all time.Duration
				for range steps {
					n++
					if e != nil {
						var key, text string
						if key, text, want = e(n); true {
							if err := c.set(ctx, key, text); err != nil {
								return nil, err
							}
						}
					}
					sum, took, err := c.ask(ctx)
					if err == nil {
						err = compare.Same("sum", sum, want)
					}
					if err != nil {
						return nil, err
					}
					all += took
				}
				return []float64{compare.PerItem(all, steps) / 1e3}, nil
			}
			return compare.Session{Round: round, Close: c.close}, nil
		}
	}, peers...)}
}

// beside is a case in which the shared text changes, and the first to ask for anything asks for
// what does not rest on it.
func beside(env *compare.Env, s shape, steps int) compare.Case {
	return compare.Case{Name: "beside", Columns: columns, Entrants: entrants(func(m maker) func(context.Context) (compare.Session, error) {
		return func(ctx context.Context) (compare.Session, error) {
			dir, err := env.TempDir("beside")
			if err != nil {
				return compare.Session{}, err
			}
			c, err := m.make(ctx, dir, s)
			if err != nil {
				return compare.Session{}, err
			}
			n := 0
			round := func(ctx context.Context) ([]float64, error) {
				var all time.Duration
				for range steps {
					n++
					if _, _, err := c.ask(ctx); err != nil { // all of it is up to date
						return nil, err
					}
					if err := c.set(ctx, "shared", fmt.Sprintf("%0*d", base, n)); err != nil {
						return nil, err
					}
					length, took, err := c.one(ctx)
					if err == nil {
						err = compare.Same("length", length, base)
					}
					if err != nil {
						return nil, err
					}
					all += took
				}
				return []float64{compare.PerItem(all, steps) / 1e3}, nil
			}
			return compare.Session{Round: round, Close: c.close}, nil
		}
	}, peers...)}
}

// reopened is a case in which each round opens the store, edits a file and asks.
func reopened(env *compare.Env, s shape, all int) compare.Case {
	return compare.Case{Name: "reopened", Columns: columns, Entrants: entrants(func(m maker) func(context.Context) (compare.Session, error) {
		return func(ctx context.Context) (compare.Session, error) {
			dir, err := env.TempDir("reopened")
			if err != nil {
				return compare.Session{}, err
			}
			n := 0
			round := func(ctx context.Context) (figures []float64, err error) {
				c, err := m.make(ctx, dir, s)
				if err != nil {
					return nil, err
				}
				defer func() {
					if cerr := c.close(); err == nil {
						err = cerr
					}
				}()
				if n == 0 { // all of it is computed, and stored when it is closed
					if _, _, err := c.ask(ctx); err != nil {
						return nil, err
					}
					if err := c.close(); err != nil {
						return nil, err
					}
					if c, err = m.make(ctx, dir, s); err != nil {
						return nil, err
					}
				}
				n++
				if err := c.set(ctx, key(s.files/3), fmt.Sprintf("%0*d", base+n, 0)); err != nil {
					return nil, err
				}
				sum, took, err := c.ask(ctx)
				if err == nil {
					err = compare.Same("sum", sum, all+n)
				}
				return []float64{compare.PerItem(took, 1) / 1e3}, err
			}
			return compare.Session{Round: round}, nil
		}
	}, peers[0])}
}
