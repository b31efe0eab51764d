package queue

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cytisus/cytisus/affinity"
)

// A transfer is a way to hand items over. Rivals (channel, mutex ring) are here to keep our own in
// sight; the full comparison with other libraries lives in the benchmarks module.
type transfer struct {
	push func(*int) bool
	pop  func() (*int, bool)
}

const benchCapacity = 1024

func transfers() map[string]func() transfer {
	return map[string]func() transfer{
		"MPMC": func() transfer { r := NewMPMC[*int](benchCapacity); return transfer{r.TryPush, r.TryPop} },
		"channel": func() transfer {
			c := make(chan *int, benchCapacity)
			return transfer{
				func(v *int) bool {
					select {
					case c <- v:
						return true
					default:
						return false
					}
				},
				func() (v *int, ok bool) {
					select {
					case v = <-c:
						return v, true
					default:
						return nil, false
					}
				},
			}
		},
		"mutex": func() transfer {
			var mu sync.Mutex
			r := NewSPSC[*int](benchCapacity)
			return transfer{
				func(v *int) bool { mu.Lock(); defer mu.Unlock(); return r.TryPush(v) },
				func() (*int, bool) { mu.Lock(); defer mu.Unlock(); return r.TryPop() },
			}
		},
	}
}

// backOffWhile repeats a call that can say "not now" until it succeeds.
func backOffWhile(failed func() bool) {
	for i := 0; failed(); i++ {
		if affinity.Relax(); i%16 == 15 {
			runtime.Gosched()
		}
	}
}

// BenchmarkRing moves single items. One iteration is one item in and out.
func BenchmarkRing(b *testing.B) {
	for name, mk := range transfers() {
		b.Run("shape=pair/queue="+name, func(b *testing.B) {
			x, v := mk(), new(int)
			b.ReportAllocs()
			for b.Loop() {
				x.push(v)
				x.pop()
			}
		})
		b.Run("shape=1P1C/queue="+name, func(b *testing.B) { benchPC(b, mk(), 1, 1) })
		b.Run("shape=2P2C/queue="+name, func(b *testing.B) { benchPC(b, mk(), 2, 2) })
		b.Run("shape=2T/queue="+name, func(b *testing.B) { bench2T(b, mk()) })
	}
	b.Run("shape=pair/queue=SC", func(b *testing.B) {
		r, v := NewMPMC[*int](benchCapacity), new(int)
		for b.Loop() {
			r.TryPush(v)
			r.TryPopSC()
		}
	})
	b.Run("shape=1P1C/queue=SC", func(b *testing.B) {
		r := NewMPMC[*int](benchCapacity)
		benchPC(b, transfer{r.TryPush, r.TryPopSC}, 1, 1)
	})
	b.Run("shape=pair/queue=SPSC", func(b *testing.B) {
		r, v := NewSPSC[*int](benchCapacity), new(int)
		for b.Loop() {
			r.TryPush(v)
			r.TryPop()
		}
	})
	b.Run("shape=1P1C/queue=SPSC", func(b *testing.B) {
		r := NewSPSC[*int](benchCapacity)
		benchPC(b, transfer{r.TryPush, r.TryPop}, 1, 1)
	})
	b.Run("shape=empty/queue=MPMC", func(b *testing.B) {
		r := NewMPMC[*int](benchCapacity)
		for b.Loop() {
			r.TryPop()
		}
	})
}

// benchPC has producers only push and consumers only pop.
func benchPC(b *testing.B, x transfer, producers, consumers int) {
	v := new(int)
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for range share(b.N, producers, p) {
				backOffWhile(func() bool { return !x.push(v) })
			}
		})
	}
	for c := range consumers {
		wg.Go(func() {
			for range share(b.N, consumers, c) {
				backOffWhile(func() bool { _, ok := x.pop(); return !ok })
			}
		})
	}
	wg.Wait()
}

// bench2T has two threads push and pop in turn, and reports the share of the work that the slower
// one had done when the faster one was through: 0.5 is fair.
func bench2T(b *testing.B, x transfer) {
	v := new(int)
	var wg sync.WaitGroup
	var took [2]time.Duration
	for t := range took {
		wg.Go(func() {
			start := time.Now()
			for range share(b.N, 2, t) {
				backOffWhile(func() bool { return !x.push(v) })
				backOffWhile(func() bool { _, ok := x.pop(); return !ok })
			}
			took[t] = time.Since(start)
		})
	}
	wg.Wait()
	fast, slow := min(took[0], took[1]), max(took[0], took[1])
	b.ReportMetric(float64(fast)/float64(fast+slow), "fairness")
}

// share splits n into parts as evenly as it goes.
func share(n, parts, part int) int { return n/parts + min(max(n%parts-part, 0), 1) }

// BenchmarkBatch moves items by 64 between two threads. One iteration is one item.
func BenchmarkBatch(b *testing.B) {
	type batches interface {
		PushN([]*int) int
		PopN([]*int) int
	}
	for name, r := range map[string]batches{
		"MPMC": NewMPMC[*int](benchCapacity), "SPSC": NewSPSC[*int](benchCapacity),
	} {
		b.Run("shape=1P1C/queue="+name, func(b *testing.B) {
			const size = 64
			var wg sync.WaitGroup
			wg.Go(func() {
				vs := make([]*int, size)
				for left := b.N; left > 0; {
					n := r.PushN(vs[:min(size, left)])
					if left -= n; n == 0 {
						affinity.Relax()
					}
				}
			})
			wg.Go(func() {
				dst := make([]*int, size)
				for left := b.N; left > 0; {
					n := r.PopN(dst[:min(size, left)])
					if left -= n; n == 0 {
						affinity.Relax()
					}
				}
			})
			wg.Wait()
		})
	}
}

func BenchmarkLanes(b *testing.B) {
	v := new(int)
	b.Run("op=empty-pop", func(b *testing.B) {
		l := NewLanes[*int]()
		for b.Loop() {
			l.Pop(AllLanes)
		}
	})
	b.Run("op=empty-any", func(b *testing.B) {
		l := NewLanes[*int]()
		for b.Loop() {
			l.Any(AllLanes)
		}
	})
	pushPop := func(b *testing.B, l *Lanes[*int]) {
		must(b, l.Push(20, v)) // the lane never runs empty
		for b.Loop() {
			_ = l.Push(20, v)
			l.Pop(AllLanes)
		}
	}
	overtaking := func() *Lanes[*int] {
		l := NewLanes[*int]()
		l.Overtake(AllLanes)
		return l
	}
	b.Run("op=push-pop/overtake=false", func(b *testing.B) { pushPop(b, NewLanes[*int]()) })
	b.Run("op=push-pop/overtake=true", func(b *testing.B) { pushPop(b, overtaking()) })
	b.Run("op=push-pop-pop", func(b *testing.B) { // the bit is set and cleared each time
		l := NewLanes[*int]()
		for b.Loop() {
			_ = l.Push(20, v)
			l.Pop(AllLanes)
			l.Pop(AllLanes)
		}
	})
	handOver := func(b *testing.B, l *Lanes[*int]) {
		benchPC(b, transfer{
			func(v *int) bool { return l.TryPushBounded(20, v) == nil },
			func() (*int, bool) { v, _, ok := l.Pop(AllLanes); return v, ok },
		}, 1, 1)
	}
	b.Run("op=1P1C/overtake=false", func(b *testing.B) { handOver(b, NewLanes[*int]()) })
	b.Run("op=1P1C/overtake=true", func(b *testing.B) { handOver(b, overtaking()) })
}

func BenchmarkPark(b *testing.B) {
	for name, mk := range map[string]func() parker{
		"Parker": func() parker { return new(Parker) }, "ChanParker": func() parker { return new(ChanParker) },
	} {
		b.Run("wait=token/parker="+name, func(b *testing.B) {
			p := mk()
			for b.Loop() {
				p.Unpark()
				p.Park(0, time.Time{})
			}
		})
		b.Run("wait=round-trip/parker="+name, func(b *testing.B) { // two wakes of a sleeper, both threads locked
			ping, pong := mk(), mk()
			var wg sync.WaitGroup
			wg.Go(func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				for range b.N {
					ping.Park(0, time.Time{})
					pong.Unpark()
				}
			})
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for range b.N {
				ping.Unpark()
				pong.Park(0, time.Time{})
			}
			wg.Wait()
		})
	}
}

func BenchmarkIdleNotify(b *testing.B) {
	b.Run("asleep=0", func(b *testing.B) {
		x := NewIdle(2, func() bool { return false }, nil)
		for b.Loop() {
			x.Notify()
		}
	})
}
