package memo

import (
	"cmp"
	"slices"
	"sync"

	"github.com/cytisus/cytisus/runtime/sched"
)

// A shown is what a run shows of itself to questions of newer generations. See "Two generations at
// once".
type shown struct {
	mu     sync.Mutex
	reads  []read         // guarded by mu: so far; what is before its end is not written before hide
	joined []*sched.Event // guarded by mu: to be fired at the next read, and at the end
}

// hide is called when the function has returned: its recorder is used again.
func (s *shown) hide() {
	s.mu.Lock()
	s.reads = nil
	s.mu.Unlock()
}

// show makes reads visible. The strand that runs calls it.
func (s *shown) show(reads []read) {
	s.mu.Lock()
	s.reads = reads
	joined := s.joined
	s.joined = nil
	s.mu.Unlock()
	for _, event := range joined {
		event.Fire()
	}
}

// ended is called when the flight is done.
func (s *shown) ended() {
	s.mu.Lock()
	joined := s.joined
	s.joined = nil
	s.mu.Unlock()
	for _, event := range joined {
		event.Fire()
	}
}

// after returns a copy of the reads behind the first n. If there is none, and n is not 0, then
// event is fired at the next one.
func (s *shown) after(n int, event *sched.Event) []read {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.reads) > n {
		return slices.Clone(s.reads[n:])
	}
	if n > 0 {
		s.joined = append(s.joined, event)
	}
	return nil
}

// joinOlder waits for a run of the key for an older generation that does what a run for f would do,
// and reports whether one has come to its end: then the traces are to be looked at again. False
// means that f is better off without.
func (t *Table) joinOlder(fr *Frame, f *flight) (bool, error) {
	for _, o := range f.older() {
		look := fr.child(f.entry, false)
		joined, err := t.join(look, o)
		f.low = lower(f.low, look.low)
		look.release()
		if joined || err != nil {
			return joined, err
		}
	}
	return false, nil
}

// older returns the flights of the key for older generations that run, the newest first.
func (f *flight) older() (older []*flight) {
	e := f.entry
	e.mu.Lock()
	for o := e.flights; o != nil; o = o.next {
		if o.running && o.gen < f.gen {
			o.shared = true
			older = append(older, o)
		}
	}
	e.mu.Unlock()
	slices.SortFunc(older, func(a, b *flight) int { return cmp.Compare(b.gen, a.gen) })
	return older
}

// join waits until o is done, as long as all that its run reads is in fr's snapshot as it was.
func (t *Table) join(fr *Frame, o *flight) (bool, error) {
	for same := 0; ; {
		next := &sched.Event{}
		reads := o.shown.after(same, next)
		if len(reads) > 0 {
			fr.account = account{} // of other reads
			if diff, err := t.firstDifference(fr, &trace{reads: reads}); diff != nil || err != nil {
				return false, err
			}
			same += len(reads)
			continue
		}
		if same == 0 {
			return false, nil
		}
		if err := t.waitUntil(fr, o, next); err != nil {
			return false, err
		}
		if o.state.Load() == flightDone {
			return true, nil
		}
	}
}
