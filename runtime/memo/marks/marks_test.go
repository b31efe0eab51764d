package marks

import (
	"flag"
	"math/rand/v2"
	"testing"
)

var (
	states = flag.Int("marks.states", 3_000, "most states of one exploration of TestAllOrders")
	worlds = flag.Int("marks.worlds", 4_000, "worlds of TestRandomWorlds")
	seed   = flag.Uint64("marks.seed", 0, "seed of TestRandomWorlds; 0 takes a new one")
)

// A setting is a small world with what actors do there.
type setting struct {
	name    string
	sp      func() *spec
	before  string
	scripts string
}

// Each mistake gives a wrong answer in a setting in which the protocol gives none.
var mistakes = []struct {
	setting
	plant func(*rules)
}{
	{setting{"no pull after linking", chain1, "", "c0=2 c0=3 a0@2 a0"}, func(r *rules) { r.noPull = true }},
	{setting{"pulled before it is linked", chain1, "", "a0|c0=2 a0"}, func(r *rules) { r.pullFirst = true }},
	{setting{"published before it is linked", chain1, "", "a0|c0=2 a0"}, func(r *rules) { r.publishFirst = true }},
	{setting{"walks do not link", chain1, "a0 f0", "c0=2 c0=1 a0 c0=3 a0"}, func(r *rules) { r.walksDoNotLink = true }},
	{setting{"what a walk found is joined with an interval", chain1, "a0", "c0=2 c0=1 a0 a0@2"}, func(r *rules) { r.joined = true }},
	{setting{"a walk does not raise seen", chain1, "a1", "c0=2 a1 c0=3 a1"}, func(r *rules) { r.seenNotRaised = true }},
	{setting{"a mark that stops is lost", four, "a2 a3 c0=2 a3", "a2@2|c0=3 a3 a2"}, func(r *rules) { r.stopKeepsChanged = true }},
	{setting{"a mark stops by changed, not by told", short, "t c1=0", "a1 a1@2 a0@1|c0=2 a1"}, func(r *rules) { r.stopByChanged = true }},
	{setting{"a walk clears the mark", chain1, "", "c0=2 c0=3 a0@2 a0"}, func(r *rules) { r.cleared = true }},
	{setting{"published before it is queued", chain, "", "c0=2|a2@3 a1"}, func(r *rules) { r.publishThenQueue = true }},
	{setting{"marking is not waited for", chain1, "a2 c0=2", "a2|a2"}, func(r *rules) { r.doNotWait = true }},
	{setting{"stamps leave an interval linked", chain, "a1 f0", "c1=2 a1 c0=3 a1"}, func(r *rules) { r.stampsStayLinked = true }},
	{setting{"linked is said of the trace", chain1, "a0@3 f2 c1=0 a1 r", "a2 c0=0 a1@1 a2 a2@3"}, func(r *rules) { r.traceLinked = true }},
	{setting{"an answer from the store vouches", chain1, "a0 r", "a1 c0=2 a1"}, func(r *rules) { r.unlinkedVouches = true }},
	{setting{"a forgotten answer vouches", chain1, "", "a1|f0 c0=2 a1"}, func(r *rules) { r.deadVouches = true }},
	{setting{"stamps of an answer are not passed on", chain1, "c0=1 a0 r", "a2 c0=2 a2"}, func(r *rules) { r.staleStamps = true }},
	{setting{"what was written counts as linked", chain1, "a0 r", "c0=2 a0"}, func(r *rules) { r.reopenedLinked = true }},
	{setting{"a new node knows of no change", chain1, "", "c0=2 c0=3 a1 a0@2 a0"}, func(r *rules) { r.nodeFromZero = true }},
	{setting{"a new node learns late of changes", four, "", "a0 a3|c1=0 a2 a1@3 a3"}, func(r *rules) { r.nodeLooksLate = true }},
	{setting{"forgetting does not mark", chain1, "a1", "f0 c0=2 a1"}, func(r *rules) { r.forgetUnmarked = true }},
	{setting{"forgetting marks what is there", chain1, "a1", "f0 c0=2 a1"}, func(r *rules) { r.forgetEarly = true }},
	{setting{"forgetting without the lock", chain1, "a1", "f0|c0=2 a1"}, func(r *rules) { r.forgetUnlocked = true }},
	{setting{"a forgotten entry goes on answering", tower, "a2 f0", "t c0=0 a2@2 t a2@2"}, func(r *rules) { r.deadGoesOn = true }},
	{setting{"an overflow is passed over", short, "a2", "c0=2 c0=3 a2"}, func(r *rules) { r.overflowIgnored = true }},
	{setting{"the floor is raised after the mark", short, "a0", "c0=2 c0=3 a0|a0"}, func(r *rules) { r.floorLate = true }},
	{setting{"what appears is no change", chain1, "c0=0 a0", "c0=2 a0"}, func(r *rules) { r.absentIgnored = true }},
	{setting{"ranges are not marked", ranges, "a0", "c0=2 a0"}, func(r *rules) { r.spansIgnored = true }},
	{setting{"only the newest change of a key counts", ranges, "a1", "c0=0 c0=1 c0=2 a1@2 a1"}, func(r *rules) { r.kindsNotJoined = true }},
	{setting{"a read is passed over by who is there now", chain1, "a2 f0 a0", "c0=2 a2"}, func(r *rules) { r.skipByTrace = true }},
	{setting{"reads of an older generation are passed over", choice, "c1=0", "a0 a1@1"}, func(r *rules) { r.skipOlder = true }},
	{setting{"reads are passed over under the floor", short, "", "a1 c0=0 c1=2 a2"}, func(r *rules) { r.skipOverFloor = true }},
	{setting{"reads are passed over against stamps", choice, "a0", "f0 a1 c0=0 a1"}, func(r *rules) { r.skipOverStamps = true }},
	{setting{"what is passed over loses its stamps", chain, "a2 r", "c1=2 a2 c1=3 c1=2 a2 c0=2 a2"}, func(r *rules) { r.skipForgetsStamps = true }},
	{setting{"parts of one answer are one read", parts, "a2", "c0=3 a2"}, func(r *rules) { r.partsAreOne = true }},
	{setting{"the reader of a part is not linked", parts, "a1", "c0=2 a1 c0=3 a1"}, func(r *rules) { r.partUnlinked = true }},
	{setting{"an equal part brings no partitions", parts, "c0=2 c1=2 a1", "c0=1 a1 c1=1 a1"}, func(r *rules) { r.partBringsNothing = true }},
	{setting{"a part is linked and not pulled", parts, "", "c0=2 c0=3 a1@2 a1"}, func(r *rules) { r.partNotPulled = true }},
	{setting{"who rests on a wall does not note it", chain1, walled, "c0=3 a2"}, func(r *rules) { r.wallsUnnoted = true }},
	{setting{"who rests on what becomes a wall is not marked", chain1, "a2 w0", "c0=2 a2"}, func(r *rules) { r.wallUntold = true }},
	{setting{"a claim counts before it began", chain1, walled, "c0=3 a0 a2"}, func(r *rules) { r.claimsAreForEver = true }},
	{setting{"a claim counts between two answers", chain1, walled, "c0=3 c0=2 a0 a2@3"}, func(r *rules) { r.claimsReach = true }},
	{setting{"a claim survives another answer", chain1, walled, "c0=3 a0 a2"}, func(r *rules) { r.claimsStay = true }},
	{setting{"partitions of walls are those of a run before", twoWays, "c1=0 c0=2 a1 w0 c0=4 a1 c0=1 a0 a2", "c1=1 a2"}, func(r *rules) { r.wallPartsForgotten = true }},
	{setting{"a claim begins before what was answered", chain1, "c0=2 a0 w0 a2 a0@1", "c0=1 a0 a2"}, func(r *rules) { r.claimsBeginAnywhere = true }},
	{setting{"reads are passed over although a wall is in doubt", chain1, walled, "c1=2 a2 c1=1 c0=3 a2"}, func(r *rules) { r.skipOverWalls = true }},
	{setting{"what is passed over loses its walls", chain1, walled, "c1=2 a2 c1=1 a2 c0=3 a2"}, func(r *rules) { r.skipForgetsWalls = true }},
	{setting{"a wall that is passed over is not noted", chain1, "a1 w0", "c1=2 a1 c0=2 a1"}, func(r *rules) { r.skipUnnoted = true }},
	{setting{"what is written holds between two answers of a wall", chain1, walled, "c0=3 c0=2 a0 f2 a2@3"}, func(r *rules) { r.extendsOverWalls = true }},
	{setting{"what a walk finds below is not in the basis", twoWays, "c1=0 c0=2 a1 c0=1 a1 r", "c1=1 a1"}, func(r *rules) { r.basisNotInWalk = true }},
	{setting{"the basis has a run's own reads only", chain1, "a1 r", "c0=2 a1"}, func(r *rules) { r.basisNotOfRead = true }},
	{setting{"the basis has not what a wall rests on now", twoWays, reachedOver + " r", "c1=1 a1"}, func(r *rules) { r.wallBasisForgotten = true }},
	{setting{"the ledger is over with its last word", chain1, "a1 l f1 c0=2 k", "a1"}, func(r *rules) { r.ledgerTrustsLastWord = true }},
	{setting{"the ledger has changes that were dropped", short, "a1 r", "c0=2 c1=2 a1"}, func(r *rules) { r.ledgerKeepsLost = true }},
	{setting{"the ledger's beginning does not count", short, "a1 r", "c0=2 c1=2 a1"}, func(r *rules) { r.ledgerFromIgnored = true }},
	{setting{"the ledger is told after the mark", chain1, "a1 r", "c0=2 a1|a1"}, func(r *rules) { r.ledgerLate = true }},
	{setting{"tidying cuts what lives", chain1, "a0", "t c0=2 a0"}, func(r *rules) { r.cutLive = true }},
	{setting{"a node that was taken out is linked to", chain1, "", "a0|t c0=2 a0"}, func(r *rules) { r.nodeCutUsed = true }},
}

func chain1() *spec { return onePart(chain()) }

func short() *spec {
	sp := chain1()
	sp.queueMax = 1
	return sp
}

// walled makes query 0 a wall that the others rest on and have noted.
const walled = "a2 w0 c0=2 a2"

// reachedOver has what rests on a wall in twoWays hold on, while that came to the same by reading
// key 1, too.
const reachedOver = "c1=0 c0=2 a1 w0 c0=4 a1 c0=1 a0"

// twoWays is a query that reads key 1 only where key 0 is odd, which makes no difference to its
// answer while key 1 is 0, one that reads the query, and one that reads that. The keys are in two
// partitions.
func twoWays() *spec {
	sp := choice()
	sp.parts = []uint8{0, 1}
	sp.programs[0].mod = 2
	sp.programs = append(sp.programs, program{steps: []step{{query: true, id: 1}}, mod: 16})
	return sp
}

// four is chain with a query that reads key 1 alone.
func four() *spec {
	sp := chain1()
	sp.programs = append(sp.programs, program{steps: []step{{id: 1}}, mod: 16})
	return sp
}

// tower is chain with the read of key 1 further down.
func tower() *spec {
	sp := chain()
	sp.programs = []program{
		{steps: []step{{id: 0}}, mod: 16},
		{steps: []step{{query: true, id: 0}, {id: 1}}, mod: 16},
		{steps: []step{{query: true, id: 1}}, mod: 16},
	}
	return sp
}

// parts is a query whose answer has two parts, one of the sum of a choice of keys in two
// partitions, a reader of one of them and a reader of both.
func parts() *spec {
	sp := chain()
	sp.programs = []program{
		{steps: []step{{id: 0}, {id: 1, when: 1}}, mod: 16},
		{steps: []step{{query: true, id: 0, part: 1}}, mod: 16},
		{steps: []step{{query: true, id: 0, part: 1}, {query: true, id: 0, part: 2}}, mod: 16},
	}
	return sp
}

func ranges() *spec {
	sp := chain1()
	sp.nodes = []node{{kind: span, a: 0, b: 2}, {kind: spanKeys, a: 0, b: 2}}
	sp.programs = []program{
		{steps: []step{{id: 0}}, mod: 16},
		{steps: []step{{id: 1}}, mod: 16},
		{steps: []step{{query: true, id: 1}, {id: 0}}, mod: 16},
	}
	return sp
}

func TestEachMistakeIsFound(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			sp := m.sp()
			if f := explore(sp, values{1, 1}, m.before, scripts(m.scripts), *states); f.wrong != "" {
				t.Fatalf("without the mistake: %v", f)
			}
			m.plant(&sp.rules)
			f := explore(sp, values{1, 1}, m.before, scripts(m.scripts), 100_000)
			if f.wrong == "" {
				t.Errorf("not found: %v", f)
			}
			t.Log(f)
		})
	}
}

func TestRandomWorlds(t *testing.T) {
	s := *seed
	if s == 0 {
		s = rand.Uint64()
	}
	for i := range *worlds {
		if wrong := randomWorld(s+uint64(i), rules{}); wrong != "" {
			t.Fatalf("%s; replay with -run RandomWorlds -marks.worlds=1 -marks.seed=%d", wrong, s+uint64(i))
		}
	}
}

// randomWorld makes a world of a seed and lets actors move there at random.
func randomWorld(seed uint64, r rules) (wrong string) {
	rng := rand.New(rand.NewPCG(seed, 1))
	sp := randomSpec(rng)
	sp.rules = r
	var first values
	for k := range sp.parts {
		first[k] = uint8(rng.IntN(3))
	}
	st := start(sp, first)
	if rng.IntN(3) == 0 {
		st.actors = []actor{{script: randomOps(rng, sp, 6)}}
		for !st.actors[0].done() && st.wrong == "" {
			st.move(0)
		}
		if st.wrong == "" && rng.IntN(2) == 0 {
			if st.reopen(); rng.IntN(3) == 0 {
				st.actors = []actor{{script: randomOps(rng, sp, 4)}}
				for !st.actors[0].done() && st.wrong == "" {
					st.move(0)
				}
				st.kill()
			}
		}
	}
	for round := 0; round < 3 && st.wrong == ""; round++ {
		st.actors = nil
		for range 1 + rng.IntN(4) {
			st.actors = append(st.actors, actor{script: randomOps(rng, sp, 3)})
		}
		last := 0
		for {
			able := 0
			for n := range st.actors {
				if st.enabled(n) {
					able++
				}
			}
			if able == 0 || st.wrong != "" {
				break
			}
			n := last // actors go on for a while, so that others meet what is half done
			if !(n < len(st.actors) && st.enabled(n)) || rng.IntN(4) == 0 {
				for n = rng.IntN(len(st.actors)); !st.enabled(n); n = rng.IntN(len(st.actors)) {
				}
			}
			st.move(n)
			last = n
		}
		for n := range st.actors {
			if !st.actors[n].done() && st.wrong == "" {
				st.wrong = "nobody can move"
			}
		}
		if len(st.entries) > 12 || len(st.history) > 100 {
			break
		}
		st.check()
	}
	return st.wrong
}

func randomSpec(rng *rand.Rand) *spec {
	sp := &spec{traces: 1 + rng.IntN(3), queueMax: []int{1, 3, 99}[rng.IntN(3)], intervals: 2 + rng.IntN(2)}
	keys := 1 + rng.IntN(3)
	for range keys {
		sp.parts = append(sp.parts, uint8(rng.IntN(2)))
	}
	for k := range keys {
		sp.nodes = append(sp.nodes, node{record, uint8(k), 0})
	}
	if rng.IntN(3) == 0 {
		sp.nodes = append(sp.nodes, node{presence, uint8(rng.IntN(keys)), 0})
	}
	if rng.IntN(3) == 0 {
		sp.nodes = append(sp.nodes, node{[]nodeKind{span, spanKeys}[rng.IntN(2)], 0, uint8(1 + rng.IntN(keys))})
	}
	for q := range 2 + rng.IntN(3) {
		p := program{mod: []uint8{2, 3, 16}[rng.IntN(3)]}
		for range 1 + rng.IntN(3) {
			s := step{when: []uint8{0, 0, 1, 2}[rng.IntN(4)]}
			if q > 0 && rng.IntN(3) > 0 {
				s.query, s.id, s.part = true, uint8(rng.IntN(q)), []uint8{0, 0, 1, 2}[rng.IntN(4)]
			} else {
				s.id = uint8(rng.IntN(len(sp.nodes)))
			}
			p.steps = append(p.steps, s)
		}
		sp.programs = append(sp.programs, p)
	}
	return sp
}

func randomOps(rng *rand.Rand, sp *spec, most int) []op {
	var list []op
	for range 1 + rng.IntN(most) {
		o := op{do: "aaaaaacccftw"[rng.IntN(12)]}
		switch o.do {
		case 'a':
			if o.id = uint8(rng.IntN(len(sp.programs))); rng.IntN(3) == 0 {
				o.back = uint8(1 + rng.IntN(4))
			}
		case 'c':
			o.id, o.val = uint8(rng.IntN(len(sp.parts))), uint8(rng.IntN(3))
		case 'f', 'w':
			o.id = uint8(rng.IntN(len(sp.programs)))
		}
		list = append(list, o)
	}
	return list
}

// In small settings all orders in which actors can move give right answers, and all actors get to
// their end.
func TestAllOrders(t *testing.T) {
	for _, s := range []setting{
		{"a cold question beside a commit", chain1, "", "a0|c0=2 a0"},
		{"one flight for two", chain1, "", "a0|a0"},
		{"flights of two generations", chain1, "a0 c0=2", "a0@1|a0"},
		{"a change beside a walk", chain1, "a1 c0=2", "a1|c0=3 a1"},
		{"two levels cold", chain1, "", "a2|c0=2 a1"},
		{"an undo", chain1, "a1 c0=2", "a1 a1@1|c0=1 a1"},
		{"a choice of reads", choice, "a1 c0=2", "a1|c0=3 a1"},
		{"forgetting beside a question", chain1, "a1", "c0=2 a1|f0"},
		{"forgetting, tidying, coming back", chain1, "a1", "f0 t a1|c0=2 a1"},
		{"tidying beside a first read", chain1, "", "a0|t t c0=2 a0"},
		{"two partitions", tower, "a2", "c1=2 a2|c0=2 a2"},
		{"two partitions after a restart", tower, "a2 r", "c1=2 a2|c0=2 a2"},
		{"linking after a restart", chain1, "a2 r", "c0=2 a2|a1"},
		{"an overflow", short, "a1", "c0=2 c0=3 a1|a1@1 a1"},
		{"ranges", ranges, "a2", "c0=0 a2|c0=2 a1"},
		{"a part beside a change of another", parts, "a1", "c0=3 a1|c1=2 a2"},
		{"parts of an undone answer", parts, "a2 c0=2", "a1 a2@1|c0=1 a2"},
		{"parts after a restart", parts, "a2 r", "c1=2 a2|c0=3 a1"},
		{"the ledger beside a commit", chain1, "a2 r", "c1=2 a1|c0=2 a2"},
		{"the ledger of two processes", chain1, "a2 r c1=2 l f2 c1=1 k", "c0=2 a2|a1"},
		{"the ledger and an overflow", short, "a1 r", "c0=2 c1=2 a1|a1"},
		{"the ledger behind a wall", twoWays, reachedOver + " r", "c1=1 a1|c0=2 a1"},
		{"the ledger behind what was reached over a wall", twoWays, reachedOver + " a2 r", "c1=1 a2|a1"},
		{"the ledger behind what was reached over a wall before", twoWays, reachedOver + " a2 c0=2 r", "c0=1 c1=1 a2|a1"},
		{"three at once", chain1, "a1", "a1|c0=2 a1|f0"},
		{"becoming a wall beside a question", chain1, "a1", "c0=2 a1|w0"},
		{"becoming a wall beside a first question", chain1, "", "a1|w0 c0=2 a1"},
		{"a wall that answers the same", chain1, walled + " c0=3 c0=2", "a2|a0 a2"},
		{"a wall that answers differently", chain1, walled, "c0=3 a2|a0 a2@2"},
		{"a wall between two generations", chain1, walled + " c0=3 c0=2", "a2@3|a2"},
		{"a wall above a wall", chain1, "a2 w0 w1 c0=2 a2", "c0=3 a2|a1"},
		{"a wall that is forgotten", chain1, walled, "c0=3 a2|f0"},
	} {
		t.Run(s.name, func(t *testing.T) {
			f := explore(s.sp(), values{1, 1}, s.before, scripts(s.scripts), *states)
			if f.wrong != "" {
				t.Error(f)
			}
			t.Logf("%v, all of them: %t", f, !f.cut)
		})
	}
}
