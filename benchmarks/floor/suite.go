package floor

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/ground"
)

// Suite is the comparison; see the package comment.
func Suite() compare.Suite {
	return compare.Suite{
		Name: "floor", Cases: cases, RoundMax: 10 * time.Minute,
		Doc: "Go code from nothing: cytisus index beside go list, go/parser and go/types alone",
	}
}

func cases(env *compare.Env) (list []compare.Case, err error) {
	command := sync.OnceValues(func() (string, error) {
		return ground.Command(context.Background(), env)
	})
	sizes := ground.Sizes()
	if env.Quick {
		sizes = sizes[:1]
	}
	for _, size := range sizes {
		load := sync.OnceValues(func() (*ground.Ground, error) {
			return ground.Load(context.Background(), env, size)
		})
		built := func() (*ground.Ground, error) {
			if _, err := command(); err != nil {
				return nil, err
			}
			return load()
		}
		list = append(list, compare.Case{
			Name: size,
			Columns: []compare.Column{
				{Suffix: "-time", Unit: "s"},
				{Suffix: "-cpu", Unit: "s"},
			},
			Entrants: []compare.Entrant{
				{Name: "cytisus", Ours: true, Start: starting(built, index(env, command))},
				{Name: "go-list", Start: starting(load, listAll)},
				{Name: "go-parser", Start: starting(load, inProcess(parseAll))},
				{Name: "go-types", Start: starting(load, inProcess(checkAll))},
			},
		})
	}
	return list, nil
}

// A work reads a ground and returns the processor time that it took, less than 0 if unknown.
type work func(context.Context, *ground.Ground) (cpu time.Duration, err error)

// starting makes an entrant's Start.
func starting(
	load func() (*ground.Ground, error), w work,
) func(context.Context) (compare.Session, error) {
	return func(context.Context) (compare.Session, error) {
		g, err := load()
		return compare.Session{Round: func(ctx context.Context) ([]float64, error) {
			began := time.Now()
			cpu, err := w(ctx, g)
			return []float64{time.Since(began).Seconds(), seconds(cpu)}, err
		}}, err
	}
}

// seconds are those of a duration, NaN for an unknown one.
func seconds(d time.Duration) float64 {
	if d < 0 {
		return math.NaN()
	}
	return d.Seconds()
}

// index runs cytisus index in a new store.
func index(env *compare.Env, command func() (string, error)) work {
	return func(ctx context.Context, g *ground.Ground) (cpu time.Duration, err error) {
		path, err := command()
		if err != nil {
			return 0, err
		}
		dir, err := env.TempDir("store")
		if err != nil {
			return 0, err
		}
		defer os.RemoveAll(dir)
		store := filepath.Join(dir, "store")
		cmd := exec.CommandContext(ctx, path, "index", "--progress", "none", "--store", store)
		cmd.Dir, cmd.Env = g.Root, ground.Env()
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("cytisus index: %w: %s", err, out)
		}
		return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
	}
}

// listAll runs go list and checks that it lists the same as before.
func listAll(ctx context.Context, g *ground.Ground) (cpu time.Duration, err error) {
	list, cpu, err := ground.List(ctx, g.Root)
	if err == nil {
		err = compare.Same("packages listed", len(list), len(g.Packages))
	}
	return cpu, err
}

// inProcess measures the processor time of this process around some work.
func inProcess(read func(context.Context, *ground.Ground) error) work {
	return func(ctx context.Context, g *ground.Ground) (time.Duration, error) {
		before := processorTime()
		err := read(ctx, g)
		if before < 0 {
			return -1, err
		}
		return processorTime() - before, err
	}
}
