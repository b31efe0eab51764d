package gc

import (
	"context"
	"encoding/binary"
	"log/slog"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// newStore returns a store in memory and a database over it, which end with the test.
func newStore(t *testing.T) (*mmapcas.Store, *db.DB) {
	t.Helper()
	st, err := mmapcas.Open("", mmapcas.Options{SegmentBytes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	d, err := db.Open(st, db.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close(context.Background()) })
	return st, d
}

// A slice ends once its time is over, after so many bytes at most, whatever it works on: many
// records, large ones, and one that refers to very many.
func TestSlicesAreBounded(t *testing.T) {
	st, d := newStore(t)
	// A record of this kind is a list of names, as long as it likes.
	const kindList mmapcas.Kind = 42
	names := func(payload []byte) (out []mmapcas.Hash) {
		for ; len(payload) >= hashBytes; payload = payload[hashBytes:] {
			out = append(out, mmapcas.Hash(payload))
		}
		return out
	}
	c := New(Options{
		Store: st, DB: d, Logger: slog.New(slog.DiscardHandler),
		Refs: func(kind mmapcas.Kind, payload []byte) []mmapcas.Hash {
			if kind == kindList {
				return names(payload)
			}
			return refsOf(kind, payload)
		},
		Flush: func(context.Context) []mmapcas.Hash { return nil },
	})
	put := func(kind mmapcas.Kind, payload []byte) mmapcas.Hash {
		h, _, err := st.Put(kind, payload)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	const many, large, largeBytes = 20_000, 100, 100_000
	var list []byte
	for i := range many {
		h := put(kindObject, binary.LittleEndian.AppendUint64([]byte{0}, uint64(i)))
		list = append(list, h[:]...)
	}
	for i := range large {
		h := put(kindObject, append(binary.LittleEndian.AppendUint64([]byte{0}, uint64(i)), make([]byte, largeBytes)...))
		list = append(list, h[:]...)
	}
	part, err := d.Partition("p", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Commit(t.Context(), []db.Op{{Part: part, Key: "k", Verb: db.Put, Hash: put(kindList, list)}}); err != nil {
		t.Fatal(err)
	}
	slices := 0
	if err := c.Collect(t.Context(), Pace{Wait: func() { slices++ }}); err != nil {
		t.Fatal(err)
	}
	if want := (many*recordBytes + large*largeBytes) / clockBytes / 2; slices < want {
		t.Errorf("%d slices whose time was over at once, want at least %d", slices, want)
	}
	if st := c.Stats(); st.Marked < many+large || st.Missing > 0 {
		t.Errorf("%+v", st)
	}
}

// What waits for the disk or for a lock is done where Pace.Block does it.
func TestWaitingIsLeftToBlock(t *testing.T) {
	w := newWorld(t, 1)
	defer w.close(t)
	blocked := map[Phase]int{}
	err := w.c.Collect(t.Context(), Pace{Wait: func() {}, Block: func(fn func() error) error {
		blocked[w.c.Stats().Phase]++
		return fn()
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, phase := range []Phase{Idle, Draining, Marking, Sweeping} {
		if blocked[phase] == 0 {
			t.Errorf("%v: nothing was left to Block", phase)
		}
	}
}

// The reaper may have any number of notes to read before the roots are taken: that is no slice's
// work.
func TestReapingBeforeTheRootsIsNoSlice(t *testing.T) {
	st, d := newStore(t)
	c := New(Options{
		Store: st, DB: d, Refs: refsOf, Logger: slog.New(slog.DiscardHandler),
		Flush: func(context.Context) []mmapcas.Hash { return nil },
	})
	part, err := d.Partition("p", false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range byte(3) {
		h, _, err := st.Put(kindObject, []byte{0, i})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Commit(t.Context(), []db.Op{{Part: part, Key: "k", Verb: db.Put, Hash: h}}); err != nil {
			t.Fatal(err)
		}
	}
	reaped := false
	err = c.Collect(t.Context(), Pace{Wait: func() {}, Block: func(fn func() error) error {
		draining, before := c.Stats().Phase == Draining, c.Stats().GarbageBytes
		err := fn()
		if draining && before == 0 && c.Stats().GarbageBytes > 0 {
			reaped = true
		}
		return err
	}})
	if err != nil {
		t.Fatal(err)
	}
	if !reaped {
		t.Error("nothing was reaped where Pace.Block waits")
	}
}
