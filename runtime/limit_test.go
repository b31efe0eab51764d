package runtime_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	goruntime "runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"weak"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/account"
	"github.com/cytisus/cytisus/runtime/inspect"
	"github.com/cytisus/cytisus/runtime/lane"
)

const limit = 64 << 20

// limited opens an engine whose memory is what the test says.
func limited(t *testing.T, dir string, o runtime.Options) (e *runtime.Engine, held *atomic.Int64) {
	t.Helper()
	held = new(atomic.Int64)
	o.MemoryLimit, o.Logger = cmp.Or(o.MemoryLimit, limit), quiet
	if o.Workers == 0 {
		o.Workers = 1
	}
	return open(t, dir, runtime.Holding(o, func() (int64, int64) { return held.Load(), held.Load() / 2 })), held
}

// gated submits a task that says when it has begun and ends when it is told.
func gated(t *testing.T, e *runtime.Engine, l lane.Lane) (h *runtime.Handle, began chan struct{}, end func()) {
	t.Helper()
	began, ending := make(chan struct{}), make(chan struct{})
	h, err := e.Go(t.Context(), l, func(task *runtime.Task) error {
		close(began)
		return task.Blocking(func() error { <-ending; return nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return h, began, func() { close(ending) }
}

// M4: near the limit one background task is inside at a time, whatever it submits itself begins,
// and what is urgent waits for none of them.
func TestLimitNearLetsOneInAtATime(t *testing.T) {
	const limit = 2 * limit // two may be inside while it is far
	e, held := limited(t, "", runtime.Options{Workers: 2, MemoryLimit: limit})
	held.Store(limit * 13 / 16)
	e.LookAtLimit()
	h1, began1, end1 := gated(t, e, lane.Default)
	<-began1
	h2, began2, end2 := gated(t, e, lane.Idle)
	for _, waiting := e.Gate(); waiting != 1; _, waiting = e.Gate() {
		// An urgent task from outside begins, and one of a background lane that a task submits.
		err := e.Submit(t.Context(), lane.RPC0, func(task *runtime.Task) error {
			return e.Submit(task.Context(), lane.Idle, func(*runtime.Task) error { return nil })
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if inside, _ := e.Gate(); inside != 1 {
		t.Fatalf("%d tasks are inside the gate", inside)
	}
	select {
	case <-began2:
		t.Fatal("a second background task has begun while the first was inside")
	default:
	}
	end1()
	<-began2
	// Less than near is not enough for the gate to be wide, and calm is.
	held.Store(limit * 11 / 16)
	e.LookAtLimit()
	ctx, cancel := context.WithCancel(t.Context())
	h3, err := e.Go(ctx, lane.Default, func(*runtime.Task) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	h4, began4, end4 := gated(t, e, lane.Default)
	for _, waiting := e.Gate(); waiting != 2; _, waiting = e.Gate() {
		if err := e.Submit(t.Context(), lane.RPC0, func(*runtime.Task) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	cancel() // who waits at the gate may go
	if err := h3.Wait(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("a task that was cancelled at the gate ends with %v", err)
	}
	held.Store(limit / 2)
	e.LookAtLimit()
	<-began4
	end2()
	end4()
	for _, h := range []*runtime.Handle{h1, h2, h4} {
		if err := h.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if inside, waiting := e.Gate(); inside != 0 || waiting != 0 {
		t.Errorf("%d inside the gate and %d before it when all have ended", inside, waiting)
	}
}

// M5: what cannot be met is refused with an error that says who holds what, not before there is
// nothing to wait for, and no longer than it has to be.
func TestLimitRefuses(t *testing.T) {
	e, held := limited(t, "", runtime.Options{})
	put(t, e, inputs, "k", "text")
	if n := ask(t, e, faceLength, "k"); n != 4 {
		t.Fatal(n)
	}
	refused := func(what string, err error) {
		t.Helper()
		var full *runtime.LimitError
		if !errors.Is(err, runtime.ErrLimit) || !errors.As(err, &full) {
			t.Errorf("%s over the limit: %v, want a LimitError", what, err)
			return
		}
		if full.Limit != limit || full.Held < limit || len(full.Holders) == 0 || !strings.Contains(err.Error(), "heap") {
			t.Errorf("%s over the limit: %v does not say who holds what", what, err)
		}
	}
	_, began, end := gated(t, e, lane.Default)
	<-began
	held.Store(limit + 1)
	e.LookAtLimit()
	if err := e.Commit(t.Context(), func(w *runtime.Writer) error { return inputs.Put(w, "k2", "") }); err != nil {
		t.Errorf("a commit is refused while a background task may yet end: %v", err)
	}
	waits, err := e.Go(t.Context(), lane.Default, func(*runtime.Task) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	end()
	if err := waits.Wait(t.Context()); err != nil {
		t.Errorf("the task at the gate was not let in when the other had ended: %v", err)
	}
	for range 500 { // rounds come less and less often
		e.LookAtLimit()
	}
	refused("a commit", e.Commit(t.Context(), func(w *runtime.Writer) error { return inputs.Put(w, "k3", "") }))
	refused("a task", e.Submit(t.Context(), lane.RPC0, func(*runtime.Task) error { return nil }))
	_, err = faceLength.Ask(t.Context(), e, "k2")
	refused("a question", err)
	refused("a bulk", inputs.Bulk(t.Context(), e, func(*runtime.BulkWriter[string]) error { return nil }))
	if err := errors.Join(e.Checkpoint(t.Context()), e.Tidy(t.Context()), fails(e.Collect(t.Context()))); err != nil {
		t.Errorf("what frees is refused: %v", err)
	}
	snap := e.Snapshot()
	defer snap.Release()
	held.Store(limit / 2)
	e.LookAtLimit()
	if n := ask(t, e, faceLength, "k2"); n != 0 {
		t.Error(n)
	}
	put(t, e, inputs, "k3", "abc")
}

// M5: a bulk that began while there was room is refused when there is none any more, and nothing of
// it is seen.
func TestLimitRefusesBulkUnderWay(t *testing.T) {
	e, held := limited(t, "", runtime.Options{})
	text := strings.Repeat("0123456789abcdef", 64)
	put := func(w *runtime.BulkWriter[string], from, to int) error {
		for i := from; i < to; i++ {
			if err := w.Put(fmt.Sprintf("%08d", i), text+fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	}
	err := inputs.Bulk(t.Context(), e, func(w *runtime.BulkWriter[string]) error {
		if err := put(w, 0, 2000); err != nil {
			return err
		}
		held.Store(limit + 1)
		for range 500 {
			e.LookAtLimit()
		}
		return put(w, 2000, 4000)
	})
	var full *runtime.LimitError
	if !errors.As(err, &full) || len(full.Holders) == 0 {
		t.Errorf("a bulk for which there is no room any more: %v, want a LimitError that says who holds what", err)
	}
	held.Store(0)
	e.LookAtLimit()
	snap := e.Snapshot()
	defer snap.Release()
	if _, err := inputs.Get(snap, "00000000"); !errors.Is(err, runtime.ErrNotFound) {
		t.Errorf("the first key of a bulk that was refused: %v", err)
	}
	if err := inputs.Bulk(t.Context(), e, func(w *runtime.BulkWriter[string]) error { return put(w, 0, 2000) }); err != nil {
		t.Errorf("when there is room again: %v", err)
	}
}

// M5: while an urgent task is under way, what is held may become less yet, so nothing is refused
// for the first eighth beyond the limit.
func TestLimitBearsUrgentTasks(t *testing.T) {
	e, held := limited(t, "", runtime.Options{Workers: 2})
	looks := func(bytes int64) error {
		held.Store(bytes)
		for range 500 {
			e.LookAtLimit()
		}
		return e.Submit(t.Context(), lane.RPC0, func(*runtime.Task) error { return nil })
	}
	h, began, end := gated(t, e, lane.RPC0)
	<-began
	if err := looks(limit + 1); err != nil {
		t.Errorf("refused while an urgent task may yet end: %v", err)
	}
	if err := looks(limit * 19 / 16); !errors.Is(err, runtime.ErrLimit) {
		t.Errorf("far beyond the limit: %v, want that it is refused", err)
	}
	if err := looks(limit / 2); err != nil {
		t.Error(err)
	}
	end()
	if err := h.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if err := looks(limit + 1); !errors.Is(err, runtime.ErrLimit) {
		t.Errorf("when the urgent task has ended: %v, want that it is refused", err)
	}
	held.Store(0)
	e.LookAtLimit()
}

// M9: pieces that fit beside each other begin, and others one at a time, in the order they came;
// one that waits may be cancelled, and one that waits aside holds nobody up.
func TestLimitPieces(t *testing.T) {
	e, held := limited(t, "", runtime.Options{Workers: 4})
	type piece struct {
		h      *runtime.Handle
		began  chan error
		do     chan func(aside func(func()))
		cancel context.CancelFunc
	}
	begin := func(bytes int64) piece {
		ctx, cancel := context.WithCancel(t.Context())
		p := piece{began: make(chan error, 1), do: make(chan func(func(func()))), cancel: cancel}
		var err error
		p.h, err = e.Go(ctx, lane.RPC0, func(task *runtime.Task) error {
			began := false
			err := task.Piece(bytes, func(aside func(func())) error {
				began = true
				p.began <- nil
				return task.Blocking(func() error {
					for f := range p.do {
						f(aside)
					}
					return nil
				})
			})
			if !began {
				p.began <- err
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	wants := func(under, waiting int) {
		t.Helper()
		for t.Context().Err() == nil {
			if u, w := e.Pieces(); u == under && w == waiting {
				return
			}
			if err := e.Submit(t.Context(), lane.RPC0, func(*runtime.Task) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	ends := func(p piece) {
		t.Helper()
		close(p.do)
		if err := p.h.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
	held.Store(limit / 4)
	first, second := begin(limit/4), begin(limit/4)
	if err := errors.Join(<-first.began, <-second.began); err != nil {
		t.Fatal(err)
	}
	third := begin(limit / 4)
	wants(2, 1)
	small := begin(limit / 32) // it would fit beside the two, and does not overtake the third
	under, waiting := e.Pieces()
	for ; under+waiting < 4; under, waiting = e.Pieces() {
		if err := e.Submit(t.Context(), lane.RPC0, func(*runtime.Task) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if under != 2 {
		t.Errorf("%d pieces are under way, and %d wait: a small one has overtaken the third", under, waiting)
	}
	small.cancel()
	close(small.do)
	if err := small.h.Wait(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("a small piece that was cancelled while it waited: %v", err)
	}
	fourth, fifth := begin(limit/2), begin(limit/64-1)
	if err := <-fifth.began; err != nil { // it is too small to count
		t.Fatal(err)
	}
	ends(fifth)
	wants(2, 2)
	third.cancel()
	if err := third.h.Wait(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("a piece that was cancelled while it waited: %v", err)
	}
	ends(first)
	wants(1, 1)
	second.do <- func(aside func(func())) {
		aside(func() {
			if err := <-fourth.began; err != nil {
				t.Error(err)
			}
		})
	}
	wants(2, 0)
	ends(second)
	ends(fourth)
	wants(0, 0)
}

// M7: what is reserved counts like what is held, but nothing is refused for it, and no more than
// half of the limit can be reserved.
func TestLimitReserved(t *testing.T) {
	e, held := limited(t, t.TempDir(), runtime.Options{})
	var most atomic.Int64
	defer e.AddCache(account.Cache{Name: "mine", Most: 1 << 20, Bytes: func() int64 { return 0 }, Bound: most.Store})()
	held.Store(limit * 6 / 16)
	e.LookAtLimit()
	if n := most.Load(); n != 1<<20 {
		t.Fatalf("a cache of 1 MiB may have %d far from the limit", n)
	}
	release := account.Reserve(limit * 7 / 16)
	e.LookAtLimit()
	if n := most.Load(); n != 1<<19 {
		t.Errorf("a cache of 1 MiB may have %d where what is reserved brings the limit near", n)
	}
	also := account.Reserve(1 << 40)
	held.Store(limit * 15 / 16)
	for range 500 {
		e.LookAtLimit()
	}
	put(t, e, inputs, "k", "text")
	if n := ask(t, e, faceLength, "k"); n != 4 {
		t.Error(n)
	}
	also()
	release()
	release() // the second time is nothing
	held.Store(limit * 6 / 16)
	for range 64 {
		e.LookAtLimit()
	}
	if n := most.Load(); n != 1<<20 {
		t.Errorf("a cache of 1 MiB may have %d after what was reserved was released", n)
	}
}

// M4: however far the limit is, background tasks from outside that each may need much do not all
// begin.
func TestLimitBoundsWhatBegins(t *testing.T) {
	e, _ := limited(t, "", runtime.Options{Workers: 4}) // of 64 MiB: one at a time
	h1, began1, end1 := gated(t, e, lane.Default)
	<-began1
	h2, began2, end2 := gated(t, e, lane.Default)
	for _, waiting := e.Gate(); waiting != 1; _, waiting = e.Gate() {
		if err := e.Submit(t.Context(), lane.RPC0, func(*runtime.Task) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	end1()
	<-began2
	end2()
	if err := errors.Join(h1.Wait(t.Context()), h2.Wait(t.Context())); err != nil {
		t.Error(err)
	}
}

// M3: near the limit caches become smaller by what they counted, at each round, and every answer is
// what it was. Below it they may grow again.
func TestLimitTakesFromCaches(t *testing.T) {
	e, held := limited(t, t.TempDir(), runtime.Options{SegmentBytes: 1 << 20})
	const keys = 3000
	value := func(i int) string { return strings.Repeat(fmt.Sprint(i, " "), 100) }
	for from := 0; from < keys; from += 1000 {
		err := e.Commit(t.Context(), func(w *runtime.Writer) (err error) {
			for i := from; i < from+1000; i++ {
				err = errors.Join(err, inputs.Put(w, fmt.Sprint(i), value(i)))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	askAll := func() {
		t.Helper()
		err := e.Submit(t.Context(), lane.RPC0, func(task *runtime.Task) error {
			for i := range keys {
				got, err := limitDoubled.Get(task, fmt.Sprint(i))
				if err != nil || got != value(i)+value(i) {
					return fmt.Errorf("answer %d is %.20q, %w", i, got, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	askAll()
	if err := e.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	var most atomic.Int64
	remove := e.AddCache(account.Cache{Name: "mine", Most: 1 << 20, Bytes: func() int64 { return 7 }, Bound: most.Store})
	defer remove()
	if n := most.Load(); n != 1<<20 {
		t.Errorf("a cache of 1 MiB may have %d", n)
	}
	for share, want := range map[int64]int64{0: limit / 16, 5: limit / 5} {
		var most atomic.Int64
		e.AddCache(account.Cache{
			Name: "large", Most: 1 << 40, Share: share, Bytes: func() int64 { return 0 }, Bound: most.Store,
		})()
		if n := most.Load(); n != want {
			t.Errorf("a large cache with the share %d may have %d, want %d", share, n, want)
		}
	}
	before := e.Stats()
	held.Store(limit * 13 / 16)
	for range 2000 {
		e.LookAtLimit()
	}
	after := e.Stats()
	floor := int64(limit / 32)
	if before.CachedBytes <= floor || after.CachedBytes > floor || before.TraceBytes <= floor/2 || after.TraceBytes > floor {
		t.Errorf("results %d -> %d, traces %d -> %d bytes; the least bound is %d", before.CachedBytes, after.CachedBytes, before.TraceBytes, after.TraceBytes, floor)
	}
	if n := most.Load(); n > 1<<15 {
		t.Errorf("a cache of 1 MiB may have %d near the limit", n)
	}
	m, err := inspect.Memory(e)
	if err != nil {
		t.Fatal(err)
	}
	if c := m.Find("heap", "caches of the program", "mine"); c == nil || c.Bytes != 7 {
		t.Errorf("the program's cache is %+v in the account", c)
	}
	if s := m.Find("segments"); m.Resident > 0 && s.Bytes > 1<<20 {
		t.Errorf("segments have %d bytes in memory near the limit", s.Bytes)
	}
	askAll()
	if n := e.Stats().Queries[limitDoubled.Name()].Ran; n != keys {
		t.Errorf("%d runs for %d keys: eviction costs runs", n, keys)
	}
	held.Store(limit / 2)
	for range 64 {
		e.LookAtLimit()
	}
	if n := most.Load(); n != 1<<20 {
		t.Errorf("a cache of 1 MiB may have %d when the limit is far again", n)
	}
}

// M2: a collection near the limit gives back the pages of what it has looked at, between its slices
// and without a look of the governor.
func TestLimitCollectionGivesPagesBack(t *testing.T) {
	const keys, bytes = 4000, 2000
	var (
		eng   atomic.Pointer[runtime.Engine]
		grown atomic.Int64 // of mapped files, from one question to the next
		least atomic.Int64 // that segments had in memory when the collection asked
	)
	least.Store(keys * bytes)
	held := func() (all, goes int64) {
		if e := eng.Load(); e != nil {
			least.Store(min(least.Load(), e.SegmentPages()))
		}
		return limit*13/16 + grown.Add(limit/64), limit / 2
	}
	e := open(t, t.TempDir(), runtime.Holding(runtime.Options{Workers: 1, MemoryLimit: limit, CollectEvery: -1}, held))
	rng := rand.NewChaCha8([32]byte{1})
	err := e.Commit(t.Context(), func(w *runtime.Writer) (err error) {
		value := make([]byte, bytes)
		for i := range keys {
			_, _ = rng.Read(value)
			err = errors.Join(err, inputs.Put(w, fmt.Sprint(i), string(value)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	e.LookAtLimit()
	if m, err := inspect.Memory(e); err != nil || m.Resident == 0 {
		t.Skipf("this system does not say what is in memory, %v", err)
	}
	eng.Store(e)
	if _, err := e.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := least.Load(); n > keys*bytes/4 {
		t.Errorf("segments had %d bytes in memory or more during a collection of %d", n, keys*bytes)
	}
}

// A weighty is a result that those who hold it share with those who ask.
type weighty struct{ Text string }

func (h *weighty) Weak() func() any {
	held := weak.Make(h)
	return func() any {
		if h := held.Value(); h != nil {
			return h
		}
		return nil
	}
}

var weighties = runtime.NewQuery("limit/weighties", 1, func(t *runtime.Task, key string) (*weighty, error) {
	s, err := inputs.Get(t, key)
	return &weighty{strings.Repeat(s, 3<<20/len(s))}, err
})

// M3: what the cache has dropped and somebody still holds is not decoded beside it.
func TestLimitSharesWhatIsHeld(t *testing.T) {
	e, held := limited(t, t.TempDir(), runtime.Options{SegmentBytes: 16 << 20})
	put(t, e, inputs, "a", "some")
	put(t, e, inputs, "b", "more")
	has := ask(t, e, weighties, "a")
	ask(t, e, weighties, "b")
	at := func() uintptr { return reflect.ValueOf(ask(t, e, weighties, "a")).Pointer() }
	held.Store(limit * 13 / 16)
	for range 500 {
		e.LookAtLimit()
	}
	if n := e.Stats().CachedBytes; n > limit/32+3<<20 {
		t.Fatalf("%d bytes of results are cached near the limit", n)
	}
	ask(t, e, weighties, "b")
	if at() != reflect.ValueOf(has).Pointer() {
		t.Error("a result that is held was decoded once more")
	}
	goruntime.KeepAlive(has)
	if n := e.Stats().Queries[weighties.Name()].Ran; n != 2 {
		t.Errorf("%d runs for 2 keys", n)
	}
}

// What was evicted whole is asked for again, three times: the answers are what they were, nothing
// runs, and the process has at most a tenth more in memory than before. Before is when all answers
// were read from the store once, as they are after it.
func TestLimitEvictsAllAndAnswers(t *testing.T) {
	dir := t.TempDir()
	e, _ := limited(t, dir, runtime.Options{SegmentBytes: 4 << 20})
	const keys = 2000
	value := func(i int) string { return noise(uint64(i), 1000) }
	err := e.Commit(t.Context(), func(w *runtime.Writer) (err error) {
		for i := range keys {
			err = errors.Join(err, inputs.Put(w, fmt.Sprint(i), value(i)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	askAll := func() {
		t.Helper()
		for i := range keys {
			if got := ask(t, e, limitDoubled, fmt.Sprint(i)); got != value(i)+value(i) {
				t.Fatalf("the answer for %d begins %.20q", i, got)
			}
		}
	}
	resident := func() int64 {
		debug.FreeOSMemory()
		r, ok := arena.ReadResidence()
		if !ok {
			t.Skip("the system does not say what is in memory")
		}
		return r.Resident
	}
	askAll()
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	e, held := limited(t, dir, runtime.Options{SegmentBytes: 4 << 20})
	askAll()
	before := resident()
	for round := range 3 {
		held.Store(limit * 13 / 16)
		for range 2000 {
			e.LookAtLimit()
		}
		evicted := resident()
		if st := e.Stats(); st.CachedBytes > limit/32 {
			t.Fatalf("round %d: %d bytes of results are in memory", round, st.CachedBytes)
		}
		held.Store(limit / 2)
		for range 64 {
			e.LookAtLimit()
		}
		askAll()
		after := resident()
		t.Logf("round %d: %d KiB before, %d evicted, %d after", round, before>>10, evicted>>10, after>>10)
		if after > before+before/10 {
			t.Errorf("round %d: %d bytes are in memory after it, %d were before", round, after, before)
		}
	}
	if n := e.Stats().Queries[limitDoubled.Name()].Ran; n > 0 {
		t.Errorf("%d runs: what was known is computed again", n)
	}
}

var limitDoubled = runtime.NewQuery("limit/doubled", 1, func(t *runtime.Task, key string) (string, error) {
	s, err := inputs.Get(t, key)
	return s + s, err
})

// M6: Go's own limit is set only where it is asked for, agrees, and is what it was after Close.
func TestLimitOfGo(t *testing.T) {
	was := debug.SetMemoryLimit(-1)
	e, held := limited(t, "", runtime.Options{})
	held.Store(limit / 2)
	e.LookAtLimit()
	if now := debug.SetMemoryLimit(-1); now != was {
		t.Fatalf("Go's limit is %d without being asked for", now)
	}
	e, held = limited(t, "", runtime.Options{LimitGo: true})
	held.Store(limit / 2) // of which half is Go's
	e.LookAtLimit()
	if now, want := debug.SetMemoryLimit(-1), int64(limit/16*14-limit/4); now != want {
		t.Errorf("Go's limit is %d, want %d", now, want)
	}
	held.Store(4 * limit)
	e.LookAtLimit()
	if now := debug.SetMemoryLimit(-1); now != limit/4 {
		t.Errorf("Go's limit is %d where nothing is left to it, want a quarter of %d", now, limit)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now := debug.SetMemoryLimit(-1); now != was {
		t.Errorf("Go's limit is %d after Close, and was %d", now, was)
	}
}
