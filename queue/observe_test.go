package queue

import (
	"sync"
	"testing"
)

// TestNeverEmptyIsNeverSeenEmpty: a ring in which there is an item at every moment is never said to
// be empty by those who look on while others push and pop.
func TestNeverEmptyIsNeverSeenEmpty(t *testing.T) {
	looks := volume(10_000_000)
	for name, r := range map[string]interface {
		TryPush(int) bool
		TryPop() (int, bool)
		Len() int
		Empty() bool
	}{"MPMC": NewMPMC[int](4), "SPSC": NewSPSC[int](4)} {
		t.Run(name, func(t *testing.T) {
			if !r.TryPush(0) {
				t.Fatal("no room in a fresh ring")
			}
			done := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					for range 100 {
						r.TryPush(1) // then there are two
						r.TryPop()   // and one is left
					}
				}
			})
			for range looks {
				if r.Empty() {
					t.Error("Empty, and there was an item at every moment")
					break
				}
				if n := r.Len(); n < 1 {
					t.Errorf("Len %d, and there was an item at every moment", n)
					break
				}
			}
			close(done)
			wg.Wait()
		})
	}
}
