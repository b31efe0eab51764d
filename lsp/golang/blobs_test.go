package golang

import (
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// TestBlobsAreBounded: what was read last stays, and what one has of it another cannot change.
func TestBlobsAreBounded(t *testing.T) {
	f := newFixture(t, "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n", lsp.WorkspaceOptions{})
	c := newBlobCache(100)
	name := func(text string) (b runtime.Blob) {
		t.Helper()
		err := f.in(func(t *runtime.Task) (err error) {
			b, err = t.PutBlob([]byte(text))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	read := func(b runtime.Blob, want string) (data []byte) {
		t.Helper()
		err := f.in(func(t *runtime.Task) (err error) {
			data, err = c.read(t, b)
			return err
		})
		if err != nil || string(data) != want {
			t.Fatalf("%q, %v, want %q", data, err, want)
		}
		return data
	}
	kept := func(b runtime.Blob) bool {
		_, ok := c.find(b)
		return ok
	}
	texts := make([]string, 6)
	names := make([]runtime.Blob, len(texts))
	for i := range texts {
		texts[i] = string(append(make([]byte, 19), byte('a'+i)))
		names[i] = name(texts[i])
		_ = append(read(names[i], texts[i]), "more"...)
		read(names[0], texts[0]) // used again
	}
	if c.held() != 100 || !kept(names[0]) || kept(names[1]) || !kept(names[5]) {
		t.Errorf("%d bytes, the first %v, the second %v, the last %v", c.held(), kept(names[0]), kept(names[1]), kept(names[5]))
	}
	if large := name(string(make([]byte, 30))); true {
		read(large, string(make([]byte, 30)))
		if kept(large) {
			t.Error("a large one is kept")
		}
	}
	if c.bound(0); c.held() != 0 || kept(names[5]) {
		t.Errorf("%d bytes", c.held())
	}
	read(names[5], texts[5])
}
