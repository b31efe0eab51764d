package runtime_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
)

// forgeText replaces a text in the segment files of a closed store by another of the same length,
// with the checksums that a record with it has (docs/FORMAT.md).
func forgeText(t *testing.T, dir, text, with string) (n int) {
	t.Helper()
	const header, payloadSum, selfSum, unit = 32, 24, 28, 32
	table := crc32.MakeTable(crc32.Castagnoli)
	segs, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range segs {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; ; n++ {
			i := bytes.Index(b[at:], []byte(text))
			if i < 0 {
				break
			}
			at += i
			copy(b[at:], with)
			h := b[at-header : at]
			padded := (int(binary.LittleEndian.Uint32(h)) + unit - 1) &^ (unit - 1)
			binary.LittleEndian.PutUint32(h[payloadSum:], crc32.Checksum(b[at:at+padded], table))
			binary.LittleEndian.PutUint32(h[selfSum:], crc32.Checksum(h[:selfSum], table))
		}
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// TestForgedBlob: bytes that are not those that were put, with checksums that are right, are no
// answer: the query that made them runs again.
func TestForgedBlob(t *testing.T) {
	text := strings.Repeat("what was put ", 20)
	make := runtime.NewQuery("forged/make", 1, func(t *runtime.Task, _ string) (runtime.Blob, error) { return t.PutBlob([]byte(text)) })
	read := runtime.NewQuery("forged/read", 1, func(t *runtime.Task, k string) (string, error) {
		b, err := make.Get(t, k)
		if err != nil {
			return "", err
		}
		p, err := runtime.ReadBlob(t, b)
		return string(p), err
	})
	again := runtime.NewQuery("forged/again", 1, func(t *runtime.Task, k string) (string, error) { return read.Get(t, k) })
	dir := filepath.Join(t.TempDir(), "s")
	e := open(t, dir, runtime.Options{})
	if _, err := make.Ask(t.Context(), e, "k"); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := forgeText(t, dir, text, strings.Repeat("what was not ", 20)); n != 1 {
		t.Fatalf("forged %d records", n)
	}
	e = open(t, dir, runtime.Options{})
	defer e.Close(t.Context())
	var got string
	var err error
	for range 3 {
		if got, err = again.Ask(t.Context(), e, "k"); !errors.Is(err, runtime.ErrDamaged) {
			break
		}
	}
	if err != nil || got != text {
		t.Errorf("%.30q, %v; want %.30q", got, err, text)
	}
}

// TestBlobOfAValue: the name of a partition's value is a blob, too.
func TestBlobOfAValue(t *testing.T) {
	in := runtime.NewPartition[[]byte]("forged/in")
	e := open(t, "", runtime.Options{})
	defer e.Close(t.Context())
	if err := e.Commit(t.Context(), func(w *runtime.Writer) error { return in.Put(w, "k", []byte("a value")) }); err != nil {
		t.Fatal(err)
	}
	s := e.Snapshot()
	defer s.Release()
	b, err := in.Blob(s, "k")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := runtime.ReadBlob(s, b); err != nil || string(p) != "a value" {
		t.Errorf("%q, %v", p, err)
	}
}
