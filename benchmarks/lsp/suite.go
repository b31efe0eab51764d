package lsp

import (
	"context"
	"sync"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/ground"
)

// Suite is the comparison; see the package comment.
func Suite() compare.Suite {
	return compare.Suite{
		Name: "lsp", Cases: cases, RoundMax: 20 * time.Minute,
		Doc: "language servers as an editor sees them: start, questions, edits, memory",
	}
}

// coldRounds bounds the rounds that start from nothing, where that takes long.
const coldRounds = 3

func cases(env *compare.Env) (list []compare.Case, err error) {
	r := &run{
		env:      env,
		servers:  servers(env),
		filled:   make(map[key]string),
		sessions: make(map[key]*client),
	}
	env.Cleanup(func() error { return r.end(context.Background(), "", mode{}) })
	env.Logf("seed        %d", env.Seed)
	sizes := ground.Sizes()
	if env.Quick {
		sizes = sizes[:1]
	}
	for _, size := range sizes {
		list = append(list, r.cases(size)...)
	}
	return list, nil
}

// A run is one run of the suite.
type run struct {
	env      *compare.Env
	servers  []*server
	filled   map[key]string  // directories with what a server has kept of a ground
	sessions map[key]*client // of one ground and mode at a time
}

// A key is a server with a ground.
type key struct {
	size string
	name string
	mode mode
}

// A worker does one round with a server.
type worker func(ctx context.Context, s *server, sc *script, round uint64) ([]float64, error)

// cases are those of one ground.
func (r *run) cases(size string) (list []compare.Case) {
	read := sync.OnceValues(func() (*script, error) {
		g, err := ground.Load(context.Background(), r.env, size)
		if err != nil {
			return nil, err
		}
		return write(g, r.env)
	})
	add := func(name string, columns []compare.Column, rounds int, w worker) {
		c := compare.Case{Name: size + "-" + name, Columns: columns}
		for _, s := range r.servers {
			start := func(ctx context.Context) (session compare.Session, err error) {
				sc, err := read()
				if err == nil {
					_, err = s.command(ctx, "") // builds it
				}
				round := uint64(0)
				session.Round = func(ctx context.Context) ([]float64, error) {
					round++
					return w(ctx, s, sc, round)
				}
				return session, err
			}
			e := compare.Entrant{Name: s.name, Ours: s.ours, Rounds: rounds, Start: start}
			c.Entrants = append(c.Entrants, e)
		}
		list = append(list, c)
	}
	rounds := coldRounds
	if size == "small" {
		rounds = 0
	}
	add("cold", coldColumns, rounds, r.cold)
	add("analysis", analysisColumns, rounds, r.analysis(false))
	add("staticcheck", analysisColumns, rounds, r.analysis(true))
	add("warm", warmColumns, rounds, r.warm)
	for i, k := range kinds {
		add(k.name, spread, 0, r.asking(k, uint64(i)))
	}
	add("type-error", spread, 0, r.typing(mode{}))
	add("renamed", spread, 0, r.renaming)
	add("memory", memoryColumns, 1, r.memory)
	add("pull-error", spread, 0, r.typing(mode{pulls: true}))
	return list
}

// spread are the columns of the cases in which a round asks many questions.
var spread = []compare.Column{{Suffix: "-p50", Unit: "ms"}, {Suffix: "-max", Unit: "ms"}}

// spreadOf are the figures of them.
func spreadOf(took []float64) []float64 {
	return []float64{compare.Quantile(took, 0.5), compare.Quantile(took, 1)}
}

func ms(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
