package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	rt "runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

var (
	repeatTexts = runtime.NewPartition[string]("repeat texts")
	repeatMore  = runtime.NewPartition[string]("repeat more")
	repeatLists = runtime.NewPartition[string]("repeat lists")

	// repeatLeaf gives the text of a name, or of another name that the text says, in this partition
	// or another; "!" fails.
	repeatLeaf = runtime.NewQuery("repeat leaf", 1, func(t *runtime.Task, name string) (string, error) {
		text, err := repeatTexts.Get(t, name)
		switch {
		case errors.Is(err, runtime.ErrNotFound):
			return "none", nil
		case err != nil:
			return "", err
		case text == "!":
			return "", errors.New(name + " fails")
		case strings.HasPrefix(text, "@"):
			return repeatTexts.Get(t, text[1:])
		case strings.HasPrefix(text, "%"):
			return repeatMore.Get(t, text[1:])
		}
		return text, nil
	})

	// repeatWhole reads a list of names, a text, the answers for all of the list, another text.
	repeatWhole = runtime.NewQuery("repeat whole", 1, func(t *runtime.Task, list string) (string, error) {
		names, err := repeatLists.Get(t, list)
		if err != nil {
			return "", err
		}
		first, err := repeatLeaf.Get(t, "first")
		if err != nil {
			return "", err
		}
		all, err := repeatLeaf.All(t, strings.Fields(names))
		if err != nil {
			return "", err
		}
		if len(all) > 0 && all[0] == "more" {
			more, err := repeatLeaf.All(t, []string{"3", "first", "5", "none"})
			if err != nil {
				return "", err
			}
			all = append(all, more...)
		}
		last, err := repeatLeaf.Get(t, "last")
		return first + ":" + strings.Join(all, " ") + ":" + last, err
	})

	repeatTop = runtime.NewQuery("repeat top", 1, func(t *runtime.Task, lists int) (string, error) {
		keys := make([]string, lists)
		for i := range keys {
			keys[i] = strconv.Itoa(i)
		}
		all, err := repeatWhole.All(t, keys)
		return strings.Join(all, "|"), err
	})
)

// A repeatWorld is the texts and lists as plain maps.
type repeatWorld struct{ texts, more, lists map[string]string }

func (w repeatWorld) clone() repeatWorld {
	return repeatWorld{maps.Clone(w.texts), maps.Clone(w.more), maps.Clone(w.lists)}
}

func (w *repeatWorld) leaf(name string) string {
	text, there := w.texts[name]
	switch {
	case !there:
		return "none"
	case text == "!":
		return ""
	case strings.HasPrefix(text, "@"):
		return w.texts[text[1:]]
	case strings.HasPrefix(text, "%"):
		return w.more[text[1:]]
	}
	return text
}

// whole returns the answer, and false if it is an error.
func (w *repeatWorld) whole(list string) (string, bool) {
	names := append([]string{"first"}, strings.Fields(w.lists[list])...)
	if len(names) > 1 && w.leaf(names[1]) == "more" {
		names = append(names, "3", "first", "5", "none")
	}
	names = append(names, "last")
	var all []string
	for _, name := range names {
		text := w.leaf(name)
		if text == "" {
			return "", false
		}
		all = append(all, text)
	}
	n := len(all) - 1
	return all[0] + ":" + strings.Join(all[1:n], " ") + ":" + all[n], true
}

// An All that a run repeats gives what one from scratch does, whatever has changed, come, gone and
// moved since, in old snapshots as in new ones, with little memory, and after a restart.
func TestRepeatedAllAgainstScratch(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	const lists = 3
	steps := 400
	if raceEnabled || testing.Short() {
		steps = 120
	}
	for life := range 6 {
		o := runtime.Repeating(runtime.Options{AuditShare: 0.2}, 1+life%2*4)
		if life%3 == 1 {
			o.CacheBytes, o.TraceBytes = 4<<10, 16<<10
		}
		if life >= 3 {
			o = runtime.Walled(o, 3)
		}
		dir := t.TempDir()
		e := open(t, dir, o)
		w := &repeatWorld{map[string]string{}, map[string]string{}, map[string]string{}}
		set := func(p *runtime.Partition[string], m map[string]string, key, text string) {
			m[key] = text
			put(t, e, p, key, text)
		}
		for i := range 20 {
			set(repeatTexts, w.texts, strconv.Itoa(i), fmt.Sprint("t", i))
			set(repeatMore, w.more, strconv.Itoa(i), fmt.Sprint("m", i))
		}
		set(repeatTexts, w.texts, "first", "f")
		set(repeatTexts, w.texts, "last", "l")
		for i := range lists {
			set(repeatLists, w.lists, strconv.Itoa(i), "0 1 2 3 4 5 6 7 8 9")
		}
		check := func(what string, w *repeatWorld, opts ...runtime.TaskOption) {
			t.Helper()
			var want []string
			fine := true
			for i := range lists {
				one, ok := w.whole(strconv.Itoa(i))
				want, fine = append(want, one), fine && ok
			}
			for _, i := range rng.Perm(lists + 1)[rng.IntN(lists+1):] {
				if i == lists {
					got, err := repeatTop.Ask(t.Context(), e, lists, opts...)
					if (err == nil) != fine || fine && got != strings.Join(want, "|") {
						t.Fatalf("seed %d: %s: all are %q, %v, want %q", seed, what, got, err, want)
					}
					continue
				}
				got, err := repeatWhole.Ask(t.Context(), e, strconv.Itoa(i), opts...)
				if (err == nil) != (want[i] != "") || got != want[i] {
					t.Fatalf("seed %d: %s: list %d is %q, %v, want %q", seed, what, i, got, err, want[i])
				}
			}
		}
		type moment struct {
			world repeatWorld
			snap  *runtime.Snapshot
		}
		var before []moment
		for step := range steps {
			what := fmt.Sprint("life ", life, " step ", step)
			switch name := strconv.Itoa(rng.IntN(20)); rng.IntN(13) {
			case 0, 1, 2:
				set(repeatTexts, w.texts, name, fmt.Sprint("t", rng.IntN(3)))
			case 3:
				set(repeatTexts, w.texts, name, string("@%"[rng.IntN(2)])+strconv.Itoa(rng.IntN(3)))
			case 4:
				set(repeatTexts, w.texts, name, []string{"!", "more", "t"}[rng.IntN(3)])
			case 5:
				set(repeatTexts, w.texts, []string{"first", "last"}[rng.IntN(2)], fmt.Sprint(rng.IntN(3)))
			case 6, 7, 8:
				key := strconv.Itoa(rng.IntN(lists))
				names := strings.Fields(w.lists[key])
				at := rng.IntN(len(names) + 1)
				switch {
				case rng.IntN(2) == 0:
					names = slices.Insert(names, at, name, strconv.Itoa(rng.IntN(20)))
				case at < len(names):
					names = slices.Delete(names, at, min(at+2, len(names)))
				}
				if rng.IntN(4) == 0 && len(names) > 1 {
					names[0], names[len(names)-1] = names[len(names)-1], names[0]
				}
				set(repeatLists, w.lists, key, strings.Join(names, " "))
			case 9:
				set(repeatTexts, w.texts, name, "t"+name)
			case 10:
				if n := len(before); n > 0 {
					m := before[rng.IntN(n)]
					check(what+", an older generation", &m.world, runtime.At(m.snap))
				}
			case 11:
				set(repeatMore, w.more, strconv.Itoa(rng.IntN(3)), fmt.Sprint("m", rng.IntN(3)))
			case 12:
				e.WriteTraces(t.Context())
			}
			check(what, w)
			if rng.IntN(40) == 0 && len(before) < 3 {
				m := moment{w.clone(), e.Snapshot()}
				before = append(before, m)
			}
			if rng.IntN(60) == 0 {
				for _, m := range before {
					m.snap.Release()
				}
				before = nil
				if err := e.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				e = open(t, dir, o)
			}
		}
		for _, m := range before {
			m.snap.Release()
		}
		if found := e.Stats().Queries; found["repeat whole"].Impure+found["repeat leaf"].Impure+found["repeat top"].Impure > 0 {
			t.Errorf("seed %d: an audit has found another answer: %v", seed, e.Stats().Impure)
		}
	}
}

var (
	manyTexts = runtime.NewPartition[string]("many texts")
	manyLeaf  = runtime.NewQuery("many leaf", 1, func(t *runtime.Task, i int) (int, error) {
		text, err := manyTexts.Get(t, strconv.Itoa(i))
		return len(text), err
	})
	manySum = runtime.NewQuery("many sum", 1, func(t *runtime.Task, _ struct{}) (int, error) {
		n, err := manyTexts.Get(t, "n")
		if err != nil {
			return 0, err
		}
		count, err := strconv.Atoi(n)
		if err != nil {
			return 0, err
		}
		keys := make([]int, count)
		for i := range keys {
			keys[i] = i
		}
		all, err := manyLeaf.All(t, keys)
		sum := 0
		for _, n := range all {
			sum += n
		}
		return sum, err
	})
)

// An answer that asks for many keys at once, one of which has changed, asks for that one. Counted
// are allocations, of which each key that is asked for costs some.
func TestAllAsksForWhatChanged(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const keys = 20_000
	e := open(t, "", runtime.Options{Workers: 1})
	err := e.Commit(t.Context(), func(w *runtime.Writer) error {
		for i := range keys + 1 {
			if err := manyTexts.Put(w, strconv.Itoa(i), "text"); err != nil {
				return err
			}
		}
		return manyTexts.Put(w, "n", strconv.Itoa(keys))
	})
	if err != nil {
		t.Fatal(err)
	}
	sum := func() (n int, mallocs uint64) {
		err := e.Submit(t.Context(), lane.Default, func(task *runtime.Task) (err error) {
			var before, after rt.MemStats
			rt.ReadMemStats(&before)
			n, err = manySum.Get(task, struct{}{})
			rt.ReadMemStats(&after)
			mallocs = after.Mallocs - before.Mallocs
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n, mallocs
	}
	sum()
	for _, step := range []struct {
		what, key, text string
		want            int
	}{
		{"one has another length", "77", "texts", 4*keys + 1},
		{"another has", "19999", "texts", 4*keys + 2},
		{"an undo", "77", "text", 4*keys + 1},
		{"one more key", "n", strconv.Itoa(keys + 1), 4*keys + 5},
		{"the last has another length", "20000", "t", 4*keys + 2},
		{"one key less", "n", strconv.Itoa(keys), 4*keys + 1},
	} {
		e.WriteTraces(context.Background()) // which the engine would do meanwhile
		put(t, e, manyTexts, step.key, step.text)
		got, mallocs := sum()
		if got != step.want {
			t.Errorf("%s: %d, want %d", step.what, got, step.want)
		}
		if mallocs > keys/20 {
			t.Errorf("%s: %d allocations for %d keys", step.what, mallocs, keys)
		}
	}
}
