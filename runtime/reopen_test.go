package runtime_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/cytisus/cytisus/runtime"
)

// A program that opens a store, changes one text and asks again looks at what rests on that text,
// also where texts may be in a volatile partition, which is empty by then.
func TestReopenedLooksAtWhatChanged(t *testing.T) {
	saved := runtime.NewPartition[string]("reopened: saved")
	unsaved := runtime.NewPartition[string]("reopened: unsaved", runtime.Volatile)
	leaf := runtime.NewQuery("reopened: leaf", 1, func(t *runtime.Task, key string) (int, error) {
		there, err := unsaved.Has(t, key)
		if err != nil {
			return 0, err
		}
		from := saved
		if there {
			from = unsaved
		}
		s, err := from.Get(t, key)
		return len(s), err
	})
	var tree *runtime.Query[string, int]
	tree = runtime.NewQuery("reopened: tree", 1, func(t *runtime.Task, key string) (sum int, err error) {
		for i := range 10 {
			n, below := 0, fmt.Sprint(key, i)
			if len(below) == 3 {
				n, err = leaf.Get(t, below)
			} else {
				n, err = tree.Get(t, below)
			}
			if err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	})
	dir := t.TempDir()
	e, err := runtime.Open(dir, runtime.Options{Workers: 1, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	again := func() {
		t.Helper()
		if err := e.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if e, err = runtime.Open(dir, runtime.Options{Workers: 1, Logger: quiet}); err != nil {
			t.Fatal(err)
		}
	}
	sums := func(want, loadedMost int) {
		t.Helper()
		if got := ask(t, e, tree, ""); got != want {
			t.Errorf("the sum is %d, want %d", got, want)
		}
		if n := e.Stats().MemoEntries; n > loadedMost {
			t.Errorf("%d answers were looked at, want at most %d", n, loadedMost)
		}
	}
	for i := range 1000 {
		put(t, e, saved, fmt.Sprintf("%03d", i), "text")
	}
	sums(4000, 1111)
	put(t, e, unsaved, "777", "unsaved text")
	sums(4008, 1111)
	again()
	sums(4000, 31)
	put(t, e, saved, "123", "longer")
	sums(4002, 61)
	again()
	sums(4002, 1)
	put(t, e, saved, "123", "long")
	sums(4000, 31)
	if err := e.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}
