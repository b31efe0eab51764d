package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cytisus/cytisus/runtime"
)

var (
	scopes = runtime.NewSpans[string]("scopes")

	scopeAt = runtime.NewQuery("scopeAt", 1, func(t *runtime.Task, pos int) (string, error) {
		keys, err := scopes.KeysAt(t, "f", uint64(pos))
		return fmt.Sprint(keys), err
	})
	scopeTextAt = runtime.NewQuery("scopeTextAt", 1, func(t *runtime.Task, pos int) (string, error) {
		all, err := scopes.At(t, "f", uint64(pos))
		return fmt.Sprint(all), err
	})
)

// A spanModel is what the spans should be, in a map.
type spanModel map[string]map[runtime.SpanKey]string

func (m spanModel) clone() spanModel {
	c := spanModel{}
	for space, all := range m {
		c[space] = maps.Clone(all)
	}
	return c
}

// overlapping goes through the whole list.
func (m spanModel) overlapping(space string, o runtime.Span) (out []runtime.SpanEntry[string]) {
	for k, v := range m[space] {
		if k.Overlaps(o) {
			out = append(out, runtime.SpanEntry[string]{SpanKey: k, Value: v})
		}
	}
	return out
}

func sortSpans(all []runtime.SpanEntry[string], less func(a, b runtime.SpanKey) bool) {
	slices.SortFunc(all, func(a, b runtime.SpanEntry[string]) int {
		switch {
		case less(a.SpanKey, b.SpanKey):
			return -1
		case less(b.SpanKey, a.SpanKey):
			return 1
		}
		return strings.Compare(a.ID, b.ID)
	})
}

func keysOf(all []runtime.SpanEntry[string]) (out []runtime.SpanKey) {
	for _, e := range all {
		out = append(out, e.SpanKey)
	}
	return out
}

// Positions that are close together, around powers of two, and at both ends.
var anyPos = rapid.Custom(func(t *rapid.T) uint64 {
	switch rapid.IntRange(0, 4).Draw(t, "sort of position") {
	case 0:
		return 1<<rapid.IntRange(0, 63).Draw(t, "bit") + rapid.Uint64Range(0, 2).Draw(t, "beside") - 1
	case 1:
		return math.MaxUint64 - rapid.Uint64Range(0, 3).Draw(t, "from the end")
	default:
		return rapid.Uint64Range(0, 40).Draw(t, "position")
	}
})

func anySpan(t *rapid.T) runtime.Span {
	a, b := anyPos.Draw(t, "a"), anyPos.Draw(t, "b")
	if a == b {
		b = a + 1 // perhaps 0
	}
	return runtime.Span{From: min(a, b), To: max(a, b)}
}

// Look-ups in the newest and in older snapshots against a list that is gone through.
func TestSpansAgainstAList(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		spaces := []string{fmt.Sprint(round), fmt.Sprint(round) + "\x00", fmt.Sprint(round, "/b")} // one begins another
		model := spanModel{}
		for _, space := range spaces {
			model[space] = map[runtime.SpanKey]string{}
		}
		type held struct {
			*runtime.Snapshot
			want spanModel
		}
		var snaps []held
		defer func() {
			for _, s := range snaps {
				s.Release()
			}
		}()
		t.Repeat(map[string]func(*rapid.T){
			"commit": func(t *rapid.T) {
				next := model.clone()
				err := e.Commit(t.Context(), func(w *runtime.Writer) error {
					for range rapid.IntRange(1, 12).Draw(t, "changes") {
						space := rapid.SampledFrom(spaces).Draw(t, "space")
						var err error
						switch rapid.IntRange(0, 9).Draw(t, "verb") {
						case 0:
							clear(next[space])
							err = scopes.Clear(w, space)
						case 1, 2:
							if len(next[space]) == 0 {
								continue
							}
							all := keysOf(model.overlapping(space, runtime.Span{To: math.MaxUint64}))
							if len(all) == 0 {
								continue
							}
							slices.SortFunc(all, func(a, b runtime.SpanKey) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
							k := rapid.SampledFrom(all).Draw(t, "gone")
							delete(next[space], k)
							err = scopes.Delete(w, space, k)
						default:
							k := runtime.SpanKey{Span: anySpan(t), ID: rapid.SampledFrom([]string{"", "x", "\x00"}).Draw(t, "id")}
							next[space][k] = rapid.SampledFrom([]string{"v", "w"}).Draw(t, "value")
							err = scopes.Put(w, space, k, next[space][k])
						}
						if err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				model = next
			},
			"snapshot": func(t *rapid.T) {
				if len(snaps) < 4 {
					snaps = append(snaps, held{e.Snapshot(), model})
				}
			},
			"": func(t *rapid.T) {
				now := held{e.Snapshot(), model}
				defer now.Release()
				for _, s := range []held{now, rapid.SampledFrom(append([]held{now}, snaps...)).Draw(t, "snapshot")} {
					space := rapid.SampledFrom(spaces).Draw(t, "space")
					pos, span := anyPos.Draw(t, "at"), anySpan(t)
					got, err := scopes.At(s, space, pos)
					keys, err2 := scopes.KeysAt(s, space, pos)
					var want []runtime.SpanEntry[string]
					for k, v := range s.want[space] {
						if k.Contains(pos) {
							want = append(want, runtime.SpanEntry[string]{SpanKey: k, Value: v})
						}
					}
					sortSpans(want, func(a, b runtime.SpanKey) bool {
						return a.To-a.From < b.To-b.From || a.To-a.From == b.To-b.From && a.From < b.From
					})
					if err != nil || err2 != nil || !slices.Equal(got, want) || !slices.Equal(keys, keysOf(want)) {
						t.Fatalf("at %d: %v, %v, %v, %v, want %v", pos, got, keys, err, err2, want)
					}
					got, err = scopes.Overlapping(s, space, span)
					keys, err2 = scopes.KeysOverlapping(s, space, span)
					want = s.want.overlapping(space, span)
					sortSpans(want, func(a, b runtime.SpanKey) bool { return a.From < b.From || a.From == b.From && a.To > b.To })
					if err != nil || err2 != nil || !slices.Equal(got, want) || !slices.Equal(keys, keysOf(want)) {
						t.Fatalf("overlapping %v: %v, %v, %v, %v, want %v", span, got, keys, err, err2, want)
					}
					if n, err := scopes.Partition().Count(s, scopes.In(space)); err != nil || n != len(s.want[space]) {
						t.Fatalf("%d entries in %q, %v, want %d", n, space, err, len(s.want[space]))
					}
				}
			},
		})
	})
}

func putSpan(t *testing.T, e *runtime.Engine, k runtime.SpanKey, v string) {
	t.Helper()
	if err := e.Commit(t.Context(), func(w *runtime.Writer) error { return scopes.Put(w, "f", k, v) }); err != nil {
		t.Fatal(err)
	}
}

// A query depends on what covers its position and on nothing else.
func TestSpansAreReadExactly(t *testing.T) {
	e := open(t, "", runtime.Options{Workers: 1})
	key := func(from, to uint64, id string) runtime.SpanKey {
		return runtime.SpanKey{Span: runtime.Span{From: from, To: to}, ID: id}
	}
	putSpan(t, e, key(10, 20, "f"), "v")
	putSpan(t, e, key(12, 13, "x"), "v")
	putSpan(t, e, key(0, 1<<20, "file"), "v")
	for _, step := range []struct {
		name       string
		k          runtime.SpanKey
		v          string
		keys, text bool // whether the query runs again
	}{
		{"the first time", key(30, 31, ""), "v", true, true},
		{"elsewhere", key(13, 20, "after"), "v", false, false},
		{"before", key(0, 12, "before"), "v", false, false},
		{"larger, elsewhere", key(16, 4000, "far"), "v", false, false},
		{"another value", key(12, 13, "x"), "w", false, true},
		{"one more of one position", key(12, 13, "y"), "v", true, true},
		{"within", key(11, 14, "n"), "v", true, true},
		{"around", key(9, 21, "n"), "v", true, true},
		{"the same again", key(9, 21, "n"), "v", false, false},
		{"elsewhere, but larger than any before", key(16, 1<<40, "huge"), "v", true, true}, // the one thing that is not exact
	} {
		before := e.Stats().Queries
		putSpan(t, e, step.k, step.v)
		ask(t, e, scopeAt, 12)
		ask(t, e, scopeTextAt, 12)
		now := e.Stats().Queries
		if ran := now["scopeAt"].Ran > before["scopeAt"].Ran; ran != step.keys {
			t.Errorf("%s: asked for keys, ran: %t", step.name, ran)
		}
		if ran := now["scopeTextAt"].Ran > before["scopeTextAt"].Ran; ran != step.text {
			t.Errorf("%s: asked for values, ran: %t", step.name, ran)
		}
	}
	if got, want := ask(t, e, scopeAt, 12), "[[12,13) x [12,13) y [11,14) n [10,20) f [9,21) n [0,1048576) file]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSpansWatchedAndDecoded(t *testing.T) {
	e := open(t, "", runtime.Options{})
	told := make(chan string, 1)
	watch(t, e, scopes.Partition(), scopes.In("f"), func(_ *runtime.Task, c runtime.Changes) error {
		for _, ch := range c.List {
			space, k, err := scopes.DecodeKey(ch.Key)
			told <- fmt.Sprint(space, " ", k, " ", err)
		}
		return nil
	})
	putSpan(t, e, runtime.SpanKey{Span: runtime.Span{From: 300, To: 70000}, ID: "id"}, "v")
	if got := <-told; got != "f [300,70000) id <nil>" {
		t.Error(got)
	}
	for _, k := range []runtime.SpanKey{{}, {Span: runtime.Span{From: 5, To: 5}}, {Span: runtime.Span{From: 6, To: 5}}} {
		for _, fn := range []func(w *runtime.Writer) error{
			func(w *runtime.Writer) error { return scopes.Put(w, "f", k, "v") },
			func(w *runtime.Writer) error { return scopes.Delete(w, "f", k) },
		} {
			if err := e.Commit(t.Context(), fn); !errors.Is(err, runtime.ErrBadSpan) {
				t.Errorf("%v: %v", k, err)
			}
		}
	}
	s := e.Snapshot()
	defer s.Release()
	if all, err := scopes.Overlapping(s, "f", runtime.Span{From: 400, To: 400}); len(all) > 0 || err != nil {
		t.Errorf("an empty span overlaps %v, %v", all, err)
	}
}

// Whatever decodes is the key of an entry.
func FuzzDecodeSpanKey(f *testing.F) {
	e, err := runtime.Open("", runtime.Options{Workers: 1})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { e.Close(context.Background()) })
	stored := func(space string, k runtime.SpanKey) (keys []string) {
		err := e.Commit(context.Background(), func(w *runtime.Writer) error { return scopes.Put(w, space, k, "v") })
		if err != nil {
			f.Fatal(err)
		}
		s := e.Snapshot()
		defer s.Release()
		keys, err = scopes.Partition().Keys(s, runtime.All())
		if err != nil {
			f.Fatal(err)
		}
		err = e.Commit(context.Background(), func(w *runtime.Writer) error { return scopes.Clear(w, space) })
		if err != nil {
			f.Fatal(err)
		}
		return keys
	}
	for _, k := range []runtime.SpanKey{{Span: runtime.Span{To: 1}}, {Span: runtime.Span{From: 255, To: math.MaxUint64}, ID: "\x00"}} {
		for _, key := range stored("a\x00b", k) {
			f.Add(key)
		}
	}
	f.Fuzz(func(t *testing.T, key string) {
		space, k, err := scopes.DecodeKey(key)
		if err != nil {
			if !errors.Is(err, runtime.ErrBadSpan) {
				t.Fatal(err)
			}
			return
		}
		if len(key) < 16<<10 && !slices.Contains(stored(space, k), key) {
			t.Fatalf("%q decodes as %q, %v", key, space, k)
		}
	})
}
