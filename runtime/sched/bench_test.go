package sched

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/runtime/lane"
)

// BenchmarkSubmit is submit-and-run of a trivial task from outside, against a plain channel pool and a goroutine each.
func BenchmarkSubmit(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			p := newPool(b, Options{Workers: workers})
			var left atomic.Int64
			left.Store(int64(b.N))
			all := make(chan struct{})
			fn := func(*Task) error {
				if left.Add(-1) == 0 {
					close(all)
				}
				return nil
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if _, err := p.Submit(bg, Spec{Lane: lane.Default}, fn); err != nil {
					b.Fatal(err)
				}
			}
			<-all
		})
	}
	b.Run("rival/channel", func(b *testing.B) {
		work := make(chan func(), 4096)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for fn := range work {
					fn()
				}
			})
		}
		var left atomic.Int64
		b.ReportAllocs()
		for range b.N {
			work <- func() { left.Add(-1) }
		}
		close(work)
		wg.Wait()
	})
	b.Run("rival/goroutine", func(b *testing.B) {
		var wg sync.WaitGroup
		var left atomic.Int64
		b.ReportAllocs()
		for range b.N {
			wg.Go(func() { left.Add(-1) })
		}
		wg.Wait()
	})
}

// BenchmarkSpawn is spawn-and-run of a trivial task from inside a task, in batches.
func BenchmarkSpawn(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			p := newPool(b, Options{Workers: workers})
			b.ReportAllocs()
			b.ResetTimer()
			h := submit(b, p, Spec{}, func(t *Task) error {
				for left := b.N; left > 0; {
					n := min(left, 256)
					left -= n
					var all Event
					var open atomic.Int64
					open.Store(int64(n))
					fn := func(*Task) error {
						if open.Add(-1) == 0 {
							all.Fire()
						}
						return nil
					}
					for range n {
						if _, err := t.Spawn(Spec{}, fn); err != nil {
							return err
						}
					}
					if err := t.Await(&all); err != nil {
						return err
					}
				}
				return nil
			})
			if err := wait(b, h); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkAwait is one wait and its resume, with so many tasks waiting at the same time: each in turn fires the event
// that the next one waits for.
func BenchmarkAwait(b *testing.B) {
	for _, tasks := range []int{2, 1000} {
		b.Run(fmt.Sprintf("tasks=%d", tasks), func(b *testing.B) {
			p := newPool(b, Options{Workers: 1})
			turns := make([]Event, b.N+1)
			b.ReportAllocs()
			b.ResetTimer()
			runAll(b, p, tasks, func(t *Task, i int) error {
				for at := i; at < b.N; at += tasks {
					if err := t.Await(&turns[at]); err != nil {
						return err
					}
					turns[at+1].Fire()
				}
				return nil
			}, &turns[0])
		})
	}
}

// BenchmarkYield is one yield between two tasks.
func BenchmarkYield(b *testing.B) {
	p := newPool(b, Options{Workers: 1})
	var start Event
	b.ReportAllocs()
	b.ResetTimer()
	runAll(b, p, 2, func(t *Task, _ int) error {
		if err := t.Await(&start); err != nil {
			return err
		}
		for range b.N / 2 {
			t.Yield()
		}
		return nil
	}, &start)
}

// runAll runs n tasks, fires start once all have been submitted, and waits for them.
func runAll(b *testing.B, p *Pool, n int, fn func(t *Task, i int) error, start *Event) {
	h := submit(b, p, Spec{}, func(t *Task) error {
		var hs []*Handle
		for i := range n {
			h, err := t.Spawn(Spec{}, func(t *Task) error { return fn(t, i) })
			if err != nil {
				return err
			}
			hs = append(hs, h)
		}
		start.Fire()
		for _, h := range hs {
			if err := t.Join(h); err != nil {
				return err
			}
		}
		return nil
	})
	if err := wait(b, h); err != nil {
		b.Fatal(err)
	}
}
