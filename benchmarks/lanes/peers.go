package lanes

import (
	"container/heap"
	"sync"

	"github.com/puzpuzpuz/xsync/v4"
)

// scanning makes a contender of a push and a pop. The two are closures, so each call costs about 2
// ns more than a direct one, which is little beside the look at 31 queues.
func scanning(push func(lane int, it *item) bool, pop func() *item) contender {
	polls := func(n int) (found int) {
		for range n {
			if pop() != nil {
				found++
			}
		}
		return found
	}
	return contender{
		push: push, pop: pop, polls: polls, looks: polls,
		pairs: func(lane, n int) (sum uint64) {
			for i := range n {
				push(lane, &items[i%lap])
				if it := pop(); it != nil {
					sum += it.id
				}
			}
			return sum
		},
		dry: func(lane, n int) (sum uint64) {
			for i := range n {
				push(lane, &items[i%lap])
				for it := pop(); it != nil; it = pop() {
					sum += it.id
				}
			}
			return sum
		},
		batch: func(lane, n, size int) (sum uint64) {
			for at := 0; at < n; at += size {
				for i := range size {
					push(lane, &items[(at+i)%lap])
				}
				for range size {
					if it := pop(); it != nil {
						sum += it.id
					}
				}
			}
			return sum
		},
	}
}

func newChannels() contender {
	var chans [lanes]chan *item
	for i := range chans {
		chans[i] = make(chan *item, capacity)
	}
	return scanning(
		func(lane int, it *item) bool {
			select {
			case chans[lane] <- it:
				return true
			default:
				return false
			}
		},
		func() *item {
			for _, c := range chans {
				select {
				case it := <-c:
					return it
				default:
				}
			}
			return nil
		})
}

func newXsync() contender {
	var rings [lanes]*xsync.MPMCQueue[*item]
	for i := range rings {
		rings[i] = xsync.NewMPMCQueue[*item](capacity)
	}
	return scanning(
		func(lane int, it *item) bool { return rings[lane].TryEnqueue(it) },
		func() *item {
			for _, r := range rings {
				if it, ok := r.TryDequeue(); ok {
					return it
				}
			}
			return nil
		})
}

func newHeap() contender {
	var mu sync.Mutex
	var h urgentFirst
	return scanning(
		func(lane int, it *item) bool {
			mu.Lock()
			defer mu.Unlock()
			h.age++
			heap.Push(&h, entry{it, lane, h.age})
			return true
		},
		func() *item {
			mu.Lock()
			defer mu.Unlock()
			if len(h.entries) == 0 {
				return nil
			}
			return heap.Pop(&h).(entry).it
		})
}

// An urgentFirst is a heap by lane and then by age.
type urgentFirst struct {
	entries []entry
	age     uint64
}

type entry struct {
	it   *item
	lane int
	age  uint64
}

func (h *urgentFirst) Len() int { return len(h.entries) }

func (h *urgentFirst) Less(i, j int) bool {
	a, b := h.entries[i], h.entries[j]
	return a.lane < b.lane || a.lane == b.lane && a.age < b.age
}

func (h *urgentFirst) Swap(i, j int) { h.entries[i], h.entries[j] = h.entries[j], h.entries[i] }

func (h *urgentFirst) Push(x any) { h.entries = append(h.entries, x.(entry)) }

func (h *urgentFirst) Pop() any {
	last := len(h.entries) - 1
	e := h.entries[last]
	h.entries[last] = entry{}
	h.entries = h.entries[:last]
	return e
}
