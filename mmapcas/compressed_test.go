package mmapcas

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// prose returns n bytes that compress well and depend on i.
func prose(i, n int) []byte {
	var b bytes.Buffer
	for k := 0; b.Len() < n; k++ {
		fmt.Fprintf(&b, "record %d says %d. ", i, k%7)
	}
	return b.Bytes()[:n]
}

// mixed is a payload of number i: mostly prose, and now and then noise.
func mixed(i int) []byte {
	switch {
	case i%11 == 0:
		return payload(i, 700)
	case i%53 == 1:
		return prose(i, 9000)
	case i%97 == 2:
		return payload(i, 6000)
	default:
		return prose(i, 8+i*7%1500)
	}
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
	is := func(how string, h Hash, kind Kind, p []byte, err error) {
		t.Helper()
		if err != nil || kind != 9 || !bytes.Equal(p, records[h]) {
			t.Fatalf("%s %v: kind %d, %d bytes of %d: %v", how, h, kind, len(p), len(records[h]), err)
		}
	}
	r := s.NewReader()
	defer r.Close()
	for _, h := range all {
		got, kind, err := s.Get(h, []byte("before"))
		is("get", h, kind, bytes.TrimPrefix(got, []byte("before")), err)
		err = s.View(h, func(kind Kind, p []byte) error {
			is("view", h, kind, p, nil)
			return nil
		})
		if err != nil || !s.Has(h) {
			t.Fatalf("%v is not there: %v", h, err)
		}
		// One view inside another of the same reader leaves the outer one as it is.
		err = r.View(h, func(kind Kind, p []byte) error {
			if err := r.View(all[0], func(Kind, []byte) error { return nil }); err != nil {
				return err
			}
			is("view around a view", h, kind, p, nil)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := r.Visit(func(v Visit) error {
		for _, h := range all {
			kind, p, err := v.Get(h)
			is("visit", h, kind, p, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []func([]Hash, func(int, Kind, []byte, error) error) error{s.ViewBatch, r.ViewBatch} {
		err := batch(all, func(i int, kind Kind, p []byte, err error) error {
			is("batch", all[i], kind, p, err)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := map[Hash]bool{}
	if err := s.Iterate(func(kind Kind, h Hash, p []byte) error {
		seen[h] = true
		if _, ok := records[h]; ok {
			is("iterate", h, kind, p, nil)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		if !seen[h] {
			t.Fatalf("iterate does not meet %v", h)
		}
		if err := s.Prove(h); err != nil {
			t.Fatalf("prove %v: %v", h, err)
		}
	}
}

// A store that compresses takes less, and answers as any other does, also after it was opened again
// with or without an index file, by a program that does not compress, and read only.
func TestCompressed(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		plain := mustOpen(t, "", Options{SegmentBytes: o.SegmentBytes, Table: true})
		defer mustClose(t, plain)
		o.Compress = []Kind{9}
		s := mustOpen(t, dir, o)
		records := map[Hash][]byte{}
		var batch [][]byte
		for i := range 800 {
			p := mixed(i)
			records[HashOf(9, p)] = p
			mustPut(t, plain, 9, p)
			if i%2 == 0 {
				batch = append(batch, p)
				continue
			}
			mustPut(t, s, 9, p)
		}
		names, err := s.PutBatch(9, batch, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range names {
			if h != HashOf(9, batch[i]) {
				t.Fatalf("batch: name %d is %v", i, h)
			}
		}
		mustAnswer(t, s, records)
		mustVerify(t, s)
		was := s.Stats()
		if was.LiveBytes*2 > plain.Stats().LiveBytes {
			t.Errorf("%d bytes are live, plain they are %d", was.LiveBytes, plain.Stats().LiveBytes)
		}
		for _, p := range records {
			if _, fresh, err := s.Put(9, p); fresh || err != nil {
				t.Fatalf("put of what is there: %v %v", fresh, err)
			}
		}
		if dir == "" {
			mustClose(t, s)
			return
		}
		if err := s.Commit(nil); err != nil {
			t.Fatal(err)
		}
		for _, how := range []string{"with the index file", "without", "not compressing", "read only"} {
			mustClose(t, s)
			switch how {
			case "without":
				if err := s.fs.Remove(s.indexFile()); err != nil {
					t.Fatal(err)
				}
			case "not compressing":
				o.Compress = nil
			case "read only":
				o.ReadOnly = true
			}
			s = mustOpen(t, dir, o)
			if st := s.Stats(); st.Records != was.Records || st.LiveBytes != was.LiveBytes || st.Damaged != 0 {
				t.Errorf("%s: %+v, before %+v", how, st, was)
			}
			mustAnswer(t, s, records)
			mustVerify(t, s)
		}
		mustClose(t, s)
	})
}

// Only the kinds that were asked for are compressed, and payloads that gain by it.
func TestWhatIsCompressed(t *testing.T) {
	s := mustOpen(t, "", Options{Table: true, Compress: []Kind{9, 11}})
	defer mustClose(t, s)
	for _, test := range []struct {
		kind    Kind
		payload []byte
		want    bool
	}{
		{9, prose(1, record.CompressMin), true},
		{9, prose(1, record.CompressMin-1), false},
		{11, prose(1, 5000), true},
		{10, prose(1, 5000), false},
		{9, payload(1, 5000), false},
		{9, bytes.Repeat([]byte("large"), record.CompressMax/5), true},
		{9, bytes.Repeat([]byte("too large"), record.CompressMax/9+1), false},
	} {
		h := mustPut(t, s, test.kind, test.payload)
		_, _, r, reason := s.load(s.index.Find(h))
		if reason != "" || r.Stored.Compressed != test.want {
			t.Errorf("kind %d, %d bytes: compressed is %v %s", test.kind, len(test.payload), r.Stored.Compressed, reason)
		}
		if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, test.payload) {
			t.Errorf("kind %d, %d bytes: %v", test.kind, len(test.payload), err)
		}
	}
}

// Collections move compressed records as they are. A model knows what is live.
func TestCompressedCollect(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		rng := seeded(t)
		o.Compress = []Kind{9}
		s := mustOpen(t, dir, o)
		live := map[Hash][]byte{}
		for round := range 4 {
			for i := range 250 {
				p := mixed(10_000*round + i)
				live[mustPut(t, s, 9, p)] = p
			}
			for _, h := range keysOf(live) {
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
			mustVerify(t, s)
			if dir != "" && round%2 == 1 {
				mustClose(t, s)
				s = mustOpen(t, dir, o)
				collect(t, s, keysOf(live)) // what was dropped may come back at opening
				mustAnswer(t, s, live)
			}
		}
		mustClose(t, s)
	})
}

// A record whose checksums are right and that does not unpack is damage: reported, dropped, and put
// again. So is one that unpacks to something else, where names are compared.
func TestCompressedDamage(t *testing.T) {
	s := mustOpen(t, "", Options{Table: true, Compress: []Kind{9}})
	defer mustClose(t, s)
	p, q := prose(1, 3000), prose(2, 3000)
	var other []byte
	for what, bytesOf := range map[string]func(b []byte) []byte{
		"no frame":      func(b []byte) []byte { clear(b[4:]); return b },
		"cut":           func(b []byte) []byte { return b[:len(b)/2] },
		"no length":     func([]byte) []byte { return []byte{1, 2} },
		"wrong length":  func(b []byte) []byte { b[1]++; return b },
		"length 2^32-1": func(b []byte) []byte { copy(b, "\xff\xff\xff\xff"); return b },
		"another's":     func([]byte) []byte { return record.Compress(q, &other).Bytes },
	} {
		t.Run(what, func(t *testing.T) {
			var room []byte
			content := record.Compress(p, &room)
			content.Bytes = bytesOf(content.Bytes)
			h := HashOf(9, p)
			if _, err := s.putNamed(9, h, content); err != nil {
				t.Fatal(err)
			}
			rep, err := s.Verify(t.Context(), nil)
			if err != nil || rep.OK() {
				t.Errorf("verify finds nothing: %v", err)
			}
			if what == "another's" {
				if err := s.Prove(h); !errors.Is(err, ErrCorrupt) {
					t.Errorf("prove: %v", err)
				}
			} else if _, _, err := s.Get(h, nil); !errors.Is(err, ErrCorrupt) {
				t.Errorf("get: %v", err)
			}
			if s.Has(h) {
				t.Error("the damaged record is found again")
			}
			mustPut(t, s, 9, p)
			mustAnswer(t, s, map[Hash][]byte{h: p})
			if s.index.Find(h) == 0 {
				t.Fatal("not there")
			}
			s.drop(h, s.index.Find(h), 0) // for the next
		})
	}
}

// A segment that has no compressed records by its version is not appended to.
func TestOldSegmentsAreNotAppendedTo(t *testing.T) {
	fs := vfs.NewMem()
	o := small(fs)
	o.Appenders = 1
	s := mustOpen(t, "/s", o)
	records := map[Hash][]byte{}
	p := prose(1, 600)
	records[mustPut(t, s, 9, p)] = p
	if err := s.Commit(nil); err != nil {
		t.Fatal(err)
	}
	name := s.segments()[0].name
	mustClose(t, s)
	rewriteHeader(t, fs, name, func(h *segmentHeader) { h.version = plainVersion })
	o.Compress = []Kind{9}
	s = mustOpen(t, "/s", o)
	defer mustClose(t, s)
	p = prose(2, 600)
	h := mustPut(t, s, 9, p)
	records[h] = p
	if s.segmentOf(s.index.Find(h)).name == name {
		t.Error("the record lies in a segment that older programs read")
	}
	mustAnswer(t, s, records)
	mustVerify(t, s)
}

// Packed segments, which earlier programs wrote if they were told to, are refused and not touched.
func TestPackedSegmentsAreRefused(t *testing.T) {
	fs, _ := smallStore(t)
	s := mustOpen(t, "/s", small(fs))
	name := s.segments()[0].name
	mustClose(t, s)
	rewriteHeader(t, fs, name, func(h *segmentHeader) { h.version = packedVersion })
	before := listing(t, fs, "/s")
	if _, err := Open("/s", small(fs)); !errors.Is(err, ErrNewerFormat) {
		t.Errorf("open: %v", err)
	}
	if after := listing(t, fs, "/s"); after != before {
		t.Errorf("files changed:\n%s\n%s", before, after)
	}
}

// Readers, writers and collections at the same time.
func TestCompressedReadersDuringCollections(t *testing.T) {
	forms(t, func(t *testing.T, dir string, o Options) {
		o.Compress = []Kind{9}
		s := mustOpen(t, dir, o)
		defer mustClose(t, s)
		records := map[Hash][]byte{}
		for i := range 300 {
			p := mixed(i)
			records[mustPut(t, s, 9, p)] = p
		}
		live := keysOf(records)
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for range 3 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					for _, h := range live {
						if got, _, err := s.Get(h, nil); err != nil || !bytes.Equal(got, records[h]) {
							t.Errorf("get %v: %v", h, err)
							return
						}
						if _, _, err := s.Put(9, records[h]); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		for round := range 5 {
			for i := range 200 {
				mustPut(t, s, 9, prose(100_000*(round+1)+i, 900)) // garbage
			}
			collect(t, s, live)
		}
		close(stop)
		wg.Wait()
		mustAnswer(t, s, records)
	})
}

// TestSyncEveryOfARecordStoredOtherwise: a put that finds its record compressed syncs what is
// there, and takes nothing that comes later for synced.
func TestSyncEveryOfARecordStoredOtherwise(t *testing.T) {
	rng := seeded(t)
	mem := vfs.NewMem()
	o := small(mem)
	o.Sync, o.Compress = SyncEvery, []Kind{9}
	s := mustOpen(t, "/s", o)
	first := prose(1, 9000)
	mustPut(t, s, 9, first)
	mustClose(t, s)
	o.Compress = nil
	s = mustOpen(t, "/s", o)
	mustPut(t, s, 9, first)
	p := payload(2, 500)
	h := mustPut(t, s, 9, p)
	for range 8 {
		c := mustOpen(t, "/s", small(mem.CrashClone(rng.Uint64())))
		if got, _, err := c.Get(h, nil); err != nil || !bytes.Equal(got, p) {
			t.Fatalf("a record was acknowledged, after a power cut: %v", err)
		}
		mustClose(t, c)
	}
	mustClose(t, s)
}
