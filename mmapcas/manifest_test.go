package mmapcas

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/cytisus/cytisus/mmapcas/vfs"
)

// newManifest returns an empty log on a disk.
func newManifest(t *testing.T) (mem *vfs.Mem, m *manifest) {
	t.Helper()
	mem = vfs.NewMem()
	if err := mem.MkdirAll("/s"); err != nil {
		t.Fatal(err)
	}
	m, newest, err := openManifest(mem, "/s", false)
	if err != nil || newest != nil {
		t.Fatal(newest, err)
	}
	return mem, m
}

func state(t *testing.T, m *manifest, seq uint64, note string, sync bool) {
	t.Helper()
	r := &manifestRecord{seq: seq, next: 1, note: []byte(note)}
	if failed, err := m.append(r, sync); failed || err != nil {
		t.Fatal(failed, err)
	}
}

// newestNote is what an Open finds in the log.
func newestNote(t *testing.T, mem *vfs.Mem) string {
	t.Helper()
	b, err := vfs.ReadFile(mem, filepath.Join("/s", manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return "no file"
	}
	if err != nil {
		t.Fatal(err)
	}
	newest, _, damaged := parseManifest(b)
	switch {
	case newest == nil:
		return "no record"
	case damaged > 0:
		return string(newest.note) + " behind damage"
	}
	return string(newest.note)
}

// The record of the highest number counts, wherever in the log it lies: what was behind it may be
// what is left of an older log.
func TestHighestNumberCounts(t *testing.T) {
	var b []byte
	for _, r := range []manifestRecord{{seq: 1, note: []byte("first")}, {seq: 7, note: []byte("newest")}, {seq: 5, note: []byte("older")}} {
		b = append(b, r.encode()...)
	}
	newest, used, damaged := parseManifest(b)
	if newest == nil || newest.seq != 7 {
		t.Errorf("%+v counts of records 1, 7 and 5, want 7", newest)
	}
	if used != int64(len(b)) || damaged != 0 {
		t.Errorf("a log of %d bytes ends at %d, %d places are damaged", len(b), used, damaged)
	}
}

// A log that takes the place of another, since it has become long, is whole on the disk before it
// has its name, though what it says need not be durable: or a power cut would take what the old log
// had made durable as well.
func TestReplacedLogIsDurableFirst(t *testing.T) {
	for seed := range uint64(20) {
		mem, m := newManifest(t)
		m.careful = true
		state(t, m, 1, "durable", true)
		if err := mem.SyncDir("/s"); err != nil {
			t.Fatal(err)
		}
		m.end = manifestBytesMax // the log is as long as it may be
		if err := m.f.Truncate(m.end); err != nil {
			t.Fatal(err)
		}
		state(t, m, 2, "replaced", false)
		for _, left := range []*vfs.Mem{mem.CrashClone(seed), mem.CrashCloneUnordered(seed)} {
			if note := newestNote(t, left); note != "durable" && note != "replaced" {
				t.Fatalf("seed %d: after a power cut the manifest has %s: what was durable before the log was replaced is gone", seed, note)
			}
		}
	}
}

// What a log that was replaced without a sync says is made durable by the next sync.
func TestReplacedLogIsBehind(t *testing.T) {
	for seed := range uint64(20) {
		mem, m := newManifest(t)
		state(t, m, 1, "replaced", false)
		if err := m.sync(); err != nil {
			t.Fatal(err)
		}
		if err := mem.SyncDir("/s"); err != nil {
			t.Fatal(err)
		}
		if note := newestNote(t, mem.CrashClone(seed)); note != "replaced" {
			t.Fatalf("seed %d: the log was synced, and has %s after a power cut", seed, note)
		}
	}
}

// A log that another program has removed, or cut, is written anew: a record in a file without name
// would be found by no Open, and one behind where the log was cut would follow damage.
func TestLogThatWasTakenAwayIsWrittenAnew(t *testing.T) {
	for what, do := range map[string]func(mem *vfs.Mem, name string) error{
		"cut": func(mem *vfs.Mem, name string) error {
			f, err := mem.Open(name, false)
			if err != nil {
				return err
			}
			return f.Truncate(manifestAlign)
		},
		"removed": func(mem *vfs.Mem, name string) error { return mem.Remove(name) },
		"replaced": func(mem *vfs.Mem, name string) error {
			if err := mem.Rename(name, name+".old"); err != nil {
				return err
			}
			_, err := mem.Create(name)
			return err
		},
	} {
		mem, m := newManifest(t)
		for seq := range uint64(4) {
			state(t, m, seq+1, "before", false)
		}
		m.ready = manifestBytesMax // no disk space is taken, which would make the file longer
		if err := do(mem, m.name); err != nil {
			t.Fatal(err)
		}
		state(t, m, 9, "after", false)
		if note := newestNote(t, mem); note != "after" {
			t.Errorf("the log was %s, and a commit came after that: an Open finds %s", what, note)
		}
	}
}
