package mmapcas

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// packing is o for a store that packs whatever is not its newest segment, in small blocks.
func packing(o Options) Options {
	o.PackAfter, o.packedBlock, o.Appenders = 1, 4<<10, 1
	return o
}

// prose returns n bytes that compress well and depend on i.
func prose(i, n int) []byte {
	var b bytes.Buffer
	for k := 0; b.Len() < n; k++ {
		fmt.Fprintf(&b, "record %d says %d. ", i, k%7)
	}
	return b.Bytes()[:n]
}

// packedForms is forms for stores that have files.
func packedForms(t *testing.T, fn func(t *testing.T, dir string, o Options)) {
	forms(t, func(t *testing.T, dir string, o Options) {
		if dir == "" {
			t.Skip("needs files")
		}
		fn(t, dir, packing(o))
	})
}

// mixed is a payload of number i: mostly prose, and now and then noise, nothing, or more than a block.
func mixed(i int) []byte {
	switch {
	case i%11 == 0:
		return payload(i, 700)
	case i%53 == 1:
		return prose(i, 9000)
	case i%97 == 2:
		return payload(i, 6000)
	default:
		return prose(i, 8+i%400)
	}
}

// packedStore fills a store with n records, commits and collects. It returns what is in it.
func packedStore(t *testing.T, dir string, o Options, n int) (*Store, map[Hash][]byte) {
	t.Helper()
	s := mustOpen(t, dir, o)
	records := map[Hash][]byte{}
	for i := range n {
		p := mixed(i)
		records[mustPut(t, s, 9, p)] = p
	}
	p := []byte{}
	records[mustPut(t, s, 9, p)] = p
	if err := s.Commit([]byte("n")); err != nil {
		t.Fatal(err)
	}
	collect(t, s, keysOf(records))
	if st := s.Stats(); st.PackedSegments == 0 || st.PackedBytes*2 > st.UnpackedBytes {
		t.Fatalf("not packed: %+v", st)
	}
	if err := s.Commit([]byte("n")); err != nil { // from here on the index file speaks about packed segments
		t.Fatal(err)
	}
	return s, records
}

func keysOf(records map[Hash][]byte) []Hash {
	var all []Hash
	for h := range records {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b Hash) int { return bytes.Compare(a[:], b[:]) })
	return all
}

// mustAnswer reads every record in every way there is.
func mustAnswer(t *testing.T, s *Store, records map[Hash][]byte) {
	t.Helper()
	all := keysOf(records)
	for _, h := range all {
		got, kind, err := s.Get(h, nil)
		if err != nil || kind != 9 || !bytes.Equal(got, records[h]) {
			t.Fatalf("get %v: %v", h, err)
		}
		if !s.Has(h) {
			t.Fatalf("%v is not there", h)
		}
	}
	if err := s.ViewBatch(all, func(i int, kind Kind, p []byte, err error) error {
		if err != nil || kind != 9 || !bytes.Equal(p, records[all[i]]) {
			t.Errorf("view %v: %v", all[i], err)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	seen := map[Hash]bool{}
	if err := s.Iterate(func(kind Kind, h Hash, p []byte) error {
		seen[h] = true
		if want, ok := records[h]; ok && (kind != 9 || !bytes.Equal(p, want)) {
			t.Errorf("iterate: wrong bytes of %v", h)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		if !seen[h] {
			t.Fatalf("iterate does not meet %v", h)
		}
	}
}

func TestPack(t *testing.T) {
	packedForms(t, func(t *testing.T, dir string, o Options) {
		s, records := packedStore(t, dir, o, 800)
		before := s.Stats()
		if before.Records != int64(len(records)) || before.Packed != int64(before.PackedSegments) {
			t.Errorf("%+v, want %d records", before, len(records))
		}
		mustAnswer(t, s, records)
		if st := s.Stats(); st.BlockHits == 0 || st.BlockMisses == 0 || st.BlockCacheBytes == 0 {
			t.Errorf("%+v", st)
		}
		for _, p := range records {
			if _, fresh, err := s.Put(9, p); fresh || err != nil {
				t.Fatalf("put of what is there: %v %v", fresh, err)
			}
		}
		mustVerify(t, s)
		if err := s.Commit([]byte("m")); err != nil {
			t.Fatal(err)
		}
		for _, how := range []string{"with the index file", "without"} {
			mustClose(t, s)
			if how == "without" {
				if err := s.fs.Remove(s.indexFile()); err != nil {
					t.Fatal(err)
				}
			}
			s = mustOpen(t, dir, o)
			st := s.Stats()
			if st.Records != before.Records || st.LiveBytes != before.LiveBytes || st.PackedSegments != before.PackedSegments ||
				st.PackedBytes != before.PackedBytes || st.UnpackedBytes != before.UnpackedBytes || st.StoredBytes != before.StoredBytes || st.Damaged != 0 {
				t.Errorf("%s: %+v, before %+v", how, st, before)
			}
			mustAnswer(t, s, records)
			mustVerify(t, s)
		}
		mustClose(t, s)
		o.ReadOnly = true
		s = mustOpen(t, dir, o)
		mustAnswer(t, s, records)
		mustClose(t, s)
	})
}

// TestPackedFilesAreSmaller: what the disk holds is what Stats says.
func TestPackedFilesAreSmaller(t *testing.T) {
	fs := vfs.NewMem()
	s, _ := packedStore(t, "/s", packing(small(fs)), 1500)
	var sum int64
	for _, seg := range s.segments() {
		n := fileSize(t, fs, seg.name)
		if seg.packed == nil {
			continue
		}
		sum += n
		if n%packedAlign != 0 || n*4 > seg.used()*3 {
			t.Errorf("segment of %d bytes is %d packed", seg.used(), n)
		}
	}
	if st := s.Stats(); sum != st.PackedBytes || st.UnpackedBytes < 2*sum {
		t.Errorf("%d bytes on disk, %+v", sum, st)
	}
	mustClose(t, s)
}

// TestPackedCollect: packed segments are collected like others: sparse ones are unpacked into plain ones, which are packed when
// they are old. A model knows what is live.
func TestPackedCollect(t *testing.T) {
	packedForms(t, func(t *testing.T, dir string, o Options) {
		rng := seeded(t)
		s, live := packedStore(t, dir, o, 500)
		all := map[Hash][]byte{}
		packed := int64(0)
		for round := range 4 {
			for i := range 250 {
				p := mixed(10_000*(round+1) + i)
				live[mustPut(t, s, 9, p)] = p
			}
			for _, h := range keysOf(live) {
				all[h] = live[h]
				if rng.IntN(3) == 0 {
					delete(live, h)
				}
			}
			if err := s.Commit(nil); err != nil {
				t.Fatal(err)
			}
			collect(t, s, keysOf(live))
			mustAnswer(t, s, live)
			if got := s.Stats().Records; got != int64(len(live)) {
				t.Fatalf("round %d: %d records, want %d", round, got, len(live))
			}
			for h := range all {
				if _, ok := live[h]; ok != s.Has(h) {
					t.Fatalf("round %d: record %v is there: %v", round, h, !ok)
				}
			}
			mustVerify(t, s)
			packed += s.Stats().Packed
			if round%2 == 1 {
				mustClose(t, s)
				s = mustOpen(t, dir, o)
				collect(t, s, keysOf(live)) // what was dropped comes back at opening
				mustAnswer(t, s, live)
			}
		}
		if packed < 4 {
			t.Errorf("%d segments were packed", packed)
		}
		mustClose(t, s)
	})
}

// TestPackOldOnly: the newest segments, those with records that no commit covers, and all of them without the option stay plain.
func TestPackOldOnly(t *testing.T) {
	for _, c := range []struct {
		name          string
		after         int
		commit        bool
		least, atMost int
	}{
		{"never", 0, true, 0, 0}, {"after one", 1, true, 4, 100}, {"after many", 100, true, 0, 0}, {"not committed", 1, false, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := packing(small(vfs.NewMem()))
			o.PackAfter = c.after
			s := mustOpen(t, "/s", o)
			var live []Hash
			for i := range 1500 {
				live = append(live, mustPut(t, s, 9, prose(i, 300)))
			}
			if c.commit {
				if err := s.Commit(nil); err != nil {
					t.Fatal(err)
				}
			}
			collect(t, s, live)
			st := s.Stats()
			if st.PackedSegments < c.least || st.PackedSegments > c.atMost {
				t.Errorf("%d of %d segments are packed", st.PackedSegments, st.Segments)
			}
			if newest := s.segments(); c.after == 1 && c.commit {
				plain := 0
				for _, seg := range newest {
					if seg.packed == nil {
						plain++
					}
				}
				if plain != 1 {
					t.Errorf("%d segments are plain, want the newest", plain)
				}
			}
			mustClose(t, s)
		})
	}
}

// TestPackedReadersDuringPacking: views see right bytes while segments are packed and unpacked under them, with a cache of a few blocks.
func TestPackedReadersDuringPacking(t *testing.T) {
	packedForms(t, func(t *testing.T, dir string, o Options) {
		o.PackedCacheBytes = 4 * (packedBlockBytes + blockRoom)
		s, records := packedStore(t, dir, o, 600)
		all := keysOf(records)
		var (
			wg   sync.WaitGroup
			stop atomic.Bool
			read [3]atomic.Int64
		)
		for w := range read {
			wg.Go(func() {
				rng := rand.New(rand.NewPCG(1, uint64(w)))
				for !stop.Load() {
					a, b := all[rng.IntN(len(all))], all[rng.IntN(len(all))]
					err := s.View(a, func(_ Kind, pa []byte) error {
						// While the first is looked at the second may take its place in the cache.
						if _, _, err := s.Get(b, nil); err != nil {
							return err
						}
						if !bytes.Equal(pa, records[a]) {
							return errors.New("bytes of a view changed")
						}
						return nil
					})
					if err != nil {
						t.Error(err)
						return
					}
					read[w].Add(1)
				}
			})
		}
		for round := range 4 {
			for i := range 400 {
				mustPut(t, s, 9, mixed(100_000*(round+1)+i)) // garbage
			}
			if err := s.Commit(nil); err != nil {
				t.Fatal(err)
			}
			collect(t, s, all)
		}
		for w := range read {
			for read[w].Load() < 20 && !t.Failed() {
				s.epochs.Collect()
			}
		}
		stop.Store(true)
		wg.Wait()
		mustAnswer(t, s, records)
		mustClose(t, s)
	})
}

// TestPackedPutDuringPacking: whatever a put returned while segments are swept and packed is there afterwards (G1, G3).
func TestPackedPutDuringPacking(t *testing.T) {
	packedForms(t, func(t *testing.T, dir string, o Options) {
		o.Appenders = 2
		s, records := packedStore(t, dir, o, 600)
		all := keysOf(records)
		for cycle := range 3 {
			for i := range 200 {
				mustPut(t, s, 9, mixed(100_000*(cycle+1)+i))
			}
			if err := s.Commit(nil); err != nil {
				t.Fatal(err)
			}
			c, err := s.BeginCycle()
			if err != nil {
				t.Fatal(err)
			}
			var wg sync.WaitGroup
			saved := make([][]Hash, 2)
			for w := range saved {
				wg.Go(func() {
					rng := rand.New(rand.NewPCG(uint64(cycle), uint64(w)))
					for range 150 {
						h := all[rng.IntN(len(all))]
						if _, _, err := s.Put(9, records[h]); err != nil {
							t.Error(err)
							return
						}
						if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, records[h]) {
							t.Errorf("just put: %v", err)
							return
						}
						saved[w] = append(saved[w], h)
					}
				})
			}
			sweepAll(t, c)
			wg.Wait()
			for _, h := range slices.Concat(saved...) {
				if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, records[h]) {
					t.Fatalf("cycle %d: %v", cycle, err)
				}
			}
			for _, h := range all {
				mustPut(t, s, 9, records[h])
			}
			mustVerify(t, s)
		}
		mustClose(t, s)
	})
}

// TestPackInterrupted: the process is killed after every slice of a sweep that packs, and the sweep is given up there; what is reachable is
// there, and no file is left behind.
func TestPackInterrupted(t *testing.T) {
	o := packing(small(vfs.NewMem()))
	o.Sync = SyncGroup
	s := mustOpen(t, "/s", o)
	records := map[Hash][]byte{}
	for i := range 700 {
		p := mixed(i)
		records[mustPut(t, s, 9, p)] = p
	}
	if err := s.Commit([]byte("x")); err != nil {
		t.Fatal(err)
	}
	before := s.fs.(*vfs.Mem).Clone()
	mustClose(t, s)
	check := func(fs *vfs.Mem, step int) {
		t.Helper()
		o := o
		o.FS = fs
		s := mustOpen(t, "/s", o)
		mustAnswer(t, s, records)
		if string(s.Note()) != "x" {
			t.Fatalf("step %d: note %q", step, s.Note())
		}
		mustVerify(t, s)
		collect(t, s, keysOf(records))
		mustAnswer(t, s, records)
		mustClose(t, s)
		names, err := fs.List("/s")
		if err != nil {
			t.Fatal(err)
		}
		files := 0
		for _, n := range names {
			if _, ok := parseSegmentName(n); ok {
				files++
			}
			if strings.HasSuffix(n, vfs.TempSuffix) {
				t.Fatalf("step %d: %s is left", step, n)
			}
		}
		if files != len(s.segments()) {
			t.Fatalf("step %d: %d files, %d segments", step, files, len(s.segments()))
		}
	}
	packed := int64(0)
	for stop := 0; ; stop += 3 + int(stride())/2 {
		o := o
		mem := before.Clone()
		o.FS = mem
		s := mustOpen(t, "/s", o)
		c, err := s.BeginCycle()
		if err != nil {
			t.Fatal(err)
		}
		for h := range records {
			if _, err := c.Mark(h); err != nil {
				t.Fatal(err)
			}
		}
		done := false
		for step := 0; step < stop && !done; step++ {
			if done, _, err = c.Sweep(0); err != nil {
				t.Fatal(err)
			}
		}
		check(mem.Clone(), stop)
		check(mem.CrashClone(uint64(stop)), stop)
		c.Abort()
		mustAnswer(t, s, records)
		// The next collection lets go what this one had copied, in whatever state that is.
		collect(t, s, keysOf(records))
		check(mem.CrashClone(uint64(stop)), stop)
		packed += s.Stats().Packed
		mustClose(t, s)
		check(mem, stop)
		if done {
			break
		}
	}
	if packed == 0 {
		t.Error("nothing was packed")
	}
}

// TestPackOnFullDisk: without room for the packed segment the plain one stays.
func TestPackOnFullDisk(t *testing.T) {
	mem := vfs.NewMem()
	o := packing(small(mem))
	s := mustOpen(t, "/s", o)
	records := map[Hash][]byte{}
	for i := range 1500 {
		p := prose(i, 300)
		records[mustPut(t, s, 9, p)] = p
	}
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	mem.SetLimit(1)
	collect(t, s, keysOf(records))
	if st := s.Stats(); st.PackedSegments != 0 {
		t.Fatalf("%+v", st)
	}
	mustAnswer(t, s, records)
	mem.SetLimit(0)
	collect(t, s, keysOf(records))
	if st := s.Stats(); st.PackedSegments == 0 {
		t.Fatalf("%+v", st)
	}
	mustAnswer(t, s, records)
	mustVerify(t, s)
	mustClose(t, s)
}

// TestPackedDamage: what damage to each part of a packed segment costs.
func TestPackedDamage(t *testing.T) {
	base := vfs.NewMem()
	o := packing(small(base))
	s, records := packedStore(t, "/s", o, 600)
	var seg *segment
	for _, seg = range s.segments() {
		if seg.packed != nil {
			break
		}
	}
	name, p := seg.name, seg.packed.packedShape
	d := seg.packed.readDirectory(seg.mem, s.arena)
	i := slices.IndexFunc(d.entries, func(e packedEntry) bool { return e.bytes < e.raw && e.records > 2 })
	e := d.entries[i]
	mustClose(t, s)
	block := int(e.records)
	for _, c := range []struct {
		what string
		off  int64
		lost int
	}{
		{"a block", e.at + 3, block},
		{"an entry of the directory", p.headersEnd() + packedEntryBytes*int64(i) + 17, block},
		{"the number of the first record in an entry", p.headersEnd() + packedEntryBytes*int64(i), block},
		{"a header", p.headersAt + record.HeaderBytes*int64(e.first) + 3, 1},
		{"the segment's header", 44, 0},
		{"its copy", seg.mem.Bytes() - 30, 0},
		{"the zeros between", seg.mem.Bytes() - segmentHeaderBytes - 1, 0},
	} {
		for _, saved := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/%v", c.what, saved), func(t *testing.T) {
				fs := base.Clone()
				flip(t, fs, name, c.off, 0x40)
				if !saved {
					if err := fs.Remove("/s/" + indexFileName); err != nil {
						t.Fatal(err)
					}
				}
				o := o
				o.FS = fs
				s := mustOpen(t, "/s", o)
				rep, err := s.Verify(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				if harmless := strings.HasPrefix(c.what, "the zeros"); rep.OK() != harmless {
					t.Errorf("verify: %+v", rep)
				}
				for _, e := range rep.Damaged {
					if e.File != name {
						t.Errorf("%v", e)
					}
				}
				clone := s.fs.(*vfs.Mem).Clone()
				if lost := checkNoWrongAnswer(t, s, records); lost != c.lost {
					t.Errorf("%d records lost, want %d", lost, c.lost)
				}
				mustClose(t, s)
				o.FS = clone
				s = mustOpen(t, "/s", o)
				if _, err := s.Repair(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				mustVerify(t, s)
				absent := 0
				for h, p := range records {
					got, _, err := s.Get(h, nil)
					switch {
					case errors.Is(err, ErrNotFound):
						absent++
					case err != nil || !bytes.Equal(got, p):
						t.Fatal(err)
					}
				}
				if absent != c.lost {
					t.Errorf("%d records are gone after the repair, want %d", absent, c.lost)
				}
				mustClose(t, s)
				s = mustOpen(t, "/s", o)
				if n := s.Stats().Damaged; n != 0 {
					t.Errorf("%d damaged places after the repair", n)
				}
				mustClose(t, s)
			})
		}
	}
}

// TestPackedTruncated: a packed file that is cut short is missing, and said to be.
func TestPackedTruncated(t *testing.T) {
	base := vfs.NewMem()
	o := packing(small(base))
	s, records := packedStore(t, "/s", o, 600)
	i := slices.IndexFunc(s.segments(), func(seg *segment) bool { return seg.packed != nil })
	name, size := s.segments()[i].name, s.segments()[i].mem.Bytes()
	mustClose(t, s)
	for _, n := range []int64{0, 10, segmentHeaderBytes, 1000, size / 2, size - packedAlign, size - segmentHeaderBytes, size - 1} {
		fs := base.Clone()
		f, err := fs.Open(name, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(n); err != nil {
			t.Fatal(err)
		}
		o.FS = fs
		s := mustOpen(t, "/s", o)
		if s.Stats().Damaged == 0 && n > 0 {
			t.Errorf("cut to %d bytes: nobody says so", n)
		}
		if lost := checkNoWrongAnswer(t, s, records); lost == 0 {
			t.Errorf("cut to %d bytes: nothing lost", n)
		}
		if err := s.Commit(nil); err != nil {
			t.Fatal(err)
		}
		mustClose(t, s)
		s = mustOpen(t, "/s", o)
		if lost := checkNoWrongAnswer(t, s, records); lost > 0 {
			t.Errorf("cut to %d bytes: %d records put again and lost", n, lost)
		}
		mustClose(t, s)
	}
}

// TestPackedFormat freezes the format: these bytes are on people's disks.
func TestPackedFormat(t *testing.T) {
	plain, _ := record.Parse(recordOf(3, []byte("hello")))
	h := packedHeader(&plain, 7)
	check := func(what string, got []byte, want string) {
		t.Helper()
		if hex.EncodeToString(got) != want {
			t.Errorf("%s is\n%x, want\n%s", what, got, want)
		}
	}
	check("header", h[:], "0500000003010700"+"bbb5d7257edc4f4c0f03621ecc0874f4e42451e4"+hexOf(record.Checksum(h[:record.SelfSumAt])))
	r, n, at, ok := parsePacked(h[:])
	if !ok || n != 5 || at != 7*arena.Unit || r.Hash != plain.Hash || r.Kind != 3 || r.Sum != plain.Sum || r.Extent() != plain.Extent() {
		t.Errorf("%+v %d %d %v", r, n, at, ok)
	}
	if _, ok := record.Parse(h[:]); ok {
		t.Error("a packed header looks like a plain one")
	}
	e := packedEntry{first: 1, records: 2, at: 64, bytes: 3, raw: 96, sum: 0xa1b2c3d4}
	b := e.encode()
	check("entry", b[:], "0100000002000000400000000000000003000000"+"60000000d4c3b2a1"+hexOf(record.Checksum(b[:28])))
	shape := packedShape{headersAt: 96, records: 3, blocks: 1, raw: 192}
	if got, ok := parsePackedEntry(b[:], &shape); !ok || got != e {
		t.Errorf("%+v %v", got, ok)
	}
	sh := segmentHeader{version: packedVersion, number: 9, bytes: packedAlign, packed: shape}
	hb := sh.encode()
	check("segment header", hb[40:60], "6000000000000000"+"03000000"+"01000000"+"06000000")
	if got, ok := parseSegmentHeader(hb); !ok || got != sh {
		t.Errorf("%+v %v", got, ok)
	}
	// A frame of zstd, as an encoder of another make may have written it.
	frame, err := hex.DecodeString("28b52ffd" + "20" + "20" + "030100" + "61")
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 32, 32+blockRoom)
	e = packedEntry{bytes: uint32(len(frame)), raw: 32, sum: record.Checksum(frame)}
	if !e.unzip(dst, frame) || string(dst) != strings.Repeat("a", 32) {
		t.Errorf("a frame is %q", dst)
	}
}

func hexOf(v uint32) string {
	return hex.EncodeToString(binary.LittleEndian.AppendUint32(nil, v))
}

// TestPackedStoreIsNewer: programs of format 1 refuse the segments by their version, and open stores that have none.
func TestPackedStoreIsNewer(t *testing.T) {
	fs := vfs.NewMem()
	s, _ := packedStore(t, "/s", packing(small(fs)), 600)
	sb, err := readSuperblock(fs, "/s")
	if err != nil || sb.version != 1 {
		t.Errorf("superblock of version %d, %v", sb.version, err)
	}
	for _, seg := range s.segments() {
		h, ok, err := readSegmentHeader(s.fs, seg.name)
		want := uint32(1)
		if seg.packed != nil {
			want = 2
		}
		if err != nil || !ok || h.version != want {
			t.Errorf("segment of version %d, want %d", h.version, want)
		}
	}
	mustClose(t, s)
}

// TestBlockCache: one unpacking at a time of a block, shared; no more held than the limit; what readers hold is not used again.
func TestBlockCache(t *testing.T) {
	d := epoch.NewDomain()
	const limit = 4 * (packedBlockBytes + blockRoom)
	c := newBlockCache(d, limit)
	slots := make([]atomic.Pointer[block], 20)
	var calls [20]atomic.Int64
	unpack := func(i int) func([]byte) string {
		return func(dst []byte) string {
			calls[i].Add(1)
			for k := range dst {
				dst[k] = byte(i)
			}
			return ""
		}
	}
	t.Run("shared", func(t *testing.T) {
		began, release := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		get := func(fn func([]byte) string) {
			g := d.Pin()
			defer g.Unpin()
			if b, reason := c.get(&slots[0], 1000, fn); reason != "" || len(b.data) != 1000 || b.data[999] != 0 {
				t.Error(reason)
			}
		}
		wg.Go(func() { get(func(dst []byte) string { close(began); <-release; return unpack(0)(dst) }) })
		<-began
		for range 4 {
			wg.Go(func() { get(unpack(0)) })
		}
		close(release)
		wg.Wait()
		if n := calls[0].Load(); n != 1 {
			t.Errorf("unpacked %d times", n)
		}
	})
	t.Run("bounded", func(t *testing.T) {
		for round := range 3 {
			g := d.Pin()
			var held []*block
			for i := range slots {
				b, reason := c.get(&slots[i], 60_000, unpack(i))
				if reason != "" {
					t.Fatal(reason)
				}
				held = append(held, b)
				if n := c.bytes(); n > limit {
					t.Fatalf("%d bytes are held", n)
				}
			}
			d.Collect() // frees nothing that this reader may look at
			for i, b := range held {
				if b.data[0] != byte(i) || b.data[len(b.data)-1] != byte(i) {
					t.Fatalf("round %d: block %d was used again under a pin", round, i)
				}
			}
			g.Unpin()
			d.Collect()
			if n := c.retired.Load(); n != 0 {
				t.Fatalf("%d bytes wait although nobody reads", n)
			}
		}
	})
	t.Run("used ones stay", func(t *testing.T) {
		g := d.Pin()
		defer g.Unpin()
		if _, reason := c.get(&slots[3], 100, unpack(3)); reason != "" {
			t.Fatal(reason)
		}
		before := calls[3].Load()
		for i := 4; i < 20; i++ {
			for _, k := range []int{3, i} {
				if _, reason := c.get(&slots[k], 100, unpack(k)); reason != "" {
					t.Fatal(reason)
				}
			}
		}
		if n := calls[3].Load() - before; n != 0 {
			t.Errorf("a block that is used all the time was unpacked %d times more", n)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		g := d.Pin()
		defer g.Unpin()
		var slot atomic.Pointer[block]
		for range 2 {
			if b, reason := c.get(&slot, 100, func([]byte) string { return "bad" }); b != nil || reason != "bad" {
				t.Errorf("%v %q", b, reason)
			}
		}
		if slot.Load() != nil {
			t.Error("a damaged block is kept")
		}
	})
	t.Run("large", func(t *testing.T) {
		g := d.Pin()
		defer g.Unpin()
		var slot atomic.Pointer[block]
		b, reason := c.get(&slot, limit, func(dst []byte) string { dst[limit-1] = 7; return "" })
		if reason != "" || b.data[limit-1] != 7 || slot.Load() != nil {
			t.Error("a block that is too large is kept, or wrong")
		}
	})
	c.close()
	d.Collect()
	if n := c.bytes(); n != 0 {
		t.Errorf("%d bytes after close", n)
	}
}

// signPacked gives the parts of a packed segment right checksums, so that mutations get by them.
func signPacked(b []byte, h *segmentHeader) {
	p := &h.packed
	for off := p.headersAt; off < p.headersEnd(); off += record.HeaderBytes {
		b[off+5] = packedFlag
		binary.LittleEndian.PutUint32(b[off+record.SelfSumAt:], record.Checksum(b[off:off+record.SelfSumAt]))
	}
	for off := p.headersEnd(); off < p.directoryEnd(); off += packedEntryBytes {
		at, n := binary.LittleEndian.Uint64(b[off+8:]), uint64(binary.LittleEndian.Uint32(b[off+16:]))
		if at < uint64(len(b)) && n < uint64(len(b))-at {
			binary.LittleEndian.PutUint32(b[off+24:], record.Checksum(b[at:at+n]))
		}
		binary.LittleEndian.PutUint32(b[off+28:], record.Checksum(b[off:off+28]))
	}
}

// FuzzPacked opens a store whose packed segment holds these bytes behind a sound header. The store opens, verifies or says what is damaged, and
// never answers bytes under a name that they do not have.
func FuzzPacked(f *testing.F) {
	base := vfs.NewMem()
	s, err := Open("/s", packing(small(base)))
	if err != nil {
		f.Fatal(err)
	}
	var live []Hash
	for i := range 200 {
		h, _, err := s.Put(9, prose(i, 500))
		if err != nil {
			f.Fatal(err)
		}
		live = append(live, h)
	}
	if err := s.Commit(nil); err != nil {
		f.Fatal(err)
	}
	collect(f, s, live)
	i := slices.IndexFunc(s.segments(), func(seg *segment) bool { return seg.packed != nil })
	name := s.segments()[i].name
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	good, err := vfs.ReadFile(base, name)
	if err != nil {
		f.Fatal(err)
	}
	h, _ := parseSegmentHeader(good)
	f.Add([]byte{}, uint32(0), uint32(3), uint32(1), true)
	f.Add([]byte{1, 2, 3, 4, 5}, uint32(h.packed.headersAt)+40, h.packed.records, h.packed.blocks, true)
	f.Add([]byte{0xff, 0xff}, uint32(h.packed.headersEnd())+4, h.packed.records, h.packed.blocks, false)
	f.Add(bytes.Repeat([]byte{7}, 40), uint32(segmentHeaderBytes), h.packed.records, h.packed.blocks, true)
	f.Fuzz(func(t *testing.T, b []byte, at, records, blocks uint32, sign bool) {
		fs := base.Clone()
		seg := bytes.Clone(good)
		copy(seg[min(segmentHeaderBytes+int(at), len(seg)):], b)
		h := h
		h.packed.records, h.packed.blocks = records, blocks
		h.packed.raw = max(h.packed.raw, record.HeaderBytes*int64(records))
		head := h.encode()
		if _, ok := parseSegmentHeader(head); ok && sign {
			signPacked(seg, &h)
		}
		copy(seg, head)
		copy(seg[len(seg)-segmentHeaderBytes:], head)
		file, err := fs.Open(name, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteAt(seg, 0); err != nil {
			t.Fatal(err)
		}
		o := packing(small(fs))
		s, err := Open("/s", o)
		if err != nil {
			t.Fatal(err)
		}
		rep, err := s.Verify(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range live {
			got, _, err := s.Get(h, nil)
			if err == nil && !bytes.Equal(got, prose(i, 500)) && rep.OK() {
				t.Fatal("wrong bytes, and a store that verifies")
			}
		}
		if err := s.Iterate(func(Kind, Hash, []byte) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Repair(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if rep, err := s.Verify(t.Context(), nil); err != nil || !rep.OK() {
			t.Fatalf("%+v, %v", rep, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestPackingLeavesDamageBehind: a record that was damaged while nobody read it does not get into a
// packed segment: it is absent after the sweep, nothing of the store is damaged then, and putting
// it again puts it again.
func TestPackingLeavesDamageBehind(t *testing.T) {
	packedForms(t, func(t *testing.T, dir string, o Options) {
		s := mustOpen(t, dir, o)
		records := map[Hash][]byte{}
		for i := range 200 {
			p := mixed(i)
			records[mustPut(t, s, 9, p)] = p
		}
		if err := s.Commit([]byte("n")); err != nil {
			t.Fatal(err)
		}
		p := mixed(7)
		h := HashOf(9, p)
		at := s.index.Find(h)
		seg := s.segmentOf(at)
		hurtSegment(t, seg, seg.mem.Offset(at)+record.HeaderBytes+2)
		collect(t, s, keysOf(records))
		if s.Stats().PackedSegments == 0 || s.mapped(seg) {
			t.Skip("the segment was not packed in this form")
		}
		mustVerify(t, s)
		if s.Has(h) {
			t.Fatal("a damaged record was packed")
		}
		if _, fresh, err := s.Put(9, p); err != nil || !fresh {
			t.Fatalf("put again: fresh %v, %v", fresh, err)
		}
		mustAnswer(t, s, records)
		mustClose(t, s)
	})
}
