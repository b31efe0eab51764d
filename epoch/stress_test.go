package epoch

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cytisus/cytisus/affinity"
)

var seed = flag.Uint64("seed", 0, "seed of the randomised tests; 0 picks one")

func newRand(t *testing.T) *rand.Rand {
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("replay with -seed=%d", s)
	return rand.New(rand.NewPCG(s, 1))
}

const (
	alive  = 0x600D600D
	poison = 0xDEADDEAD
)

// block is a piece of memory with poison on free. The fields are atomic so that the detector stays
// quiet and the test itself sees a use after free.
type block struct{ a, b atomic.Uint64 }

// TestStress lets readers of every kind chase a pointer which writers swap, with frees that poison.
func TestStress(t *testing.T) {
	rnd := newRand(t)
	<-affinity.WantRemoteFences() // not beside, so that all of the test does with them
	d := NewDomain()
	var (
		current [4]atomic.Pointer[block]
		made    atomic.Int64
		freed   atomic.Int64
		stop    atomic.Bool
		readers sync.WaitGroup
		writers sync.WaitGroup
	)
	alloc := func() *block {
		made.Add(1)
		b := new(block)
		b.a.Store(alive)
		b.b.Store(alive)
		return b
	}
	for i := range current {
		current[i].Store(alloc())
	}
	look := func(r *rand.Rand) {
		b := current[r.IntN(len(current))].Load()
		for range r.IntN(4) {
			if b.a.Load() != alive {
				t.Error("use after free")
			}
			if r.IntN(64) == 0 {
				runtime.Gosched()
			}
			if b.b.Load() != alive {
				t.Error("use after free")
			}
		}
	}
	read := func(fn func(*rand.Rand)) {
		r := rand.New(rand.NewPCG(rnd.Uint64(), 2))
		readers.Go(func() {
			for !stop.Load() {
				fn(r)
			}
		})
	}
	for range 2 {
		read(func(r *rand.Rand) { g := d.Pin(); look(r); g.Unpin() })
		p := d.Register("worker")
		read(func(r *rand.Rand) {
			p.Enter()
			look(r)
			if r.IntN(2) == 0 {
				p.Refresh()
				look(r)
			}
			p.Leave()
		})
		read(func(r *rand.Rand) { // comes and goes
			q := d.Register("guest")
			q.Enter()
			look(r)
			q.Close()
		})
	}
	for range 2 {
		r := rand.New(rand.NewPCG(rnd.Uint64(), 3))
		writers.Go(func() {
			for range 20_000 {
				old := current[r.IntN(len(current))].Swap(alloc()) // W1
				d.Retire(16, func() {                              // W2
					if !old.a.CompareAndSwap(alive, poison) {
						t.Error("freed twice")
					}
					old.b.Store(poison)
					freed.Add(1)
				})
				if r.IntN(200) == 0 {
					d.Collect()
				}
			}
		})
	}
	writers.Wait()
	stop.Store(true)
	readers.Wait()
	d.Collect()
	if want := made.Load() - int64(len(current)); freed.Load() != want {
		t.Errorf("%d freed, want %d; %+v", freed.Load(), want, d.Stats())
	}
}

// More goroutines inside at once than there are slots: the overflow list takes them.
func TestManyGuards(t *testing.T) {
	d := NewDomain()
	const n = 4 * guardSlots
	var in, out sync.WaitGroup
	in.Add(n)
	leave := make(chan struct{})
	for range n {
		out.Go(func() {
			g := d.Pin()
			in.Done()
			<-leave
			g.Unpin()
		})
	}
	in.Wait()
	if st := d.Stats(); st.Pinned != n || st.Overflow < n-guardSlots {
		t.Errorf("%+v", st)
	}
	close(leave)
	out.Wait()
	before := d.Stats().Overflow
	for range n {
		d.Pin().Unpin()
	}
	if st := d.Stats(); st.Pinned != 0 || st.Overflow != before {
		t.Errorf("overflow slots are not reused: %+v", st)
	}
}
