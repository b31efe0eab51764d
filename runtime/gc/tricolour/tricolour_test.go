package tricolour

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

var (
	states = flag.Int("tricolour.states", 30_000, "states of each setting that are searched, at most")
	graphs = flag.Int("tricolour.graphs", 60, "random graphs that are searched")
	seed   = flag.Uint64("tricolour.seed", 0, "seed of the first random graph; 0 takes a new one")
)

// chain is four objects, each of which refers to the one before. The first three are in the store,
// and the tree has the third.
func chain() *spec {
	return &spec{
		refs: [objects]set{1: of(0), 2: of(1), 3: of(2)}, there: of(0) | of(1) | of(2),
		first: trees{2, none}, cycles: 1,
	}
}

// old is two objects that nothing refers to, the second of which refers to the first, and one that
// the tree has.
func old() *spec {
	return &spec{
		refs: [objects]set{1: of(0)}, there: of(0) | of(1) | of(2), first: trees{2, none}, cycles: 1,
	}
}

// nodes is a node with a node below it that names a value; a recovery begins with the lower one,
// which a tree has as well.
func nodes() *spec {
	return &spec{
		refs: [objects]set{1: of(0), 2: of(1)}, own: of(1) | of(2), bare: of(1),
		there: of(0) | of(1) | of(2), first: trees{2, none}, cycles: 1,
	}
}

// remembered is a result that only a trace in memory names, over another object.
func remembered() *spec {
	return &spec{
		refs: [objects]set{1: of(0)}, there: of(0) | of(1), first: trees{none, none}, memory: of(1), cycles: 1,
	}
}

// givenUp is old with a cycle that may be given up before it takes its roots.
func givenUp() *spec {
	sp := old()
	sp.aborts = true
	return sp
}

// second is chain, with the tree at the other key.
func second() *spec {
	sp := chain()
	sp.first = trees{none, 2}
	return sp
}

// thenShort is a setting with a short cycle after a whole one.
func thenShort(sp func() *spec) func() *spec {
	return func() *spec {
		s := sp()
		s.cycles, s.short = 2, true
		return s
	}
}

// oldNode is a node that only a recovery needs, over a value that nothing needs.
func oldNode() *spec {
	return &spec{
		refs: [objects]set{1: of(0)}, own: of(1), bare: of(1), there: of(0) | of(1), first: trees{none, none}, cycles: 1,
	}
}

// orphan is an object that nothing refers to, and whose reference leads to nothing.
func orphan() *spec {
	return &spec{refs: [objects]set{1: of(0)}, there: of(1), first: trees{none, none}, cycles: 1}
}

func twice(sp func() *spec) func() *spec {
	return func() *spec {
		s := sp()
		s.cycles = 2
		return s
	}
}

type setting struct {
	name    string
	sp      func() *spec
	scripts string
}

var settings = []setting{
	{"a new object over what is live", chain, "b n p3 c03 r e|n d0 r"},
	{"a new object over what was live", chain, "b n p3 r c03 e|d0"},
	{"a part of what is live is moved", chain, "b n c11 r d0 e|n r"},
	{"objects are put again", old, "b p0 p1 c11 e|b p0 p1 e"},
	{"the same beside one that removes it", old, "b p0 p1 c11 e|b p0 c10 d1 e"},
	{"a snapshot outlives what it reads", chain, "n b p0 c00 e r|b n c10 r e"},
	{"two cycles, and a put across them", twice(old), "b p0 c10 e|"},
	{"a cycle that is given up", givenUp, "b p0 p1 c11 e|b p0 c00 e"},
	{"two cycles, and a writer", twice(chain), "b n p3 c03 e r|d0"},
	{"a short cycle beside a writer", thenShort(chain), "b n p3 c03 e r|d0"},
	{"a short cycle beside puts of what is there", thenShort(old), "b p0 p1 c11 e d1|"},
	{"a short cycle, and what was half there", thenShort(orphan), "b p0 p1 c11 e|b p0 p1 e"},
	{"a short cycle, and a node that only a recovery needed", thenShort(oldNode), "b p0 p1 c11 e|b p0 p1 e"},
	{"a trace in memory is written", remembered, "b w01 e|n r"},
	{"a trace in memory is written and replaced", remembered, "b w01 d0 e|b p0 t0 e f0"},
	{"a lease outlives a snapshot", chain, "n l1 r u1|d0"},
	{"a lease beside a put", chain, "n l1 r|b p0 c00 e"},
	{"what a recovery begins with", nodes, "b n c11 r e|d0"},
	{"what a recovery begins with is put again", nodes, "b p0 p1 p2 c02 e|d0"},
	{"a recovery after a collection", chain, "b p0 c00 e|d0"},
}

// In small settings all orders are right, and each collection ends and frees what was unreachable
// when it began.
func TestAllOrders(t *testing.T) {
	for _, s := range settings {
		t.Run(s.name, func(t *testing.T) {
			f := explore(s.sp(), s.scripts, *states)
			if f.wrong != nothing || f.stuck {
				t.Fatal(f)
			}
			t.Log(f)
		})
	}
}

var mistakes = []struct {
	name string
	m    mistake
	setting
}{
	{"a session is not looked at again (E3)", mistake{noLook: true}, setting{"", twice(old), "b p0 c10 e|"}},
	{"no session", mistake{noSession: true}, setting{"", old, "b p0 p1 c11 e|"}},
	{"a cycle begins before the gate is drained", mistake{beginEarly: true}, setting{"", givenUp, "b p0 c10 e|"}},
	{"the gate turns before the cycle is published (B3 before B1)", mistake{turnFirst: true}, setting{"", old, "b p0 c10 e|"}},
	{"the roots are taken before the gate is drained", mistake{noDrain: true}, setting{"", old, "b p0 c10 e|"}},
	{"what is in memory only is no root", mistake{noFlush: true}, setting{"", remembered, "|"}},
	{"the roots are taken before what is in memory, without Shade", mistake{rootsFirst: true, noShade: true}, setting{"", remembered, "b w01 e|"}},
	{"snapshots are no roots", mistake{noSnapshots: true}, setting{"", chain, "n r|d0"}},
	{"the roots are read one by one, without Shade", mistake{tornRoots: true, noShade: true}, setting{"", second, "b n c02 d1 r e|"}},
	{"leases are looked for before the cycle is published", mistake{pinsFirst: true}, setting{"", chain, "n l1 r u1|d0"}},
	{"a lease is noted after the cycle was looked for", mistake{lateLease: true}, setting{"", chain, "n l1 r u1|d0"}},
	{"what puts have marked is not followed", mistake{noQueue: true}, setting{"", old, "b p0 p1 c11 e|"}},
	{"bare marking begins while something is grey", mistake{bareFirst: true}, setting{"", nodes, "|"}},
	{"the database does not settle (C6)", mistake{noSettle: true}, setting{"", chain, "d0|"}},
	{"the database settles after the sweep (C6)", mistake{settleLate: true}, setting{"", chain, "d0|"}},
	{"the sweep looks and condemns in two steps (G3)", mistake{condemnBlind: true}, setting{"", old, "b p0 c10 e|"}},
	{"a put marks and queues in two steps (G6)", mistake{twoSteps: true}, setting{"", chain, "n b p1 e r|"}},
	{"a lease marks and queues in two steps (G6)", mistake{twoSteps: true}, setting{"", chain, "n l1 r u1|"}},
	{"without Shade", mistake{noShade: true}, setting{"", chain, "b n p3 r c03 e|d0"}},
	{"elders that were put again are not traced", mistake{forgetsAgain: true}, setting{"", thenShort(oldNode), "b p0 p1 c11 e|"}},
	{"a put does not see what is condemned (G3)", mistake{putBlind: true}, setting{"", old, "b p0 c10 e|"}},
	{"a put does not see that its cycle has ended", mistake{noStale: true}, setting{"", old, "b p0 c10 e|"}},
	{"what is put in a cycle is white (G1)", mistake{noBlack: true}, setting{"", chain, "b n p3 c13 r e|"}},
	{"what is put again is not marked (G1)", mistake{noAgain: true}, setting{"", old, "b p0 c10 e|"}},
}

// Each part of the protocol is needed: without it something needed is freed, or a recovery finds
// what it must not.
func TestEachMistakeIsFound(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			sp := m.sp()
			if f := explore(sp, m.scripts, *states); f.wrong != nothing || f.stuck {
				t.Fatalf("without the mistake: %v", f)
			}
			sp.wrong = m.m
			f := explore(sp, m.scripts, 1_000_000)
			if f.wrong == nothing {
				t.Errorf("not found: %v", f)
			}
			t.Log(f)
		})
	}
}

// Random graphs with random scripts, each in all orders up to a bound.
func TestRandomGraphs(t *testing.T) {
	from := *seed
	if from == 0 {
		from = rand.Uint64()
	}
	searched := 0
	for i := range uint64(*graphs) {
		rng := rand.New(rand.NewPCG(from+i, 0x747269))
		sp, all := randomSpec(rng), randomScripts(rng)
		f := explore(sp, all, *states)
		if searched += f.states; f.wrong != nothing || f.stuck {
			t.Fatalf("%+v with %q: %v; replay with -tricolour.graphs=1 -tricolour.seed=%d", *sp, all, f, from+i)
		}
	}
	t.Logf("%d graphs, %d states", *graphs, searched)
}

func randomSpec(rng *rand.Rand) *spec {
	sp := &spec{first: trees{none, none}, cycles: 1 + uint8(rng.IntN(6))/2, aborts: rng.IntN(4) == 0, short: rng.IntN(2) == 0}
	for x := range objects {
		sp.refs[x] = set(rng.Uint32()) & (of(uint8(x)) - 1)
		if rng.IntN(3) > 0 {
			sp.refs[x] &= set(rng.Uint32())
		}
		if rng.IntN(4) > 0 {
			sp.there |= sp.below(of(uint8(x)))
		}
	}
	whole := sp.there
	inStore := elements(whole)
	if rng.IntN(4) == 0 {
		sp.there |= of(uint8(rng.IntN(objects))) // with its references or without: a crash can leave that
	}
	some := func() uint8 {
		if len(inStore) == 0 {
			return none
		}
		return inStore[rng.IntN(len(inStore))]
	}
	for k := range sp.first {
		if rng.IntN(3) > 0 {
			sp.first[k] = some()
		}
	}
	if rng.IntN(3) == 0 {
		sp.own = set(rng.Uint32())
		sp.bare = sp.own & whole & set(rng.Uint32())
	}
	if rng.IntN(3) == 0 {
		sp.memory = of0(some())
	}
	return sp
}

func randomScripts(rng *rand.Rand) string {
	var all []string
	for range actors {
		var list []string
		for range 2 + rng.IntN(5) {
			op := []string{"b", "b", "e", "n", "r", "px", "px", "px", "px", "ckx", "ckx", "ckx", "dk", "tx", "wkx", "fx", "lx", "ux"}[rng.IntN(18)]
			op = strings.Replace(op, "k", fmt.Sprint(rng.IntN(keys)), 1)
			list = append(list, strings.Replace(op, "x", fmt.Sprint(rng.IntN(objects)), 1))
		}
		if rng.IntN(3) > 0 {
			list = append([]string{"b"}, list...)
		}
		all = append(all, strings.Join(append(list, "e"), " "))
	}
	return strings.Join(all, "|")
}

// TestSecondLines are parts that lose nothing when they are left out, as long as the others hold.
func TestSecondLines(t *testing.T) {
	for name, m := range map[string]mistake{
		"commits do not call Shade":                    {commitsUntold: true},
		"the roots are read one by one":                {tornRoots: true},
		"the roots are taken before what is in memory": {rootsFirst: true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, s := range settings {
				sp := s.sp()
				sp.wrong = m
				if f := explore(sp, s.scripts, *states); f.wrong != nothing || f.stuck {
					t.Errorf("%s: %v", s.name, f)
				}
			}
		})
	}
}
