package runtime_test

import (
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/runtime"
)

// longQuery is what the long query and its test tell each other: that it has begun, and that it may
// end.
var longQuery struct {
	begun chan struct{}
	end   atomic.Bool
}

var longComputes = runtime.NewQuery("long computes", 1, func(t *runtime.Task, key string) (int, error) {
	text, err := inputs.Get(t, key)
	close(longQuery.begun)
	for !longQuery.end.Load() { // it asks the engine for nothing
	}
	return len(text), err
})

// While a query computes on the only worker, others are asked and answered, commits are made, and
// watchers run; then its answer is right.
func TestLongQueryStarvesNobody(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	put(t, e, inputs, "long", "four")
	longQuery.begun = make(chan struct{})
	longQuery.end.Store(false)
	defer longQuery.end.Store(true)
	seen := make(chan string, 8)
	stop, err := e.Watch(inputs, runtime.All(), func(t *runtime.Task, c runtime.Changes) error {
		text, err := inputs.Get(t, "short")
		seen <- text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	long := make(chan error, 1)
	go func() {
		n, err := longComputes.Ask(t.Context(), e, "long")
		if n != 4 {
			t.Errorf("the long one: %d", n)
		}
		long <- err
	}()
	<-longQuery.begun
	for _, text := range []string{"a", "ab", "abc"} {
		put(t, e, inputs, "short", text)
		if n, err := faceLength.Ask(t.Context(), e, "short"); err != nil || n != len(text) {
			t.Errorf("%d, %v", n, err)
		}
	}
	for text := ""; text != "abc"; {
		text = <-seen
	}
	longQuery.end.Store(true)
	if err := <-long; err != nil {
		t.Error(err)
	}
}

// oneOfMany moves the epochs on, if no reader holds them back.
var oneOfMany = runtime.NewQuery("one of many", 1, func(t *runtime.Task, key int) (int, error) {
	many.epochs.TryAdvance()
	many.epochs.Collect()
	if many.freed.Load() && many.at == 0 {
		many.at = key
	}
	return key, nil
})

// many is what oneOfMany and its test tell each other.
var many struct {
	epochs *epoch.Domain
	freed  atomic.Bool
	at     int
}

// A task that runs many queries, one after the other, without a wait holds back no memory while it
// does: what is retired during one of them is freed during a later one.
func TestManyQueriesHoldBackNoMemory(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	many.epochs, many.at = e.Epochs(), 0
	many.freed.Store(false)
	const queries = 1000
	err := e.Submit(t.Context(), 0, func(t *runtime.Task) error {
		many.epochs.Retire(1, func() { many.freed.Store(true) })
		for key := 1; key <= queries; key++ {
			if _, err := oneOfMany.Get(t, key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if many.at == 0 {
		t.Errorf("not freed during %d queries", queries)
	}
}
