package keyed_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/keyed"
)

// A symbolKind is what an outline shows of a symbol.
type symbolKind struct {
	Kind string
	Line uint32
}

type symbolKey struct {
	File string
	Name string
}

var (
	outline = keyed.NewCovering[symbolKey, symbolKind, string]("outline")
	entries = keyed.NewCovering[string, int16, int]("entries")

	outlineOf = runtime.NewQuery("outlineOf", 1, func(t *runtime.Task, file string) (string, error) {
		pat, err := outline.Under(symbolKey{File: file}, 1)
		if err != nil {
			return "", err
		}
		var b strings.Builder
		err = outline.Each(t, pat, func(k symbolKey, e symbolKind) error {
			fmt.Fprintf(&b, "%s %s:%d ", e.Kind, k.Name, e.Line)
			return nil
		})
		return b.String(), err
	})
	lineOf = runtime.NewQuery("lineOf", 1, func(t *runtime.Task, name string) (int, error) {
		e, err := outline.Entry(t, symbolKey{"a.go", name})
		if errors.Is(err, runtime.ErrNotFound) {
			return -1, nil
		}
		return int(e.Line), err
	})
)

type described struct {
	entry int16
	value int
}

func anyWord(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "a", "a\x00", "a\x00b", "a\x01", "ab", "b", "\xff", "\xff\xff"}).Draw(t, "word")
}

// Keys of text, which begin each other and hold zero bytes, against a map, in the newest and in
// older snapshots.
func TestCoveringAgainstAMap(t *testing.T) {
	e := open(t)
	rapid.Check(t, func(t *rapid.T) {
		model := map[string]described{}
		if err := e.Commit(t.Context(), func(w *runtime.Writer) error { return entries.ClearUnder(w, "", 0) }); err != nil {
			t.Fatal(err)
		}
		old, oldModel := e.Snapshot(), model
		defer func() { old.Release() }()
		check := func(t *rapid.T, s *runtime.Snapshot, model map[string]described) {
			word := anyWord(t)
			entry, err := entries.Entry(s, word)
			entry2, value, err2 := entries.Get(s, word)
			want, ok := model[word]
			if ok && (err != nil || err2 != nil || entry != want.entry || entry2 != want.entry || value != want.value) ||
				!ok && (!errors.Is(err, runtime.ErrNotFound) || !errors.Is(err2, runtime.ErrNotFound)) {
				t.Fatalf("%q: %d, %v; %d, %d, %v; want %v, %t", word, entry, err, entry2, value, err2, want, ok)
			}
			under, err := entries.Under(word, 1)
			if err != nil {
				t.Fatal(err)
			}
			below, err := entries.Prefix(word, 1)
			if err != nil {
				t.Fatal(err)
			}
			all := slices.SortedFunc(maps.Keys(model), cmp.Compare)
			for _, c := range []struct {
				pat  runtime.Pattern
				want func(string) bool
			}{
				{runtime.All(), func(string) bool { return true }},
				{under, func(k string) bool { return k == word }},
				{below, func(k string) bool { return strings.HasPrefix(k, word) }},
			} {
				var got, want []string
				for _, k := range all {
					if c.want(k) {
						want = append(want, fmt.Sprint(k, model[k].entry))
					}
				}
				err := entries.Each(s, c.pat, func(k string, e int16) error { got = append(got, fmt.Sprint(k, e)); return nil })
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("%v: %q, %v; want %q", c.pat, got, err, want)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				next := maps.Clone(model)
				err := e.Commit(t.Context(), func(w *runtime.Writer) error {
					for range rapid.IntRange(1, 6).Draw(t, "changes") {
						word := anyWord(t)
						switch rapid.IntRange(0, 5).Draw(t, "verb") {
						case 0:
							clear(next)
							if err := entries.ClearUnder(w, word, 0); err != nil {
								return err
							}
						case 1:
							delete(next, word)
							if err := entries.Delete(w, word); err != nil {
								return err
							}
						default:
							d := described{rapid.Int16Range(-2, 2).Draw(t, "entry"), rapid.IntRange(0, 2).Draw(t, "value")}
							next[word] = d
							if err := entries.Put(w, word, d.entry, d.value); err != nil {
								return err
							}
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				model = next
			},
			"hold": func(*rapid.T) {
				old.Release()
				old, oldModel = e.Snapshot(), model
			},
			"": func(t *rapid.T) {
				now := e.Snapshot()
				defer now.Release()
				check(t, now, model)
				check(t, old, oldModel)
			},
		})
	})
}

func putSymbol(t testing.TB, e *runtime.Engine, k symbolKey, s symbolKind, text string) {
	t.Helper()
	if err := e.Commit(t.Context(), func(w *runtime.Writer) error { return outline.Put(w, k, s, text) }); err != nil {
		t.Fatal(err)
	}
}

// A query that reads entries runs again for another entry and not for another value.
func TestCoveringIsReadExactly(t *testing.T) {
	e := open(t)
	since := runs(e)
	for _, step := range []struct {
		name          string
		k             symbolKey
		s             symbolKind
		text          string
		outline, line bool
	}{
		{"the first time", symbolKey{"a.go", "F"}, symbolKind{"func", 3}, "func F()", true, true},
		{"another value", symbolKey{"a.go", "F"}, symbolKind{"func", 3}, "func F(int)", false, false},
		{"another entry", symbolKey{"a.go", "F"}, symbolKind{"func", 4}, "func F(int)", true, true},
		{"one more of the file", symbolKey{"a.go", "G"}, symbolKind{"var", 9}, "var G int", true, false},
		{"one whose name begins like it", symbolKey{"a.go", "F2"}, symbolKind{"var", 9}, "var F2 int", true, false},
		{"of a file that begins like it", symbolKey{"a.go2", "F"}, symbolKind{"var", 1}, "var F int", false, false},
	} {
		putSymbol(t, e, step.k, step.s, step.text)
		ask(t, e, outlineOf, "a.go")
		ask(t, e, lineOf, "F")
		if n := since("outlineOf"); n > 0 != step.outline {
			t.Errorf("%s: the outline ran %d times", step.name, n)
		}
		if n := since("lineOf"); n > 0 != step.line {
			t.Errorf("%s: the line ran %d times", step.name, n)
		}
	}
	if got := ask(t, e, outlineOf, "a.go"); got != "func F:4 var F2:9 var G:9 " {
		t.Errorf("outline %q", got)
	}
}

// A counted value counts how often one was decoded.
type counted string

var decoded atomic.Int64

func (c counted) AppendBinary(b []byte) ([]byte, error) { return append(b, c...), nil }

func (c *counted) UnmarshalBinary(b []byte) error {
	decoded.Add(1)
	*c = counted(b)
	return nil
}

func TestCoveringReadsNoValueForEntries(t *testing.T) {
	e := open(t)
	c := keyed.NewCovering[string, bool, counted]("counted")
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		return errors.Join(c.Put(w, "a", true, "A"), c.Put(w, "b", false, "B"))
	})
	if err != nil {
		t.Fatal(err)
	}
	s := e.Snapshot()
	defer s.Release()
	entry, err := c.Entry(s, "a")
	n := 0
	err2 := c.Each(s, runtime.All(), func(string, bool) error { n++; return nil })
	if err := errors.Join(err, err2); err != nil || !entry || n != 2 || decoded.Load() != 0 {
		t.Fatalf("%t, %d, %v; %d values were decoded", entry, n, err, decoded.Load())
	}
	if entry, v, err := c.Get(s, "b"); err != nil || entry || v != "B" || decoded.Load() != 1 {
		t.Fatalf("%t, %q, %v; %d values were decoded", entry, v, err, decoded.Load())
	}
}

func TestCoveringWatchedAndRefused(t *testing.T) {
	e := open(t)
	k := symbolKey{"a.go", "F"}
	putSymbol(t, e, k, symbolKind{"func", 3}, "func F()")
	told := make(chan string, 1)
	stop, err := e.Watch(outline.Untyped(), runtime.All(), func(_ *runtime.Task, c runtime.Changes) error {
		for _, ch := range c.List {
			k, s, err := outline.Decode(ch.Key)
			told <- fmt.Sprint(k, s, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	putSymbol(t, e, k, symbolKind{"func", 3}, "func F()")    // nothing
	putSymbol(t, e, k, symbolKind{"func", 3}, "func F(int)") // only the value
	if got := <-told; got != "{a.go F} {func 3} <nil>" {
		t.Errorf("told of %s", got)
	}
	if _, _, err := outline.Decode("a"); !errors.Is(err, keyed.ErrBadKey) {
		t.Errorf("what is no key: %v", err)
	}
	if _, err := outline.Under(k, 3); !errors.Is(err, keyed.ErrBadKey) {
		t.Errorf("three fields of two: %v", err)
	}
	bad := keyed.NewCovering[string, float64, int]("floats")
	if err := e.Commit(t.Context(), func(w *runtime.Writer) error { return bad.Put(w, "k", 1, 1) }); !errors.Is(err, keyed.ErrBadKey) {
		t.Errorf("an entry that cannot be in an index: %v", err)
	}
}

func BenchmarkCovering(b *testing.B) {
	e := open(b)
	const n = 10_000
	err := e.Commit(b.Context(), func(w *runtime.Writer) error {
		for i := range n {
			k := symbolKey{fmt.Sprintf("file%03d.go", i/100), fmt.Sprintf("Symbol%05d", i)}
			if err := outline.Put(w, k, symbolKind{"func", uint32(i % 100)}, strings.Repeat("text ", 60)+fmt.Sprint(i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	s := e.Snapshot()
	defer s.Release()
	pat, err := outline.Under(symbolKey{File: "file050.go"}, 1)
	if err != nil {
		b.Fatal(err)
	}
	for name, read := range map[string]func() error{
		"read=entries": func() error { return outline.Each(s, pat, func(symbolKey, symbolKind) error { return nil }) },
		"read=values":  func() error { return outline.Untyped().Scan(s, pat, func(string, string) error { return nil }) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
