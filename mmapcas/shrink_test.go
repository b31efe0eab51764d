package mmapcas

import (
	"sync"
	"sync/atomic"
	"testing"
)

// A collection that drops most records gives back the memory of their index entries, while others
// read and put.
func TestIndexShrinks(t *testing.T) {
	s := mustOpen(t, "", Options{SegmentBytes: 1 << 20})
	defer mustClose(t, s)
	var live []Hash
	const n = 250_000
	for i := range n {
		h := mustPut(t, s, 1, payload(i, 8))
		if i%1000 == 0 {
			live = append(live, h)
		}
	}
	before := s.Stats().IndexBytes
	var stop atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := n; !stop.Load(); i++ {
			_, _, err := s.Put(1, payload(i%1000+n, 8))
			if err == nil {
				_, _, err = s.Get(live[i%len(live)], nil)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	st := collect(t, s, live)
	stop.Store(true)
	wg.Wait()
	if st.Dropped < n*9/10 {
		t.Fatalf("%+v", st)
	}
	if after := s.Stats().IndexBytes; after > before/2 {
		t.Errorf("the index has %d bytes after %d of %d records were dropped, %d before", after, st.Dropped, n, before)
	}
	mustHave(t, s, live)
}
