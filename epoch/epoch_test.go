package epoch

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// advance moves the epoch as far as it goes within n tries and returns how far that was.
func advance(d *Domain, n int) (moved int) {
	for range n {
		if d.TryAdvance() {
			moved++
		}
	}
	return moved
}

func TestRetireWaitsForReader(t *testing.T) {
	pins := map[string]func(*Domain) (leave func()){
		"participant": func(d *Domain) func() {
			p := d.Register("reader")
			p.Enter()
			return func() { p.Leave(); p.Close() }
		},
		"guard": func(d *Domain) func() { return d.Pin().Unpin },
		"overflow guard": func(d *Domain) func() {
			var all []Guard
			for d.overflow.Load() == nil {
				all = append(all, d.Pin())
			}
			last := all[len(all)-1]
			for _, g := range all[:len(all)-1] {
				g.Unpin()
			}
			return last.Unpin
		},
	}
	for name, pin := range pins {
		t.Run(name, func(t *testing.T) {
			d := NewDomain()
			leave := pin(d)
			freed := false
			d.Retire(10, func() { freed = true })
			if moved := advance(d, 5); moved != 1 {
				t.Errorf("a pinned reader lets the epoch move by %d, want 1", moved)
			}
			if d.Collect(); freed {
				t.Fatal("freed under a pin")
			}
			if st := d.Stats(); st.Pending != 1 || st.PendingBytes != 10 || st.Pinned != 1 {
				t.Errorf("while pinned: %+v", st)
			}
			leave()
			if n := d.Collect(); n != 1 || !freed {
				t.Errorf("after leaving: Collect = %d, freed = %v", n, freed)
			}
			if st := d.Stats(); st.Pending != 0 || st.PendingBytes != 0 || st.Freed != 1 || st.FreedBytes != 10 || st.Pinned != 0 {
				t.Errorf("at the end: %+v", st)
			}
		})
	}
}

func TestNesting(t *testing.T) {
	d := NewDomain()
	p := d.Register("p")
	defer p.Close()
	p.Enter()
	p.Enter()
	p.Leave()
	if !p.Pinned() || d.Stats().Pinned != 1 {
		t.Fatal("an inner Leave must not unpin")
	}
	advance(d, 1)
	p.Enter()
	p.Refresh() // nested: the outer Enter may hold references
	if d.TryAdvance() {
		t.Error("Refresh inside a nested Enter moved the pin")
	}
	p.Leave()
	p.Refresh()
	if !d.TryAdvance() {
		t.Error("Refresh did not move the pin")
	}
	p.Leave()
	if p.Pinned() || d.Stats().Pinned != 0 {
		t.Error("still pinned")
	}
}

func TestMisuseIsLoud(t *testing.T) {
	d := NewDomain()
	p := d.Register("p")
	mustPanic(t, "E3: Leave without Enter", p.Leave)
	mustPanic(t, "nil free", func() { d.Retire(0, nil) })
	p = d.Register("q")
	p.Enter()
	p.Close()
	p.Close()
	if d.Stats().Pinned != 0 {
		t.Error("Close left a pin")
	}
	mustPanic(t, "E3: Enter after Close", p.Enter)
	Guard{}.Unpin() // the zero guard holds nothing
}

func mustPanic(t *testing.T, want string, fn func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if s, _ := recover().(string); !strings.Contains(s, want) {
			t.Errorf("panic %q, want one with %q", s, want)
		}
	}()
	fn()
}

func TestBatches(t *testing.T) {
	d := NewDomain()
	const objects = 10*batchItems + 3
	counts := make([]int, objects)
	g := d.Pin()
	for i := range objects {
		d.Retire(1, func() { counts[i]++ })
	}
	g.Unpin()
	if n := d.Collect(); n != objects {
		t.Errorf("Collect = %d, want %d", n, objects)
	}
	for i, n := range counts {
		if n != 1 {
			t.Fatalf("object %d freed %d times", i, n)
		}
	}
	if d.Stats().Advances == 0 {
		t.Error("retiring many objects should try to advance")
	}
}

// A free function may retire more, as dropping a table drops what it refers to.
func TestCascade(t *testing.T) {
	d := NewDomain()
	depth := 0
	var free func()
	free = func() {
		if depth++; depth < 5 {
			d.Retire(1, free)
		}
	}
	d.Retire(1, free)
	for range 5 {
		d.Collect()
	}
	if depth != 5 || d.Stats().Pending != 0 {
		t.Errorf("depth %d, %+v", depth, d.Stats())
	}
}

func TestStalled(t *testing.T) {
	d := NewDomain()
	p := d.Register("the slow one")
	defer p.Close()
	p.Enter()
	if advance(d, 1) != 1 || d.Stalled(0) != nil {
		t.Error("a pin in the current epoch is no stall")
	}
	advance(d, 1)
	s := d.Stalled(0)
	if len(s) != 1 || s[0].Label != "the slow one" || s[0].Epoch != firstEpoch || s[0].Age < 0 {
		t.Errorf("Stalled = %+v", s)
	}
	if d.Stalled(time.Hour) != nil {
		t.Error("younger than asked for")
	}
	p.Leave()
	advance(d, 1)
	if s := d.Stalled(0); s != nil {
		t.Errorf("after leaving: %+v", s)
	}
}

// The clock is 63 bits wide in the slots; a start near 2^62 shows that nothing narrower hides
// there.
func TestLargeEpochs(t *testing.T) {
	d := NewDomain()
	d.global.Store(1 << 62)
	g := d.Pin()
	freed := false
	d.Retire(0, func() { freed = true })
	if d.Collect(); freed || d.TryAdvance() {
		t.Error("the pin does not count")
	}
	g.Unpin()
	if d.Collect(); !freed {
		t.Error("not freed")
	}
}

func TestPinsDoNotAllocate(t *testing.T) {
	d := NewDomain()
	p := d.Register("p")
	defer p.Close()
	free := func() {}
	for range 3 * batchItems {
		d.Retire(1, free) // fills the spare batches
	}
	d.Collect()
	n := testing.AllocsPerRun(100, func() {
		p.Enter()
		p.Refresh()
		p.Leave()
		d.Pin().Unpin()
		d.Retire(1, free)
		d.Collect()
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
