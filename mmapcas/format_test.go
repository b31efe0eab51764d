package mmapcas

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"reflect"
	"testing"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
	"github.com/cytisus/cytisus/mmapcas/vfs"
)

func recordOf(kind Kind, p []byte) []byte {
	b := make([]byte, record.Extent(len(p)))
	var scratch [record.HeaderBytes]byte
	record.Write(b, kind, HashOf(kind, p), record.Plain(p), &scratch)
	return b
}

// TestRecordBytes freezes the format: these bytes are on people's disks.
func TestRecordBytes(t *testing.T) {
	got := fmt.Sprintf("%x", recordOf(3, []byte("hello")))
	r, ok := record.Parse(recordOf(3, []byte("hello")))
	if !ok || r.Kind != 3 || string(r.Stored.Bytes) != "hello" || r.Stored.Compressed || !r.Intact() || r.Hash != HashOf(3, []byte("hello")) || r.Extent() != 64 {
		t.Fatalf("%+v", r)
	}
	const want = "0500000003005ecabbb5d7257edc4f4c0f03621ecc0874f4e42451e4064f80be68656c6c6f000000000000000000000000000000000000000000000000000000"
	if got != want {
		t.Errorf("record is\n%s, want\n%s", got, want)
	}
}

func TestRecordFlips(t *testing.T) {
	b := recordOf(200, payload(1, 45))
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			if r, ok := record.Parse(b); ok && r.Intact() {
				t.Errorf("flip of bit %d of byte %d is not noticed", bit, i)
			}
			b[i] ^= 1 << bit
		}
	}
	for n := range len(b) {
		if r, ok := record.Parse(b[:n]); ok {
			t.Errorf("record of %d bytes found in %d: %+v", len(b), n, r)
		}
	}
}

func TestManifestRecord(t *testing.T) {
	m := manifestRecord{
		seq: 7, next: 9, records: 12, synced: true, note: []byte("a note"),
		segments: []manifestSegment{{1, 64}, {8, 1 << 40}},
	}
	b := m.encode()
	got, n, ok := parseManifestRecord(b)
	if !ok || n != len(b) || !reflect.DeepEqual(got, m) {
		t.Fatalf("%+v %d %v", got, n, ok)
	}
	for i := range b {
		b[i] ^= 0x10
		if _, _, ok := parseManifestRecord(b); ok {
			t.Errorf("flip in byte %d is not noticed", i)
		}
		b[i] ^= 0x10
	}
}

// TestManifestLog: the newest record counts, whatever else is torn or damaged.
func TestManifestLog(t *testing.T) {
	var log []byte
	var ends []int
	for i := range 5 {
		m := manifestRecord{seq: uint64(i + 1), note: bytes.Repeat([]byte{byte(i)}, 40*i)}
		log = append(log, m.encode()...)
		ends = append(ends, len(log))
	}
	for n := range len(log) + 1 {
		newest, used, damaged := parseManifest(log[:n])
		want, end := 0, 0
		for i, e := range ends {
			if e <= n {
				want, end = i+1, e
			}
		}
		seq := 0
		if newest != nil {
			seq = int(newest.seq)
		}
		if seq != want || used != int64(end) || damaged != 0 {
			t.Fatalf("cut to %d: record %d ending at %d, %d damaged; want %d, %d", n, seq, used, damaged, want, end)
		}
	}
	log[ends[1]+9] ^= 1 // the third
	newest, used, damaged := parseManifest(log)
	if newest.seq != 5 || used != int64(len(log)) || damaged == 0 {
		t.Fatalf("%d %d %d", newest.seq, used, damaged)
	}
}

// TestManifestRotates: the log stays short however many commits there are, and the note survives.
func TestManifestRotates(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, "/s", small(fs))
	note := make([]byte, MaxNoteBytes)
	for i := range 600 {
		note[0] = byte(i)
		if err := s.Commit(note); err != nil {
			t.Fatal(err)
		}
		if i%20 != 0 {
			continue
		}
		if b, err := vfs.ReadFile(fs, "/s/"+manifestName); err != nil || len(b) > manifestBytesMax {
			t.Fatalf("manifest of %d bytes, %v", len(b), err)
		}
	}
	mustClose(t, s)
	s = mustOpen(t, "/s", small(fs))
	if !bytes.Equal(s.Note(), note) {
		t.Error("note")
	}
	mustClose(t, s)
}

func TestSegmentNames(t *testing.T) {
	for _, n := range []uint32{1, 255, 1 << 31, ^uint32(0)} {
		if got, ok := parseSegmentName(segmentName(n)); !ok || got != n {
			t.Errorf("%d: %d %v", n, got, ok)
		}
	}
	for _, bad := range []string{"", ".seg", "1.seg", "0000000G.seg", "0000000A.seg", "00000001.seg.tmp", "-0000001.seg", "+0000001.seg"} {
		if _, ok := parseSegmentName(bad); ok {
			t.Errorf("%q is a segment", bad)
		}
	}
}

// signRecord returns b with a right magic and right checksums as far as its length permits.
func signRecord(b []byte) []byte {
	if len(b) < record.HeaderBytes {
		return b
	}
	b = bytes.Clone(b)
	binary.LittleEndian.PutUint16(b[6:], record.Magic)
	n := record.HeaderBytes + arena.RoundUp(int64(binary.LittleEndian.Uint32(b)))
	if n <= int64(len(b)) {
		binary.LittleEndian.PutUint32(b[24:], record.Checksum(b[record.HeaderBytes:n]))
	}
	binary.LittleEndian.PutUint32(b[28:], record.Checksum(b[:28]))
	return b
}

func FuzzRecord(f *testing.F) {
	f.Add(recordOf(1, nil))
	f.Add(recordOf(2, []byte("some payload that is longer than one unit of 32 bytes")))
	f.Add(make([]byte, 96))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := record.Parse(b)
		if !ok {
			// Behind a right checksum, where mutations do not get by chance.
			b = signRecord(b)
			r, ok = record.Parse(b)
		}
		if !ok {
			return
		}
		if r.Extent() > int64(len(b)) || int64(len(r.Padded)) != arena.RoundUp(int64(len(r.Stored.Bytes))) {
			t.Fatalf("record of %d bytes in %d", r.Extent(), len(b))
		}
		if r.Intact() && bytes.Equal(r.Padded[len(r.Stored.Bytes):], make([]byte, len(r.Padded)-len(r.Stored.Bytes))) {
			again := make([]byte, r.Extent())
			var scratch [record.HeaderBytes]byte
			record.Write(again, r.Kind, r.Hash, r.Stored, &scratch)
			if !bytes.Equal(again, b[:r.Extent()]) {
				t.Fatal("writing what was read gives other bytes")
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	m := manifestRecord{seq: 1, next: 2, note: []byte("n"), segments: []manifestSegment{{1, 64}}}
	f.Add(m.encode())
	f.Add(append(m.encode(), m.encode()...))
	f.Add(make([]byte, 200))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := len(b) &^ (manifestAlign - 1); n > 0 && b[0]&1 == 1 {
			b = bytes.Clone(b[:n])
			binary.LittleEndian.PutUint32(b, manifestMagic)
			binary.LittleEndian.PutUint32(b[4:], uint32(n))
			binary.LittleEndian.PutUint32(b[n-4:], record.Checksum(b[:n-4]))
		}
		newest, used, _ := parseManifest(b)
		if used > int64(len(b)) || (newest == nil) != (used == 0) {
			t.Fatalf("%v ends at %d of %d", newest, used, len(b))
		}
		if newest != nil {
			got, _, ok := parseManifestRecord(newest.encode())
			if !ok || !reflect.DeepEqual(got, *newest) {
				t.Fatalf("%+v became %+v", *newest, got)
			}
		}
	})
}

func FuzzSuperblock(f *testing.F) {
	s := superblock{version: plainVersion, segmentBytes: 1 << 26}
	f.Add(s.encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= superblockCopyBytes {
			b = bytes.Clone(b)
			copy(b, superblockMagic)
			binary.LittleEndian.PutUint32(b[124:], record.Checksum(b[:124]))
		}
		s, ok := parseSuperblock(b)
		if !ok || s.version > FormatVersion {
			return
		}
		if got, ok := parseSuperblock(s.encode()); !ok || got != s {
			t.Fatalf("%+v became %+v", s, got)
		}
	})
}

func FuzzSegmentHeader(f *testing.F) {
	h := segmentHeader{version: 1, number: 2, bytes: 1 << 26}
	f.Add(h.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= segmentHeaderBytes { // behind a right checksum
			b = bytes.Clone(b)
			copy(b, segmentMagic)
			binary.LittleEndian.PutUint32(b[60:], record.Checksum(b[:60]))
		}
		h, ok := parseSegmentHeader(b)
		if !ok {
			return
		}
		if got, ok := parseSegmentHeader(h.encode()); !ok || got != h {
			t.Fatalf("%+v became %+v", h, got)
		}
	})
}

// FuzzSegment opens a store whose only segment holds these bytes after a sound header, partly
// trusted by the manifest. The store opens, verifies or says what is damaged, and answers no wrong
// bytes.
func FuzzSegment(f *testing.F) {
	base := vfs.NewMem()
	s, err := Open("/s", small(base))
	if err != nil {
		f.Fatal(err)
	}
	if _, _, err := s.Put(1, nil); err != nil {
		f.Fatal(err)
	}
	identity := s.identity
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	good := append(recordOf(1, []byte("one")), recordOf(2, payload(2, 100))...)
	f.Add(good, uint16(0))
	f.Add(good, uint16(len(good)))
	f.Add(append(good[:70:70], good...), uint16(300))
	f.Add(bytes.Repeat([]byte{0xff}, 300), uint16(200))
	f.Fuzz(func(t *testing.T, b []byte, trusted uint16) {
		fs := base.Clone()
		seg, err := fs.Create("/s/00000002.seg")
		if err != nil {
			t.Fatal(err)
		}
		h := segmentHeader{version: compressedVersion, number: 2, identity: identity, bytes: 64 << 10}
		if _, err := seg.WriteAt(append(h.encode(), b...), 0); err != nil {
			t.Fatal(err)
		}
		m := manifestRecord{seq: 1, next: 3, segments: []manifestSegment{{1, 96}, {2, int64(trusted)}}}
		if _, err := vfs.WriteFile(fs, "/s", "/s/"+manifestName, m.encode(), true); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			s, err := Open("/s", small(fs))
			if err != nil {
				t.Fatal(err)
			}
			for kind := range Kind(4) {
				if err := s.Tail(kind, func(h Hash, p []byte) error { return nil }); err != nil {
					t.Fatal(err)
				}
			}
			seen := map[Hash]bool{}
			if err := s.Iterate(func(k Kind, h Hash, p []byte) error { seen[h] = true; return nil }); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Verify(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			for i := range 40 {
				if _, _, err := s.Put(9, payload(i, 1000)); err != nil {
					t.Fatal(err)
				}
			}
			for h := range seen {
				if _, _, err := s.Get(h, nil); err != nil {
					t.Fatalf("record %v, seen before: %v", h, err)
				}
			}
			for i := range 40 {
				if got, _, err := s.Get(HashOf(9, payload(i, 1000)), nil); err != nil || !bytes.Equal(got, payload(i, 1000)) {
					t.Fatal(err)
				}
			}
			if err := s.Commit(nil); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
