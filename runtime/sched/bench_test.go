package sched

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
)

// A tally of n tasks, for benchmarks.
func countdown(n int) (fn func(*Task) error, all chan struct{}) {
	var left atomic.Int64
	left.Store(int64(n))
	all = make(chan struct{})
	return func(*Task) error {
		if left.Add(-1) == 0 {
			close(all)
		}
		return nil
	}, all
}

// reportCPU adds the processor time of each of b.N operations, which repeats on a busy machine.
func reportCPU(b *testing.B, before int64, clock func() int64) {
	b.ReportMetric(float64(clock()-before)/float64(b.N), "cpu-ns/op")
}

// BenchmarkSubmit is submit-and-run of a trivial task from outside, against a plain channel pool
// and a goroutine each.
func BenchmarkSubmit(b *testing.B) {
	for _, workers := range []int{1, 2} {
		for _, form := range []string{"Submit", "Go"} {
			b.Run(fmt.Sprintf("by=%s/workers=%d", form, workers), func(b *testing.B) {
				p := newPool(b, Options{Workers: workers, StandIns: 2})
				fn, all := countdown(b.N)
				b.ReportAllocs()
				b.ResetTimer()
				before := processCPU()
				for range b.N {
					var err error
					if form == "Go" {
						err = p.Go(bg, Spec{Lane: lane.Default}, fn)
					} else {
						_, err = p.Submit(bg, Spec{Lane: lane.Default}, fn)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				<-all
				reportCPU(b, before, processCPU)
			})
		}
	}
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("rival=channel/workers=%d", workers), func(b *testing.B) {
			work := make(chan func(*Task) error, 4096)
			var wg sync.WaitGroup
			for range workers {
				wg.Go(func() {
					for fn := range work {
						_ = fn(nil)
					}
				})
			}
			fn, all := countdown(b.N)
			b.ReportAllocs()
			b.ResetTimer()
			before := processCPU()
			for range b.N {
				work <- fn
			}
			<-all
			reportCPU(b, before, processCPU)
			close(work)
			wg.Wait()
		})
	}
	b.Run("rival=goroutine", func(b *testing.B) {
		var wg sync.WaitGroup
		fn, _ := countdown(b.N)
		task := func() { _ = fn(nil) }
		b.ReportAllocs()
		before := processCPU()
		for range b.N {
			wg.Go(task)
		}
		wg.Wait()
		reportCPU(b, before, processCPU)
	})
}

// BenchmarkSpawn is spawn-and-run of a trivial task from inside a task, in bursts.
func BenchmarkSpawn(b *testing.B) {
	const burst = 256
	for _, workers := range []int{1, 2} {
		for _, form := range []string{"Spawn", "Go"} {
			b.Run(fmt.Sprintf("by=%s/workers=%d", form, workers), func(b *testing.B) {
				o := Options{Workers: workers, StandIns: 2}
				if workers == 1 {
					o.StandIns = -1 // the tasks share a plain count
				}
				p := newPool(b, o)
				b.ReportAllocs()
				b.ResetTimer()
				h := submit(b, p, Spec{}, func(t *Task) error {
					before := processCPU()
					for left := b.N; left > 0; {
						n := min(left, burst)
						left -= n
						all := new(Event)
						open := n
						var shared atomic.Int64
						shared.Store(int64(n))
						fn := func(*Task) error {
							if workers == 1 {
								if open--; open == 0 {
									all.Fire()
								}
							} else if shared.Add(-1) == 0 {
								all.Fire()
							}
							return nil
						}
						for range n {
							var err error
							if form == "Go" {
								err = t.Go(Spec{}, fn)
							} else {
								_, err = t.Spawn(Spec{}, fn)
							}
							if err != nil {
								return err
							}
						}
						if err := t.Await(all); err != nil {
							return err
						}
					}
					if workers == 1 {
						reportCPU(b, before, processCPU)
					}
					return nil
				})
				if err := wait(b, h); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}

// BenchmarkAwait is one wait and its resume, with so many tasks waiting at the same time: each in
// turn fires the event that the next one waits for.
func BenchmarkAwait(b *testing.B) {
	for _, tasks := range []int{2, 1000} {
		b.Run(fmt.Sprintf("tasks=%d", tasks), func(b *testing.B) {
			p := newPool(b, Options{Workers: 1, StandIns: 2})
			turns := make([]Event, b.N+1)
			b.ReportAllocs()
			b.ResetTimer()
			defer reportCPU(b, processCPU(), processCPU)
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
	p := newPool(b, Options{Workers: 1, StandIns: 2})
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

// BenchmarkStartBesideHeld is the time from a submit to the start of a question while the code of a
// task holds each worker, and computes: code that has said so, and code that has not.
func BenchmarkStartBesideHeld(b *testing.B) {
	for _, says := range []bool{true, false} {
		b.Run(fmt.Sprintf("stretch=%v", says), func(b *testing.B) {
			waits := make([]time.Duration, b.N)
			for i := range waits {
				p := standsIn(b, Options{Workers: 2})
				var release Event
				in := make(chan struct{}, 2)
				for range 2 {
					submit(b, p, Spec{Lane: lane.Default}, func(task *Task) error {
						hold := func() error {
							in <- struct{}{}
							for !release.Fired() { // no call of the scheduler
							}
							return nil
						}
						if says {
							return task.Stretch(hold)
						}
						return hold()
					})
				}
				<-in
				<-in
				begin := time.Now()
				if err := wait(b, submit(b, p, Spec{Lane: lane.RPC2}, func(*Task) error {
					waits[i] = time.Since(begin)
					return nil
				})); err != nil {
					b.Error(err)
				}
				release.Fire()
				if err := p.Close(bg); err != nil {
					b.Error(err)
				}
			}
			slices.Sort(waits)
			b.ReportMetric(float64(waits[len(waits)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(waits[len(waits)*9/10].Microseconds()), "p90-us")
		})
	}
}
