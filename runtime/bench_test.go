package runtime_test

import (
	"fmt"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// inTask runs a benchmark's body inside a task.
func inTask(b *testing.B, e *runtime.Engine, fn func(*runtime.Task)) {
	b.Helper()
	if err := e.Submit(b.Context(), lane.Default, func(t *runtime.Task) error { fn(t); return nil }); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkQueryHit(b *testing.B) {
	e := open(b, "", runtime.Options{Workers: 1})
	put(b, e, inputs, "k", "text")
	inTask(b, e, func(t *runtime.Task) {
		b.ReportAllocs()
		for b.Loop() {
			if n, err := length.Get(t, "k"); n != 4 || err != nil {
				b.Fatal(n, err)
			}
		}
	})
}

func BenchmarkQueryRun(b *testing.B) {
	e := open(b, "", runtime.Options{Workers: 1})
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		put(b, e, inputs, "k", fmt.Sprint(i))
		ask(b, e, length, "k")
	}
}

func BenchmarkValidateAfterUnrelatedCommit(b *testing.B) {
	for _, keys := range []int{10, 1000} {
		b.Run(fmt.Sprint("keys=", keys), func(b *testing.B) {
			e := open(b, "", runtime.Options{Workers: 1})
			for i := range keys {
				put(b, e, inputs, fmt.Sprintf("a/%04d", i), fmt.Sprint(i))
			}
			ask(b, e, sumOfLengths, "a/")
			i := 0
			for b.Loop() {
				i++
				put(b, e, inputs, "other", fmt.Sprint(i))
				ask(b, e, sumOfLengths, "a/")
			}
		})
	}
}
