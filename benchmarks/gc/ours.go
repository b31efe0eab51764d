package gc

import (
	"bytes"
	"context"
	"log/slog"
	"strings"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/latency"
)

var values = runtime.NewPartition[[]byte]("values")

type ours struct{ e *runtime.Engine }

func openOurs(dir string) (contender, error) { return open(dir, runtime.Options{}) }

func openUncollected(dir string) (contender, error) {
	return open(dir, runtime.Options{CollectEvery: -1})
}

func open(dir string, o runtime.Options) (contender, error) {
	o.Logger = slog.New(slog.DiscardHandler)
	e, err := runtime.Open(dir, o)
	if err != nil {
		return nil, err
	}
	e.Profiling(true)
	return ours{e}, nil
}

func (o ours) overwrite(ctx context.Context, keys []string, list [][]byte) error {
	return o.e.Commit(ctx, func(w *runtime.Writer) error {
		for i, key := range keys {
			if err := values.Put(w, key, list[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (o ours) get(key string) ([]byte, error) {
	s := o.e.Snapshot()
	defer s.Release()
	v, err := values.Get(s, key)
	return bytes.Clone(v), err
}

func (o ours) collect(ctx context.Context) error {
	_, err := o.e.Collect(ctx)
	return err
}

func (o ours) slices() latency.Histogram { return o.e.Stats().Collector.Slices }

func (o ours) close() error { return o.e.Close(context.Background()) }

// oursReclaims: collections are tasks with a name, and what is done beside them is the collector's
// package.
func oursReclaims(labels map[string][]string, origin string) bool {
	for _, task := range labels["task"] {
		if strings.HasPrefix(task, "collect") {
			return true
		}
	}
	return strings.Contains(origin, "cytisus/runtime/gc.")
}
