package queue

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cytisus/cytisus/affinity"
)

// lanesFor makes lanes that do or do not overtake stopped pushes.
func lanesFor(overtake bool) *Lanes[int] {
	l := NewLanes[int]()
	if overtake {
		<-affinity.WantRemoteFences()
		l.Overtake(AllLanes)
	}
	return l
}

// BenchmarkStoppedPush has a thread sleep for 5 ms inside the claim window of a push, and reports
// how long the first item behind it could not be had: the median and the longest of all rounds.
func BenchmarkStoppedPush(b *testing.B) {
	for _, overtake := range []bool{false, true} {
		b.Run(fmt.Sprintf("overtake=%t", overtake), func(b *testing.B) {
			l := lanesFor(overtake)
			var waits []time.Duration
			for b.Loop() {
				stopped, done := make(chan struct{}), make(chan struct{})
				go func() {
					l.PushSlowly(0, 1, func() { close(stopped); time.Sleep(5 * time.Millisecond) })
					close(done)
				}()
				<-stopped
				must(b, l.Push(0, 2))
				start := time.Now()
				popUntil(l, func(int) bool { return true })
				waits = append(waits, time.Since(start))
				<-done
				popUntil(l, func(int) bool { return !l.Any(AllLanes) || l.Len(0) == 0 })
			}
			slices.Sort(waits)
			b.ReportMetric(float64(waits[len(waits)/2].Nanoseconds()), "median-ns")
			b.ReportMetric(float64(waits[len(waits)-1].Nanoseconds()), "longest-ns")
		})
	}
}

// popUntil pops as a worker does until an item is the last one wanted.
func popUntil(l *Lanes[int], last func(int) bool) {
	for denials := 0; ; {
		v, _, ok := l.Pop(AllLanes)
		switch {
		case ok && last(v):
			return
		case ok:
			denials = 0
		case denials < 16:
			denials++
			affinity.Relax()
		default:
			affinity.Yield()
		}
	}
}
