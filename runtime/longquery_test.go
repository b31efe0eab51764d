package runtime_test

import (
	"sync/atomic"
	"testing"

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
