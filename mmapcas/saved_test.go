package mmapcas

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/index"
	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// unread returns how many shards of the index were not read from its file yet, -1 if there was no
// file to read.
func unread(s *Store) int {
	shards, saved := s.index.Unread()
	if !saved {
		return -1
	}
	return shards
}

// quiesce returns when the save under way has ended, so that the file system may be cloned.
func (s *Store) quiesce() *Store { s.waitForSave(); return s }

func TestSavedIndex(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		if dir == "" {
			t.Skip("memory does not last")
		}
		s := mustOpen(t, dir, o)
		if unread(s) != -1 {
			t.Fatal("a new store has a saved index")
		}
		records := map[Hash][]byte{}
		put := func(i int) {
			p := payload(i, i*37%3000)
			records[mustPut(t, s, 9, p)] = p
		}
		for i := range 400 {
			put(i)
		}
		if err := s.Commit(nil); err != nil {
			t.Fatal(err)
		}
		s.waitForSave() // or the bytes of the next record may count as saved, or not
		put(1000)       // behind what is saved
		before := s.Stats()
		mustClose(t, s)
		for range 2 {
			s = mustOpen(t, dir, o)
			if n := unread(s); n != index.Shards {
				t.Fatalf("%d shards not read after opening", n)
			}
			if st := s.Stats(); st.Records != before.Records || st.LiveBytes != before.LiveBytes || st.Damaged != 0 {
				t.Fatalf("%+v, before closing %+v", st, before)
			}
			if s.Has(HashOf(9, []byte("absent"))) {
				t.Error("has what it has not")
			}
			if lost := checkNoWrongAnswer(t, s, records); lost > 0 {
				t.Fatalf("%d records lost", lost)
			}
			mustVerify(t, s)
			if unread(s) != 0 {
				t.Fatalf("%d shards not read by reading everything", unread(s))
			}
			mustClose(t, s)
		}
		o.ReadOnly = true
		s = mustOpen(t, dir, o)
		for h, p := range records {
			if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, p) {
				t.Fatal(err)
			}
		}
		mustClose(t, s)
	})
}

// TestDroppedStaysDropped: what a collection dropped does not come back when the store is closed
// and opened.
func TestDroppedStaysDropped(t *testing.T) {
	o := small(vfs.NewMem())
	s := mustOpen(t, "/s", o)
	var live, dead []Hash
	for i := range 300 {
		h := mustPut(t, s, 1, payload(i, 500))
		if i%12 == 0 { // too few for anything to be moved
			dead = append(dead, h)
		} else {
			live = append(live, h)
		}
	}
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	s.quiesce()
	if st := collect(t, s, live); st.Dropped != int64(len(dead)) {
		t.Fatalf("%+v", st)
	}
	s.quiesce()
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	killed := o
	killed.FS = s.quiesce().fs.(*vfs.Mem).Clone()
	mustClose(t, s)
	for _, o := range []Options{o, killed} {
		s = mustOpen(t, "/s", o)
		for _, h := range dead {
			if s.Has(h) {
				t.Fatal("a dropped record is back")
			}
		}
		for _, h := range live {
			if !s.Has(h) {
				t.Fatal("a live record is gone")
			}
		}
		if s.Stats().Records != int64(len(live)) {
			t.Fatalf("%+v", s.Stats())
		}
		mustClose(t, s)
	}
}

// TestIndexFileEveryByte damages bytes of an index file, and cuts the file short at each: nothing
// is lost. TestEveryByte damages them all.
func TestIndexFileEveryByte(t *testing.T) {
	rng := seeded(t)
	mem, records := smallStore(t)
	name := filepath.Join("/s", indexFileName)
	whole, err := vfs.ReadFile(mem, name)
	if err != nil {
		t.Fatal(err)
	}
	stride := 12*stride() + 5 // the start is random, so all have their turn
	for off := rng.Int64N(stride); off < int64(len(whole)); off += stride {
		for _, cut := range []bool{false, true} {
			b := bytes.Clone(whole)
			b[off] ^= byte(1 + rng.IntN(255))
			if cut {
				b = b[:off]
			}
			c := mem.Clone()
			if _, err := vfs.WriteFile(c, "/s", name, b, true); err != nil {
				t.Fatal(err)
			}
			s := mustOpen(t, "/s", small(c))
			if cut && unread(s) != -1 {
				t.Fatalf("cut at %d, and used", off)
			}
			if lost := checkNoWrongAnswer(t, s, records); lost > 0 {
				t.Fatalf("byte %d of %d, cut %v: %d records lost", off, len(whole), cut, lost)
			}
			if st := s.Stats(); st.Records != int64(len(records)) {
				t.Fatalf("byte %d, cut %v: %+v", off, cut, st)
			}
			mustVerify(t, s)
			mustClose(t, s)
		}
	}
}

// TestIndexFileOfAnotherHistory: a file that the manifest has not caught up with is not used, and
// does not lie in wait.
func TestIndexFileOfAnotherHistory(t *testing.T) {
	mem, records := smallStore(t)
	future := mem.Clone()
	s := mustOpen(t, "/s", small(future))
	for i := range 50 {
		mustPut(t, s, 9, payload(500+i, 700))
		if err := s.Commit(nil); err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, s)
	name := filepath.Join("/s", indexFileName)
	b, err := vfs.ReadFile(future, name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vfs.WriteFile(mem, "/s", name, b, true); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, "/s", small(mem))
	if unread(s) != -1 {
		t.Fatal("an index file from the future is used")
	}
	if names, err := mem.List("/s"); err != nil || slices.Contains(names, indexFileName) {
		t.Fatal(names, err)
	}
	if lost := checkNoWrongAnswer(t, s, records); lost > 0 {
		t.Fatalf("%d records lost", lost)
	}
	mustClose(t, s)
}

// TestSavedIndexModel puts, commits, collects, closes, kills and cuts the power at random, beside a
// map of what must be there. Whenever the store is opened, the index file is the one it left behind
// or an older one, which a failed save could have left in its place.
func TestSavedIndexModel(t *testing.T) {
	rng := seeded(t)
	rounds := 60
	if raceEnabled {
		rounds = 3
	}
	for range rounds {
		savedIndexModel(t, rng)
	}
}

func savedIndexModel(t *testing.T, rng *rand.Rand) {
	mem := vfs.NewMem()
	options := func() Options {
		o := small(mem)
		o.Sync = SyncGroup
		return o
	}
	name := filepath.Join("/s", indexFileName)
	s := mustOpen(t, "/s", options())
	live := map[Hash][]byte{}
	acked := map[Hash][]byte{} // of live, what a commit covers
	var files [][]byte
	keep := func() {
		b, err := vfs.ReadFile(s.quiesce().fs, name)
		if err == nil {
			files = append(files, b)
		}
	}
	reopen := func(m *vfs.Mem, have map[Hash][]byte) {
		mem = m
		if len(files) > 0 && rng.IntN(2) == 0 {
			i := rng.IntN(len(files))
			if _, err := vfs.WriteFile(mem, "/s", name, files[i], true); err != nil {
				t.Fatal(err)
			}
			files = files[:i+1] // later ones never were, from here on
		}
		s = mustOpen(t, "/s", options())
		live = have
		for h, p := range live {
			if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, p) {
				t.Fatalf("record is lost: %v", err)
			}
		}
		mustVerify(t, s)
	}
	clone := func(m map[Hash][]byte) map[Hash][]byte {
		c := map[Hash][]byte{}
		for h, p := range m {
			c[h] = p
		}
		return c
	}
	for range 40 {
		switch rng.IntN(8) {
		case 0, 1, 2:
			for range rng.IntN(60) {
				p := payload(rng.IntN(400), 20+rng.IntN(3)*900)
				live[mustPut(t, s, 9, p)] = p
			}
		case 3:
			if err := s.Commit(nil); err != nil {
				t.Fatal(err)
			}
			acked = clone(live)
			keep()
		case 4:
			for h := range live {
				if rng.IntN(3) == 0 {
					delete(live, h)
					delete(acked, h)
				}
			}
			c, err := s.BeginCycle()
			if err != nil {
				t.Fatal(err)
			}
			for h := range live {
				if _, err := c.Mark(h); err != nil {
					t.Fatal(err)
				}
			}
			for n := rng.IntN(60); n > 0; n-- {
				if done, _, err := c.Sweep(0); err != nil {
					t.Fatal(err)
				} else if done {
					break
				}
			}
			c.Abort()
			keep()
		case 5:
			mustClose(t, s)
			keep()
			reopen(mem, live)
		case 6: // kill
			old := s.quiesce()
			reopen(mem.Clone(), live)
			mustClose(t, old)
		case 7:
			old := s.quiesce()
			// Index files from behind the cut are not to be had any more, unless they are found to
			// be that.
			reopen(mem.CrashClone(rng.Uint64()), clone(acked))
			files = nil
			mustClose(t, old)
		}
	}
	mustClose(t, s)
}

// TestSaveBesidePuts saves the index again and again while others put, commit and collect.
func TestSaveBesidePuts(t *testing.T) {
	mem := vfs.NewMem()
	s := mustOpen(t, "/s", small(mem))
	const writers, each = 3, 250
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, _, err := s.Put(9, payload(w*each+i, 300)); err != nil {
					t.Error(err)
				}
				if i%10 == 0 {
					if err := s.Commit(nil); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Go(func() {
		for range 10 {
			// Begun and ended without a sweep: it drops nothing, but saves must not trip over it.
			if c, err := s.BeginCycle(); err != nil {
				t.Error(err)
			} else {
				c.Abort()
			}
		}
	})
	wg.Wait()
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	k := mustOpen(t, "/s", small(s.quiesce().fs.(*vfs.Mem).Clone()))
	for i := range writers * each {
		if !k.Has(HashOf(9, payload(i, 300))) {
			t.Fatalf("record %d is lost", i)
		}
	}
	mustVerify(t, k)
	mustClose(t, k)
	mustClose(t, s)
}

// An index file as docs/FORMAT.md has it: a head of 64 bytes, 24 for each reach, 16 for each shard
// and a checksum; then the shards' parts, a byte for each bucket and 8 for each slot in use.
const indexSlots = 8 // of a bucket

// indexPartsAt is where an index file describes its parts.
func indexPartsAt(b []byte) int64 { return 64 + 24*int64(binary.LittleEndian.Uint32(b[12:])) }

// indexPartAt is where the part of a shard begins.
func indexPartAt(b []byte, shard int) int64 {
	le := binary.LittleEndian
	parts := indexPartsAt(b)
	at := parts + 16*index.Shards + 4
	for i := range shard {
		p := b[parts+16*int64(i):]
		at += (int64(le.Uint32(p))+7)&^7 + 8*int64(le.Uint32(p[4:]))
	}
	return at
}

// FuzzIndexFile opens a store with an index file whose parts are these bytes, behind right
// checksums. Entries may be missing then, or lead anywhere: what is answered is right or not there.
func FuzzIndexFile(f *testing.F) {
	s, err := Open("/s", small(vfs.NewMem()))
	if err != nil {
		f.Fatal(err)
	}
	base := s.fs.(*vfs.Mem)
	records := map[Hash][]byte{}
	for i := range 30 {
		p := payload(i, 100)
		h, _, err := s.Put(9, p)
		if err != nil {
			f.Fatal(err)
		}
		records[h] = p
	}
	if err := errors.Join(s.Commit(nil), s.Close()); err != nil {
		f.Fatal(err)
	}
	whole, err := vfs.ReadFile(base, "/s/"+indexFileName)
	if err != nil {
		f.Fatal(err)
	}
	headEnd := indexPartAt(whole, 0)
	if binary.LittleEndian.Uint32(whole[12:]) != 1 || binary.LittleEndian.Uint32(whole[headEnd-4:]) != record.Checksum(whole[:headEnd-4]) {
		f.Fatal("no head of one reach")
	}
	partsAt := indexPartsAt(whole)
	f.Add(whole[headEnd:], uint8(0))
	f.Add(bytes.Repeat([]byte{8}, 16), uint8(16))
	f.Fuzz(func(t *testing.T, parts []byte, used uint8) {
		b := bytes.Clone(whole[:headEnd])
		le := binary.LittleEndian
		for i := range index.Shards {
			p := b[partsAt+16*int64(i):][:16]
			buckets := le.Uint32(p)
			all := uint32(used) % (buckets*indexSlots + 1)
			part := make([]byte, (int64(buckets)+7)&^7+8*int64(all))
			if len(parts) > 0 {
				parts = parts[copy(part, parts):]
			}
			// Counts that fit, so that the slots are looked at.
			left := all
			for j := range part[:buckets] {
				n := min(left, uint32(part[j]%(indexSlots+1)))
				if rest := (buckets - uint32(j) - 1) * indexSlots; left > rest {
					n = max(n, left-rest)
				}
				part[j] = byte(n)
				left -= n
			}
			le.PutUint32(p[4:], all)
			le.PutUint32(p[8:], min(le.Uint32(p[8:]), all))
			le.PutUint32(p[12:], record.Checksum(part))
			b = append(b, part...)
		}
		le.PutUint32(b[headEnd-4:], record.Checksum(b[:headEnd-4]))
		c := base.Clone()
		if _, err := vfs.WriteFile(c, "/s", "/s/"+indexFileName, b, true); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, "/s", small(c))
		if unread(s) == -1 {
			t.Fatal("not used")
		}
		checkNoWrongAnswer(t, s, records)
		mustClose(t, s)
	})
}

// A creating file system calls a function before a file is made.
type creating struct {
	vfs.FS
	before func(name string)
}

func (c *creating) Create(name string) (vfs.File, error) {
	c.before(name)
	return c.FS.Create(name)
}

// TestSaveGivenUpForACycle: a save that a collection overtakes is no failure, so the next one need
// not wait for more commits.
func TestSaveGivenUpForACycle(t *testing.T) {
	mem := vfs.NewMem()
	var s *Store
	var c *Cycle
	fs := &creating{mem, func(name string) {
		if c != nil || filepath.Base(name) != indexFileName+vfs.TempSuffix {
			return
		}
		var err error
		if c, err = s.BeginCycle(); err != nil {
			t.Error(err)
		}
	}}
	s = mustOpen(t, "/s", small(fs))
	mustPut(t, s, 1, payload(1, 1000))
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	s.waitForSave()
	if c == nil {
		t.Fatal("no save has begun")
	}
	if _, err := vfs.ReadFile(mem, "/s/"+indexFileName); err == nil {
		t.Fatal("the save has come to its end")
	}
	c.Abort()
	mustClose(t, s)
	if _, err := vfs.ReadFile(mem, "/s/"+indexFileName); err != nil {
		t.Fatalf("no index was saved at Close: %v", err)
	}
}
