package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/runtime"
)

// FuzzCursor: the text of a cursor, which a client sends back, is refused or is that of a place,
// and pages from there on are the keys behind it, each once.
func FuzzCursor(f *testing.F) {
	e, err := runtime.Open("", runtime.Options{Workers: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = e.Close(context.Background()) })
	keys := []string{"", "a", "a\x00", "b", "é", "\xff", "\xff\xff"}
	if err := e.Commit(f.Context(), func(w *runtime.Writer) error {
		for _, k := range keys {
			if err := items.Put(w, k, "v"); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		f.Fatal(err)
	}
	for _, k := range append(keys, "zz") {
		c := runtime.CursorAt(k)
		text, _ := c.MarshalText()
		f.Add(text)
	}
	for _, s := range []string{"", "k", "k=", "kQR", "kQQ", "KYQ", "k\x00", "k0\n00", "kYQ\r"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var c runtime.Cursor
		if err := c.UnmarshalText(text); err != nil {
			if !errors.Is(err, runtime.ErrBadCursor) {
				t.Fatal(err)
			}
			return
		}
		if back, err := c.MarshalText(); err != nil || string(back) != string(text) {
			t.Fatalf("%q comes back as %q, %v", text, back, err)
		}
		s := e.Snapshot()
		defer s.Release()
		want, err := items.Keys(s, runtime.All())
		if err != nil {
			t.Fatal(err)
		}
		if !c.IsZero() {
			if want, err = items.Keys(s, runtime.All(), runtime.After(c)); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for range len(keys) + 1 {
			page, next, err := items.Page(s, runtime.All(), c, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range page {
				got = append(got, p.Key)
			}
			if c = next; c.IsZero() {
				break
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || !slices.IsSorted(got) {
			t.Errorf("from %q: %q, want %q", text, got, want)
		}
	})
}
