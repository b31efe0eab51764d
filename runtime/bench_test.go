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

// BenchmarkScan reads 100,000 values of a struct type: with one worker, alone; with two, helped
// where that pays.
func BenchmarkScan(b *testing.B) {
	type record struct {
		Name  string
		Lines []int
	}
	part := runtime.NewPartition[record]("benchScan")
	for _, n := range []int{200, 2000, 10_000, 100_000} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("n=%d/workers=%d", n, workers), func(b *testing.B) {
				e := open(b, "", runtime.Options{Workers: workers})
				err := e.Commit(b.Context(), func(w *runtime.Writer) error {
					for i := range n {
						if err := part.Put(w, fmt.Sprintf("%08d", i), record{fmt.Sprint("name ", i), []int{i, 2 * i, 3 * i}}); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				inTask(b, e, func(t *runtime.Task) {
					for b.Loop() {
						sum := 0
						if err := part.Scan(t, runtime.All(), func(_ string, v record) error { sum += v.Lines[0]; return nil }); err != nil {
							b.Error(err)
						}
					}
				})
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/value")
			})
		}
	}
}
