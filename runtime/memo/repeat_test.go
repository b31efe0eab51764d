package memo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A repeatedList is what a run of TestRepeat keeps of an All.
type repeatedList struct{ keys, values []string }

// repeatedAll answers a query for a list of distinct keys by what the run before kept, as far as it
// can, and reports whether it could.
func repeatedAll(r *rig, f *Frame, q *Query, list []string) (values []string, repeated bool, err error) {
	before, remembers := f.ReadsSoFar()
	values = make([]string, len(list))
	if a := r.table.Repeat(f, q); a != nil {
		was := a.Kept().(*repeatedList)
		head, tail := 0, 0
		for n := min(len(list), len(was.keys)); head < n && list[head] == was.keys[head]; head++ {
		}
		for n := min(len(list), len(was.keys)) - head; tail < n && list[len(list)-1-tail] == was.keys[len(was.keys)-1-tail]; tail++ {
		}
		others := list[head : len(list)-tail]
		kept := slices.Concat(was.keys[:head], was.keys[len(was.keys)-tail:])
		if !slices.ContainsFunc(others, func(key string) bool { return slices.Contains(kept, key) }) {
			anew, ok, err := a.All(head, others, tail, 0, r.spawner(f))
			if err != nil {
				return nil, ok, err
			}
			if repeated = ok; ok {
				copy(values, was.values[:head])
				copy(values[len(list)-tail:], was.values[len(was.values)-tail:])
				for _, n := range anew {
					values[n.Place] = textOf(n.Value)
				}
			}
		}
	}
	if !repeated {
		answers, err := r.table.All(f, q, list, 0, r.spawner(f))
		if err != nil {
			return nil, false, err
		}
		for i, a := range answers {
			values[i] = textOf(a.Value)
		}
	}
	if remembers {
		f.Remember(q, before, len(list), &repeatedList{slices.Clone(list), slices.Clone(values)}, 16*len(list), true)
	}
	return values, repeated, nil
}

// TestRepeat: a query that asks for a long list of keys, of which few have changed since its run
// before and few come or go in one place, is given the answers that it had, asks for the others
// alone, and depends on all of them: the next change of any of them is told to it. Where too much
// has changed, the list is refused, and nothing has happened.
func TestRepeat(t *testing.T) {
	const rounds = 120
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 11))
			r := newRig(t, seed, Options{CacheBytes: 1 << 20})
			in := r.partition("in")
			leaves, repeats, refused := map[string]int{}, 0, 0
			r.query("leaf", func(f *Frame, key string) (string, error) {
				leaves[key]++
				return r.text(f, in, key)
			})
			r.query("all", func(f *Frame, _ string) (string, error) {
				list, err := r.text(f, in, "list")
				if err != nil {
					return "", err
				}
				values, repeated, err := repeatedAll(r, f, r.queries["leaf"], strings.Fields(list))
				if repeated {
					repeats++
				} else {
					refused++
				}
				return strings.Join(values, " "), err
			})
			var keys []string
			value, next := map[string]string{}, 0
			fresh := func() string { next++; return fmt.Sprintf("k%04d", next) }
			for range 40 {
				keys = append(keys, fresh())
			}
			write := func(changed ...string) {
				pairs := []string{"list", strings.Join(keys, " ")}
				for _, key := range changed {
					value[key] = fmt.Sprint("v", rng.IntN(1000), "-", rng.Uint32())
					pairs = append(pairs, key, value[key])
				}
				r.put(in, pairs...)
			}
			check := func(what string, runs ...string) {
				t.Helper()
				clear(leaves)
				var want []string
				for _, key := range keys {
					want = append(want, value[key])
				}
				r.want("all", "", strings.Join(want, " "))
				var ran []string
				for key, n := range leaves {
					if n > 1 {
						t.Errorf("%s: %s ran %d times", what, key, n)
					}
					ran = append(ran, key)
				}
				slices.Sort(ran)
				slices.Sort(runs)
				if runs = slices.Compact(runs); !slices.Equal(ran, runs) {
					t.Fatalf("%s: the leaves %v ran, and %v have changed", what, ran, runs)
				}
			}
			write(keys...)
			check("the first run", keys...)
			for round := range rounds {
				what := fmt.Sprint("round ", round)
				var changed []string
				switch rng.IntN(8) {
				case 0: // more than a quarter
					changed = slices.Clone(keys[:len(keys)/2])
				case 1: // a key in the middle goes
					at := rng.IntN(len(keys))
					keys = slices.Delete(keys, at, at+1)
				case 2, 3: // some come, at one place
					at := rng.IntN(len(keys) + 1)
					for range 1 + rng.IntN(3) {
						key := fresh()
						keys, changed = slices.Insert(keys, at, key), append(changed, key)
					}
				}
				for range rng.IntN(4) {
					changed = append(changed, keys[rng.IntN(len(keys))])
				}
				write(changed...)
				check(what, changed...)
			}
			if repeats < rounds/2 || refused < rounds/40 {
				t.Errorf("of %d runs %d took answers over, %d asked for all", repeats+refused, repeats, refused)
			}
		})
	}
}
