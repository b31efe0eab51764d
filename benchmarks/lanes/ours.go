package lanes

import (
	_ "sync/atomic" // see "Speed of instances" in package queue

	"github.com/cytisus/cytisus/queue"
)

func newOurs() contender {
	l := queue.NewLanesCap[*item](capacity)
	return contender{
		push: func(lane int, it *item) bool { return l.TryPushBounded(lane, it) == nil },
		pop: func() *item {
			it, _, _ := l.Pop(queue.AllLanes)
			return it
		},
		polls: func(n int) (found int) {
			for range n {
				if _, _, ok := l.Pop(queue.AllLanes); ok {
					found++
				}
			}
			return found
		},
		looks: func(n int) (found int) {
			for range n {
				if l.Any(queue.AllLanes) {
					found++
				}
			}
			return found
		},
		pairs: func(lane, n int) (sum uint64) {
			for i := range n {
				_ = l.Push(lane, &items[i%lap])
				if it, _, ok := l.Pop(queue.AllLanes); ok {
					sum += it.id
				}
			}
			return sum
		},
		dry: func(lane, n int) (sum uint64) {
			for i := range n {
				_ = l.Push(lane, &items[i%lap])
				for {
					it, _, ok := l.Pop(queue.AllLanes)
					if !ok {
						break
					}
					sum += it.id
				}
			}
			return sum
		},
		batch: func(lane, n, size int) (sum uint64) {
			in, out := make([]*item, size), make([]*item, size)
			for at := 0; at < n; at += size {
				for i := range in {
					in[i] = &items[(at+i)%lap]
				}
				_ = l.PushN(lane, in)
				k, _ := l.PopN(queue.AllLanes, out)
				for _, it := range out[:k] {
					sum += it.id
				}
			}
			return sum
		},
	}
}

// newRings is 31 of our rings without an occupancy word.
func newRings() contender {
	var rings [lanes]*queue.MPMC[*item]
	for i := range rings {
		rings[i] = queue.NewMPMC[*item](capacity)
	}
	return scanning(
		func(lane int, it *item) bool { return rings[lane].TryPush(it) },
		func() *item {
			for _, r := range rings {
				if it, ok := r.TryPop(); ok {
					return it
				}
			}
			return nil
		})
}

// newSingle is one of our rings, which knows no lanes: the floor of the cases with one lane in use.
func newSingle() contender {
	r := queue.NewMPMC[*item](capacity)
	return contender{
		push: func(_ int, it *item) bool { return r.TryPush(it) },
		pop: func() *item {
			it, _ := r.TryPop()
			return it
		},
		pairs: func(_, n int) (sum uint64) {
			for i := range n {
				r.TryPush(&items[i%lap])
				if it, ok := r.TryPop(); ok {
					sum += it.id
				}
			}
			return sum
		},
		dry: func(_, n int) (sum uint64) {
			for i := range n {
				r.TryPush(&items[i%lap])
				for {
					it, ok := r.TryPop()
					if !ok {
						break
					}
					sum += it.id
				}
			}
			return sum
		},
		batch: func(_, n, size int) (sum uint64) {
			in, out := make([]*item, size), make([]*item, size)
			for at := 0; at < n; at += size {
				for i := range in {
					in[i] = &items[(at+i)%lap]
				}
				r.PushN(in)
				for _, it := range out[:r.PopN(out)] {
					sum += it.id
				}
			}
			return sum
		},
	}
}
