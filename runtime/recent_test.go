package runtime_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/inspect"
)

// What is typed is garbage with the next key, and goes while the typing goes on or soon after it
// ends, without a call of Collect or Close: the store is at most twice what is live then. First
// keys come as fast as they can, then 100 in a second.
func TestGarbageOfTypingGoes(t *testing.T) {
	const size = 100_000
	for _, durability := range []string{"volatile", "kept"} {
		t.Run(durability, func(t *testing.T) {
			e := open(t, t.TempDir(), runtime.Options{SegmentBytes: 8 << 20})
			put(t, e, inputs, "other", noise(2, 2_000_000))
			text := []byte(noise(1, size))
			i := 0
			edit := func() {
				t.Helper()
				i++
				text[(i*7919)%size] = byte('a' + i/size%26)
				if durability == "volatile" {
					put(t, e, unsaved, "text", string(text))
					ask(t, e, longest, "text")
				} else {
					put(t, e, inputs, "text", string(text))
					ask(t, e, doubled, "text")
				}
			}
			edit()
			if _, err := e.Collect(t.Context()); err != nil {
				t.Fatal(err)
			}
			live := e.Stats().Store.LiveBytes
			keys := 2_000
			if raceEnabled || testing.Short() {
				keys = 300
			}
			settles := func(keys int, between func()) {
				t.Helper()
				began, most := e.Stats().Collector, int64(0)
				for range keys {
					between()
					edit()
					most = max(most, e.Stats().Store.StoredBytes)
				}
				await(t, e, keys, live, most, began)
			}
			settles(keys, func() {})
			pace := time.NewTicker(10 * time.Millisecond)
			defer pace.Stop()
			settles(keys/5, func() { <-pace.C })
			if rep, err := inspect.Verify(t.Context(), e, nil); err != nil || !rep.Clean() {
				t.Errorf("verify: %+v, %v", rep, err)
			}
		})
	}
}

// What a collection has left because it was live then, or was put while it went on, is garbage with
// the next edits. When these end before they are worth a collection by what they put, it goes all
// the same: known garbage counts, however old it is.
func TestOldGarbageGoes(t *testing.T) {
	e := open(t, t.TempDir(), runtime.Options{SegmentBytes: 1 << 20})
	all := func(length int) {
		for i := range 30 {
			key := fmt.Sprint("text ", i)
			put(t, e, inputs, key, noise(uint64(i), length))
			ask(t, e, doubled, key)
		}
	}
	all(100)
	if _, err := e.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	live := e.Stats().Store.LiveBytes
	all(100_000)
	if _, err := e.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := e.Stats()
	all(100)
	await(t, e, 30, live+1<<20, began.Store.StoredBytes, began.Collector)
}

// await waits until an engine has no more than twice what is live. How long that takes is the
// machine's to say: it fails when the time that all tests have is nearly over.
func await(t *testing.T, e *runtime.Engine, keys int, live, most int64, began gc.Stats) {
	t.Helper()
	typed := time.Now()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for e.Stats().Store.StoredBytes > 2*live {
		select {
		case <-tick.C:
		case <-t.Context().Done():
		}
		if end, ok := t.Deadline(); ok && time.Until(end) < awaitReport {
			t.Fatalf("%v after %d keys the store has %d bytes, and %d are live: %+v", time.Since(typed), keys, e.Stats().Store.StoredBytes, live, e.Stats().Collector)
		}
	}
	st := e.Stats()
	t.Logf("%d keys: %d bytes are live, at most %d were stored, %d are %v after the last key; %d short collections, %d of everything",
		keys, live, most, st.Store.StoredBytes, time.Since(typed).Round(time.Millisecond),
		st.Collector.Short-began.Short, st.Collector.Cycles-began.Cycles)
}

const (
	lookEvery   = 20 * time.Millisecond // await looks so often
	awaitReport = 20 * time.Second      // and fails so long before the test run is ended
)

// A store that is filled is not collected again and again for nothing; one in which what is put is
// garbage soon is, and when it is quiet a little is enough.
func TestRecentIsCollectedInProportion(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name          string
		looks         int
		put           int64 // in each look
		garbage       int64 // percent of what is put
		quiet         int   // looks after that
		least, most   int   // short collections
		elders, whole bool
		poor          bool // in the end
	}{
		{"filling", 1000, mib, 0, 0, 4, 12, true, false, true},
		{"overwriting", 1000, mib, 40, 0, 4, 12, true, false, true},
		{"typing", 1000, mib / 4, 90, 0, 200, 260, true, false, false},
		{"a few keys, and a pause", 4, 100 << 10, 90, 20, 1, 1, true, false, false},
		{"one key, and a pause", 1, 100 << 10, 90, 20, 0, 0, true, false, false},
		{"much of the store, and a pause", 2, 100 << 10, 3000, 20, 0, 0, true, true, false},
		{"the first garbage of a process, and a pause", 10, mib, 90, 20, 0, 0, false, true, false},
		{"no garbage of a process, and a pause", 10, mib, 0, 20, 0, 0, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runtime.NewRecent()
			stored, garbage, freed, short, whole := int64(8*mib), int64(0), uint64(0), 0, 0
			for i := range c.looks + c.quiet {
				if i < c.looks {
					stored, garbage = stored+c.put, garbage+c.put*c.garbage/100
				}
				chore := r.Look(stored, garbage, stored-garbage, c.elders)
				if chore == "" {
					continue
				}
				if chore == "new" {
					short++
				} else {
					whole++
				}
				r.Collected(chore == "new", stored, stored-garbage, freed, freed+uint64(garbage))
				stored, freed, garbage = stored-garbage, freed+uint64(garbage), 0
			}
			if short < c.least || short > c.most || whole > 0 != c.whole || whole > 1 {
				t.Errorf("%d short collections and %d of everything, want from %d to %d, and one of everything: %t", short, whole, c.least, c.most, c.whole)
			}
			if r.Poor() != c.poor {
				t.Errorf("short collections are poor: %t, want %t", r.Poor(), c.poor)
			}
		})
	}
}

// When the store is quiet, garbage is what was counted and what lies there without a name. A sample
// of what was replaced may have none of a few large records, so growth stands for it; where all was
// counted, growth is no garbage. What a collection of everything has left is not collected again.
func TestKnownGarbage(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		what           string
		counted, named int64 // of 5 MiB that are stored, when 2 were live after the last collection
		sampled        bool
		lastStored     int64
		want           string
	}{
		{"a sample has none of what has grown", 0, 5 * mib, true, 3 * mib, "all"},
		{"all was counted", 0, 5 * mib, false, 3 * mib, ""},
		{"half of what was freed lies there", mib / 2, 9 * mib / 2, false, 3 * mib, "all"},
		{"little lies there", mib / 4, 19 * mib / 4, false, 3 * mib, ""},
		{"the last collection has left it", 0, 3 * mib, true, 5*mib - 1000, ""},
		{"some is known all the same", 2 * mib, 5 * mib, false, 5 * mib, "all"},
	} {
		r := runtime.NewRecent()
		chore, stored := "", int64(5*mib)
		for range 10 {
			known := runtime.KnownGarbage(c.counted, c.sampled, stored, c.named, 2*mib, c.lastStored)
			chore = r.Look(stored, known, c.named-c.counted, false)
		}
		if chore != c.want {
			t.Errorf("%s: %q is to be collected, want %q", c.what, chore, c.want)
		}
	}
}

// After a poor short collection the next one waits for four times as much as that one was due for,
// or came to if it came late; after a good one for a fourth of it, and at least for a mebibyte.
func TestPoorCollectionsComeRarer(t *testing.T) {
	const mib = 1 << 20
	r := runtime.NewRecent()
	stored, freed := int64(8*mib), uint64(0)
	r.Look(stored, 0, stored, true)
	for i, c := range []struct {
		put     int64 // since the last one
		garbage int64
		next    int64 // to be put before the next one
	}{
		{mib, 0, 4 * mib},
		{4 * mib, 0, 16 * mib},
		{20 * mib, 0, 80 * mib}, // late
		{80 * mib, 80 * mib, 20 * mib},
		{20 * mib, 20 * mib, 5 * mib},
		{5 * mib, 5 * mib, 5 * mib / 4},
		{5 * mib / 4, mib, mib},
		{mib, mib, mib}, // not more often than that
		{mib, mib / 2, mib},
		{mib, mib/2 - 1, 4 * mib},
	} {
		before := stored + c.put
		stored = before - c.garbage
		r.Collected(true, before, stored, freed, freed+uint64(c.garbage))
		freed += uint64(c.garbage)
		if chore := r.Look(stored+c.next-1, 0, stored, true); chore != "" {
			t.Errorf("after collection %d the next one (%s) is due before %d bytes are put", i, chore, c.next)
		}
		if chore := r.Look(stored+c.next, 0, stored, true); chore != "new" {
			t.Errorf("after collection %d the next one is not due when %d bytes are put", i, c.next)
		}
	}
}
