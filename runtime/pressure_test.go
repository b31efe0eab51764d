package runtime_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// A request that comes while a collection has the only worker waits for the slice that is under
// way, and for no more than one further: that of the idle lane's share. Counted in slices.
func TestRequestWaitsForOneSlice(t *testing.T) {
	// For a bound worker no other thread stands in: a request that has begun, and whose thread is
	// held up before it counts, would see the slices that a stand-in does meanwhile.
	e := open(t, "", runtime.Options{Workers: 1, CollectEvery: -1, Affinity: affinity.On})
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		for i := range 20_000 {
			if err := inputs.Put(w, fmt.Sprint(i), noise(uint64(i), 50)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices := func() uint64 { return e.Stats().Collector.Slices.Count() }
	var waited [3]atomic.Int64 // by slices, the last for more
	var requests sync.WaitGroup
	err = e.Submit(t.Context(), lane.Idle, func(task *runtime.Task) error {
		return e.CollectGivingWay(task, func() {
			came := slices()
			requests.Add(1)
			_, err := e.Go(context.Background(), lane.RPC0, func(*runtime.Task) error {
				waited[min(slices()-came, 2)].Add(1)
				requests.Done()
				return nil
			})
			if err != nil {
				t.Error(err)
				requests.Done()
			}
		})
	})
	requests.Wait()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests waited for no further slice, %d for one, %d for more",
		waited[0].Load(), waited[1].Load(), waited[2].Load())
	if waited[2].Load() > 0 || waited[0].Load() < 100 {
		t.Error("want many, and none that waits for more than one")
	}
}
