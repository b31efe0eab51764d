package keyed_test

import (
	"context"
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/runtime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens an engine in memory that the test closes.
func open(t testing.TB) *runtime.Engine {
	t.Helper()
	e, err := runtime.Open("", runtime.Options{Workers: 1, SegmentBytes: 1 << 20, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func put[V any](t testing.TB, e *runtime.Engine, p *runtime.Partition[V], key string, v V) {
	t.Helper()
	if err := e.Commit(t.Context(), func(w *runtime.Writer) error { return p.Put(w, key, v) }); err != nil {
		t.Fatal(err)
	}
}

func ask[K comparable, V any](t testing.TB, e *runtime.Engine, q *runtime.Query[K, V], k K) V {
	t.Helper()
	v, err := q.Ask(t.Context(), e, k)
	if err != nil {
		t.Fatalf("%s(%v): %v", q.Name(), k, err)
	}
	return v
}

// runs returns how often a query's function ran since it was last asked, by name.
func runs(e *runtime.Engine) func(name string) uint64 {
	last := map[string]uint64{}
	return func(name string) uint64 {
		now := e.Stats().Queries[name].Ran
		n := now - last[name]
		last[name] = now
		return n
	}
}
