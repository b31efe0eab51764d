package mmapcas

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestTableFormIsSparse: files that must have their full size to be mapped take disk space for what
// is in them, also after a process that was killed left them long.
func TestTableFormIsSparse(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	o := Options{SegmentBytes: 16 << 20, Table: true, Appenders: 1}
	s := mustOpen(t, dir, o)
	records := map[Hash][]byte{}
	put := func(i int) {
		t.Helper()
		p := payload(i, 1000)
		records[mustPut(t, s, 9, p)] = p
	}
	put(0)
	if size, disk := sizes(t, dir); size < 16<<20 || disk > 1<<20 {
		t.Errorf("one record: files of %d bytes take %d on disk", size, disk)
	}
	// The directory as a kill would leave it.
	killed := filepath.Join(t.TempDir(), "k")
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)

	s = mustOpen(t, killed, o)
	defer mustClose(t, s)
	for i := range 300 {
		put(1 + i)
	}
	if lost := checkNoWrongAnswer(t, s, records); lost != 0 {
		t.Errorf("%d of %d records are gone", lost, len(records))
	}
}

func sizes(t *testing.T, dir string) (size, disk int64) {
	t.Helper()
	segs, err := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
	if err != nil || len(segs) == 0 {
		t.Fatal(segs, err)
	}
	for _, name := range segs {
		fi, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		size += fi.Size()
		disk += fi.Sys().(*syscall.Stat_t).Blocks * 512
	}
	return size, disk
}
