package golang

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestFreshFilesAreReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.go")
	write := func(text string, at time.Time) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write("package a", time.Now())
	d := lookAt(path, "file:///a.go", nil)
	if d.fate != fateRead || string(d.text) != "package a" {
		t.Fatalf("first look: %+v", d)
	}
	// The same size and time, other content: what a clock that ticks slowly makes of two writes in
	// a row.
	known := d.stat
	write("package b", time.Now())
	if d = lookAt(path, "file:///a.go", &known); d.fate != fateRead || string(d.text) != "package b" {
		t.Errorf("second look: %+v", d)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if d = lookAt(path, "file:///a.go", &known); d.fate != fateGone {
		t.Errorf("after removal: %+v", d)
	}
	if d = lookAt(path, "file:///a.go", nil); d.fate != fateSame {
		t.Errorf("a file that never was: %+v", d)
	}
}
