package vfs

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestWrittenSpace: where a system cannot be asked for disk space, zeros are written, and only
// where the caller said that there is nothing yet; the file may be longer already.
func TestWrittenSpace(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "a"))
	must(t, err)
	defer f.Close()
	_, err = f.WriteAt([]byte("kept"), 0)
	must(t, err)
	must(t, f.Truncate(3<<20))
	_, err = f.WriteAt([]byte("kept"), 3<<20)
	must(t, err)
	must(t, writeZeros(f, 4, 3<<20-4))
	must(t, writeZeros(f, 3<<20+4, 100))
	got, err := os.ReadFile(f.Name())
	must(t, err)
	want := make([]byte, 3<<20+104)
	copy(want, "kept")
	copy(want[3<<20:], "kept")
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d; or their content differs", len(got), len(want))
	}
}

// TestClearedBytes: clearing stops at the end of the range and of the file.
func TestClearedBytes(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "a"))
	must(t, err)
	defer f.Close()
	const size = 300<<10 + 17
	_, err = f.WriteAt(bytes.Repeat([]byte{7}, size), 0)
	must(t, err)
	must(t, clearBytes(f, 100, 200<<10))
	must(t, clearBytes(f, size-10, 1000))
	must(t, clearBytes(f, size+10, 1000))
	got, err := os.ReadFile(f.Name())
	must(t, err)
	want := bytes.Repeat([]byte{7}, size)
	clear(want[100 : 100+200<<10])
	clear(want[size-10:])
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d; or their content differs", len(got), len(want))
	}
}
