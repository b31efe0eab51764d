package runtime_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

var (
	memosAsked = flag.Int("memos", 30_000, "how many keys of a query are asked about under a limit (make memos)")
	memosLimit = flag.Int64("memos.limit", 256, "the limit, in MiB")
)

var squares = runtime.NewQuery("limit/squares", 1, func(t *runtime.Task, n uint64) (uint64, error) {
	_, err := inputs.Get(t, "k")
	return n * n, err
})

// Many small answers are computed and found again under a limit on memory, which holds at every
// moment. Those that have left memory come from the store. Only those that were measured to be
// quicker to compute than to load are in no store, and are computed again.
func TestMemosUnderALimit(t *testing.T) {
	limit := *memosLimit << 20
	e := open(t, t.TempDir(), runtime.Options{Workers: 2, MemoryLimit: limit, LimitGo: true, Logger: quiet})
	put(t, e, inputs, "k", "text")
	quit, peak := make(chan struct{}), make(chan int64)
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		most := int64(0)
		for {
			r, _ := arena.ReadResidence()
			most = max(most, r.Resident)
			select {
			case <-quit:
				peak <- most
				return
			case <-tick.C:
			}
		}
	}()
	const together = 10_000
	askAll := func() {
		t.Helper()
		began := time.Now()
		for from := 0; from < *memosAsked; from += together {
			err := e.Submit(t.Context(), lane.Default, func(task *runtime.Task) error {
				for n := from; n < min(from+together, *memosAsked); n++ {
					if got, err := squares.Get(task, uint64(n)); err != nil || got != uint64(n)*uint64(n) {
						return fmt.Errorf("the square of %d is %d, %w", n, got, err)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%d answers in %v", *memosAsked, time.Since(began).Round(time.Millisecond))
	}
	askAll()
	first := e.Stats().Queries[squares.Name()]
	askAll()
	close(quit)
	most := <-peak
	q := e.Stats().Queries[squares.Name()]
	if again := q.Ran - first.Ran; again > first.Unstored {
		t.Errorf("%d answers were computed again, and %d of the first time were not stored", again, first.Unstored)
	}
	t.Logf("%d MiB in memory at most, the limit is %d; ran %d, not stored %d; a run takes %v, loading %v, cheap: %t", most>>20, *memosLimit, q.Ran, q.Unstored, q.RunTime, q.LoadTime, q.Cheap)
	if !raceEnabled && most > limit {
		t.Errorf("%d MiB were in memory, the limit is %d", most>>20, *memosLimit)
	}
}
