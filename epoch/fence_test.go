package epoch

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/affinity"
)

// TestPinIsSeen is E-see of the package comment as a litmus test: a reader stores its slot and
// looks for the object, a writer unlinks it and scans, from a standing start, over and over. Never
// may both miss the other. Without the fence, with two processors to run on, they do within this
// many rounds more often than not.
func TestPinIsSeen(t *testing.T) {
	<-affinity.WantRemoteFences() // so that the whole test does with them
	const rounds = 20_000
	d := NewDomain()
	p := d.Register("reader")
	defer p.Close()
	var (
		unlinked, found atomic.Bool
		busy            atomic.Uint64
		turn            atomic.Uint64 // 2r+1: round r runs; 2r+2: the reader is done with it
		stop            atomic.Bool
		reader          sync.WaitGroup
	)
	cold := make([]uint64, 1<<21)
	reader.Go(func() {
		for r := range uint64(rounds) {
			for turn.Load() < 2*r+1 {
				if stop.Load() {
					return
				}
				runtime.Gosched()
			}
			// Stores that miss the cache hold up those behind them, so that the next one is long on
			// its way.
			for i := range uint64(48) {
				cold[(r*48+i)*7919%uint64(len(cold))] = r
			}
			p.slot.enter(inside(1)) // an old epoch: a scan that sees it refuses
			seen := unlinked.Load()
			found.Store(!seen)
			turn.Add(1)
		}
	})
	defer reader.Wait()
	defer stop.Store(true)
	for r := range uint64(rounds) {
		unlinked.Store(false)
		turn.Add(1)
		for range r % 512 { // the reader needs a while to notice
			busy.Add(1)
		}
		unlinked.Store(true)
		advanced := d.TryAdvance()
		for turn.Load() < 2*r+2 {
			runtime.Gosched()
		}
		if advanced && found.Load() {
			t.Fatalf("round %d: the scan missed the reader, and the reader the unlinking", r)
		}
		p.slot.leave()
	}
}
