package mmapcas

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// A node is a record that refers to others: a number and the names of its children.
const nodeKind Kind = 5

func putNode(s *Store, number int, children []Hash) (Hash, error) {
	b := binary.LittleEndian.AppendUint64(nil, uint64(number))
	for _, c := range children {
		b = append(b, c[:]...)
	}
	h, _, err := s.Put(nodeKind, append(b, noise[:300]...))
	return h, err
}

func childrenOf(s *Store, h Hash) (children []Hash, err error) {
	err = s.View(h, func(_ Kind, p []byte) error {
		for p = p[8 : len(p)-300]; len(p) > 0; p = p[16:] {
			children = append(children, Hash(p[:16]))
		}
		return nil
	})
	return children, err
}

// walkNodes visits everything below h.
func walkNodes(s *Store, h Hash, visit func(Hash) (more bool, err error)) error {
	more, err := visit(h)
	if err != nil || !more {
		return err
	}
	children, err := childrenOf(s, h)
	if err != nil {
		return fmt.Errorf("below %v: %w", h, err)
	}
	for _, c := range children {
		if err := walkNodes(s, c, visit); err != nil {
			return err
		}
	}
	return nil
}

// TestGraph: writers change trees of records, putting again what they make and keeping branches of
// the tree they had, while cycle after cycle collects what no tree holds. G0 and G2 are kept, so
// every tree is whole at every moment.
func TestGraph(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		rng := seeded(t)
		s := mustOpen(t, dir, o)
		defer mustClose(t, s)
		// Something to sweep and something to move, whatever the writers do.
		var kept []Hash
		for i := range 500 {
			h, err := putNode(s, 2000+i, nil)
			if err != nil {
				t.Fatal(err)
			}
			if i%10 == 0 {
				kept = append(kept, h)
			}
		}
		const writers = 3
		var (
			working sync.RWMutex
			roots   [writers]atomic.Pointer[Hash]
			wg      sync.WaitGroup
		)
		permits := make(chan struct{}, 120) // to change a tree once
		for w := range writers {
			seed := rng.Uint64()
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(seed, uint64(w)))
				var root []Hash // the children of the root that roots[w] holds
				change := func() error {
					working.RLock()
					defer working.RUnlock()
					var next []Hash
					for _, h := range root { // held live by the old root
						if rng.IntN(3) > 0 && len(next) < 6 {
							next = append(next, h)
						}
					}
					for range 1 + rng.IntN(3) {
						// Numbers repeat, so that what was collected or is about to be is put
						// again.
						var leaves []Hash
						for range rng.IntN(4) {
							h, err := putNode(s, rng.IntN(60), nil)
							if err != nil {
								return err
							}
							leaves = append(leaves, h)
						}
						h, err := putNode(s, 100+rng.IntN(5), leaves)
						if err != nil {
							return err
						}
						next = append(next, h)
					}
					h, err := putNode(s, 1000+w, next)
					if err != nil {
						return err
					}
					roots[w].Store(&h)
					root = next
					return walkNodes(s, h, func(Hash) (bool, error) { return true, nil })
				}
				for range permits {
					if err := change(); err != nil {
						t.Errorf("writer %d: %v", w, err)
					}
				}
			})
		}
		cycle := func() error {
			c, err := s.BeginCycle()
			if err != nil {
				return err
			}
			working.Lock()
			live := slices.Clone(kept)
			for w := range roots {
				if h := roots[w].Load(); h != nil {
					live = append(live, *h)
				}
			}
			working.Unlock()
			for _, h := range live {
				if err := walkNodes(s, h, c.Mark); err != nil {
					return fmt.Errorf("mark: %w", err)
				}
			}
			for {
				for _, h := range c.Shaded() {
					children, err := childrenOf(s, h)
					if err != nil {
						return fmt.Errorf("trace a shaded record: %w", err)
					}
					for _, child := range children {
						// It may be gone: whoever put the parent again put its own copy of the
						// child, and the parent found here may be one that nobody refers to any
						// more.
						_ = walkNodes(s, child, c.Mark)
					}
				}
				done, _, err := c.Sweep(0)
				if err != nil || done {
					return err
				}
			}
		}
		for n := range 8 {
			for range cap(permits) - len(permits) {
				permits <- struct{}{}
			}
			if err := cycle(); err != nil {
				t.Errorf("cycle %d: %v", n, err)
				break
			}
			if r, err := s.Verify(t.Context(), nil); err != nil || !r.OK() {
				t.Errorf("verify beside writers: %+v %v", r, err)
			}
		}
		close(permits)
		wg.Wait()
		mustVerify(t, s)
		for _, h := range kept {
			if _, err := childrenOf(s, h); err != nil {
				t.Error(err)
			}
		}
		if st := s.Stats(); st.Swept == 0 || st.Moved == 0 {
			t.Errorf("swept %d, moved %d", st.Swept, st.Moved)
		}
	})
}
