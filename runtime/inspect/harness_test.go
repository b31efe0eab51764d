package inspect_test

import (
	"context"
	"log/slog"
	"testing"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/runtime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens an engine that the test closes; dir "" is memory.
func open(t testing.TB, dir string) *runtime.Engine {
	t.Helper()
	e, err := runtime.Open(dir, runtime.Options{Workers: 1, SegmentBytes: 1 << 20, Logger: slog.New(slog.DiscardHandler)})
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
