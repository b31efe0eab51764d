package db

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/cytisus/cytisus/fuzz/tape"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

var (
	simSeed  = flag.Uint64("sim.seed", 0, "seed of TestSimulation; 0 takes a new one")
	simTape  = flag.String("sim.tape", "", "choices of a simulation, as a failure printed them, for TestSimulationOfTape")
	simSteps = flag.Int("sim.steps", 0, "steps of TestSimulation; 0 is few")
)

const (
	simKeys   = 40
	simValues = 200
	simLife   = 2000 // steps between two openings, at most
	simTasks  = 9    // writers, readers, and one that does the chores, at most
)

// A simState is what two versioned partitions hold: the number of a value at each key, 0 for none.
type simState [2][simKeys]int16

// A simulation drives a database by tasks of a deterministic pool. A task may be interrupted
// wherever it calls the store without holding the turn: while it looks for the records that a
// commit names, while it waits in the queue of commits, while it loads a node for a read, between
// two entries of a scan, between two nodes of a checkpoint, between two records of a collection.
type simulation struct {
	o       Options
	choices *tape.Tape
	d       *DB
	st      *simStore
	parts   [2]PartID
	keys    [simKeys]string
	number  map[Hash]int16

	task    *sched.Task          // the one that runs, nil outside of the pool
	history map[uint64]*simState // by generation
	newest  uint64               // generation
	seen    uint64               // the newest generation that a commit has returned
	certain uint64               // the newest generation that the power cannot take
	steps   int
	over    bool

	begun    int // sessions
	sessions map[int]bool

	err    error
	counts struct{ commits, unchanged, combined, snapshots, checkpoints, sweeps, swept, opened, lost, damaged int }
}

// A simStore is a fakeStore whose calls are places to be interrupted at.
type simStore struct {
	*fakeStore
	s   *simulation
	put map[Hash]bool // since the running collection began; nil: there is none
}

func (s *simStore) Put(kind mmapcas.Kind, payload []byte) (Hash, bool, error) {
	s.s.point()
	h, fresh, err := s.fakeStore.Put(kind, payload)
	s.shade(h)
	return h, fresh, err
}

func (s *simStore) PutNew(kind mmapcas.Kind, payload []byte) (Hash, bool, error) {
	return s.Put(kind, payload)
}

func (s *simStore) PutBatch(kind mmapcas.Kind, payloads [][]byte, out []Hash) ([]Hash, error) {
	s.s.point()
	from := len(out)
	out, err := s.fakeStore.PutBatch(kind, payloads, out)
	s.shade(out[from:]...)
	return out, err
}

// simMistake makes collections forget what was put while they ran. It shows what becomes of a
// simulation that fails.
var simMistake bool

func (s *simStore) shade(names ...Hash) {
	if simMistake {
		return
	}
	if s.put != nil {
		for _, h := range names {
			s.put[h] = true
		}
	}
}

func (s *simStore) View(h Hash, fn func(kind mmapcas.Kind, payload []byte) error) error {
	s.s.point()
	return s.fakeStore.View(h, fn)
}

func (s *simStore) HasAll(names []Hash) int {
	s.s.point()
	return s.fakeStore.HasAll(names)
}

// CommitCovered comes with the turn held, until covered is called.
func (s *simStore) CommitCovered(note []byte, covered func()) error {
	if !s.s.o.Durable { // else noteMu is held too
		s.s.point()
	}
	return s.fakeStore.CommitCovered(note, covered)
}

// point is where the running task may be interrupted, unless it holds the turn. Nobody else can
// hold it: no task is interrupted with it.
func (s *simulation) point() {
	t := s.task
	if t == nil || !s.d.turn.TryLock() {
		return
	}
	s.d.turn.Unlock()
	t.Yield()
	s.task = t
}

func (s *simulation) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("step %d: "+format, append([]any{s.steps}, args...)...)
	}
	s.over = true
}

// open opens what is left and compares it with what must be: the state of a generation from the
// first to the last.
func (s *simulation) open(st *fakeStore, first, last uint64) {
	s.counts.opened++
	s.task = nil
	s.st = &simStore{fakeStore: st, s: s}
	d, err := open(s.st, s.o)
	if err != nil {
		s.fail("open: %v", err)
		return
	}
	s.d = d
	found := new(simState)
	for i, name := range []string{"p", "q"} {
		if s.parts[i], err = d.Partition(name, false); err != nil {
			s.fail("%v", err)
			return
		}
		err := d.LatestRange(s.parts[i], "", "", false, func(k string, h Hash) bool {
			found[i][s.at(k)] = s.number[h]
			if !st.Has(h) {
				s.fail("after opening %q names value %d, which a collection has taken", k, s.number[h])
			}
			return true
		})
		if err != nil {
			s.fail("%v", err)
			return
		}
	}
	gen, is := d.Generation(), last
	for is > first && *s.history[is] != *found {
		is--
	}
	s.counts.lost += int(last - is)
	if *s.history[is] != *found || gen < is || first == last && gen != last {
		s.fail("after opening at generation %d: the state is that of no generation from %d to %d", gen, first, last)
		return
	}
	s.history = map[uint64]*simState{gen: found}
	s.newest, s.seen, s.certain = gen, gen, 0
	d.OnCommit(s.observe)
	if err := d.Checkpoint(context.Background()); err != nil {
		s.fail("%v", err)
	}
	s.certain = gen
}

const simKind = 32

// value puts a value, which a collection or the power may have taken.
func (s *simulation) value(number int) Hash {
	h, _, err := s.st.fakeStore.Put(simKind, fmt.Append(nil, number))
	if err != nil {
		s.fail("%v", err)
	}
	s.st.shade(h)
	return h
}

// session says that a task is between its first put and the end of its commit.
func (s *simulation) session() (end func()) {
	s.begun++
	n := s.begun
	s.sessions[n] = true
	return func() { delete(s.sessions, n) }
}

// drain waits until all sessions that are open have ended.
func (s *simulation) drain() {
	until := s.begun
	for open := true; open && !s.over; {
		open = false
		for n := range s.sessions {
			open = open || n <= until
		}
		s.point()
	}
}

func (s *simulation) at(key string) (i int) {
	_, _ = fmt.Sscanf(key[1:], "%d", &i)
	return i
}

// observe is told of each generation, in order, and derives its state from the one before.
func (s *simulation) observe(res Result) {
	gen, changes := res.Gen, res.Changes
	if gen != s.newest+1 {
		s.fail("generation %d is told after %d", gen, s.newest)
		return
	}
	if now := s.d.Generation(); now < gen {
		s.fail("generation %d is told of while %d is the newest", gen, now)
	}
	next := *s.history[s.newest]
	for i, c := range changes {
		v := &next[c.Part-s.parts[0]][s.at(c.Key)]
		if s.number[c.Old] != *v || c.Old == c.New {
			s.fail("generation %d: %q from %v to %v, was value %d", gen, c.Key, c.Old, c.New, *v)
		}
		if i > 0 && changes[i-1].Part == c.Part && changes[i-1].Key >= c.Key {
			s.fail("generation %d: %q after %q", gen, c.Key, changes[i-1].Key)
		}
		*v = s.number[c.New]
	}
	s.history[gen] = &next
	s.newest = gen
	if gen%1000 == 0 {
		keep := min(s.d.OldestSnapshot(), s.certain, gen-500)
		for g := range s.history {
			if g < keep {
				delete(s.history, g)
			}
		}
	}
}

// ops makes a chunk. dangling: it names a record that is not there.
func (s *simulation) ops(rng *rand.Rand, dangling bool) (ops []Op) {
	verbs, n := 10, 6
	if rng.IntN(2) == 0 {
		verbs, n = 0, 2 // an edit
	}
	for range 1 + rng.IntN(n) {
		op := Op{Part: s.parts[rng.IntN(2)], Key: s.keys[rng.IntN(simKeys)]}
		verb := 9
		if verbs > 0 {
			verb = rng.IntN(verbs)
		}
		switch verb {
		case 0:
			op.Verb, op.Key = ClearPrefix, op.Key[:2+rng.IntN(2)] // ten keys, or one
		case 1, 2, 3:
			op.Verb = Delete
		default:
			op.Verb, op.Hash = Put, s.value(1+rng.IntN(simValues))
		}
		ops = append(ops, op)
		if op.Verb != ClearPrefix && rng.IntN(2) == 0 { // the same in the other partition
			op.Part = s.parts[0] + s.parts[1] - op.Part
			ops = append(ops, op)
		}
	}
	if dangling {
		ops = append(ops, Op{s.parts[0], s.keys[0], Put, hashOf(-1)})
	}
	return ops
}

// applied is the meaning of a chunk.
func (s *simulation) applied(st simState, ops []Op) simState {
	for _, op := range ops {
		m := &st[op.Part-s.parts[0]]
		switch op.Verb {
		case Put:
			m[s.at(op.Key)] = s.number[op.Hash]
		case Delete:
			m[s.at(op.Key)] = 0
		case ClearPrefix:
			for i, k := range s.keys {
				if k[:len(op.Key)] == op.Key {
					m[i] = 0
				}
			}
		}
	}
	return st
}

// commit is DB.Commit, interrupted between queueing and taking the turn.
func (s *simulation) commit(ops []Op) (Result, error) {
	b := new(workbench)
	plans, err := b.plan(ops, s.d.catalog.Load())
	if err != nil {
		return Result{}, err
	}
	p := &pending{ctx: context.Background(), plans: plans, there: b.allThere(s.d.st, plans)}
	s.d.queueMu.Lock()
	s.d.queue = append(s.d.queue, p)
	s.d.queueMu.Unlock()
	s.point()
	s.d.turn.Lock()
	defer s.d.turn.Unlock()
	if p.done {
		s.counts.combined++
	} else {
		s.d.drain()
	}
	return p.res, p.err
}

func (s *simulation) write(rng *rand.Rand) {
	dangling := rng.IntN(20) == 0
	defer s.session()()
	ops := s.ops(rng, dangling)
	run := s.commit
	if rng.IntN(4) == 0 {
		run = func(ops []Op) (Result, error) { return s.d.Commit(context.Background(), ops) }
	}
	begun := s.seen
	res, err := run(ops)
	if dangling {
		if !errors.Is(err, ErrDangling) {
			s.fail("a commit that names a record that is not there: %v", err)
		}
		return
	}
	if err != nil {
		s.fail("commit: %v", err)
		return
	}
	after, before := s.history[res.Gen], s.history[res.Gen]
	if len(res.Changes) > 0 {
		s.counts.commits++
		before = s.history[res.Gen-1]
	} else {
		s.counts.unchanged++
	}
	if before == nil || after == nil || res.Gen < begun {
		s.fail("commit answers generation %d, %d was there before", res.Gen, begun)
		return
	}
	if s.applied(*before, ops) != *after {
		s.fail("generation %d is not what %v makes of the one before", res.Gen, ops)
	}
	s.seen = max(s.seen, res.Gen)
	if s.o.Durable {
		s.certain = max(s.certain, res.Gen)
	}
}

// read compares what a snapshot shows with the state of its generation.
func (s *simulation) read(rng *rand.Rand, snap *Snapshot) {
	want := s.history[snap.Gen()]
	if want == nil {
		s.fail("a snapshot of generation %d, the newest is %d", snap.Gen(), s.newest)
		return
	}
	i := rng.IntN(2)
	for range 2 { // one partition, then the other, with others at work between
		part, m := s.parts[i], want[i]
		i = 1 - i
		var err error
		switch rng.IntN(4) {
		case 0:
			k := rng.IntN(simKeys)
			h, ok, e := snap.Get(part, s.keys[k])
			if err = e; s.number[h] != m[k] || ok != (m[k] != 0) {
				s.fail("generation %d: %q is %v, want value %d", snap.Gen(), s.keys[k], h, m[k])
			}
		case 1:
			n, e := snap.Count(part, "", "")
			for _, v := range m {
				if v != 0 {
					n--
				}
			}
			if err = e; n != 0 {
				s.fail("generation %d: %d keys too many", snap.Gen(), int64(n))
			}
		case 2:
			var got [simKeys]int16
			err = snap.Scan(part, Span{Reverse: rng.IntN(2) == 0}, func(k string, h Hash) bool {
				got[s.at(k)] = s.number[h]
				if rng.IntN(8) == 0 {
					s.point()
				}
				return true
			})
			if err == nil && got != m {
				s.fail("generation %d: %v, want %v", snap.Gen(), got, m)
			}
		case 3:
			c := snap.Cursor(part, Prefix(s.keys[rng.IntN(simKeys)][:2]))
			for c.Next() {
				if k := s.at(c.Key()); s.number[c.Hash()] != m[k] {
					s.fail("generation %d: %q is %v, want value %d", snap.Gen(), c.Key(), c.Hash(), m[k])
				}
				s.point()
			}
			err = c.Err()
		}
		if err != nil {
			s.fail("generation %d: %v", snap.Gen(), err)
			return
		}
		s.point()
	}
}

func (s *simulation) snapshot(rng *rand.Rand) (snap *Snapshot) {
	s.counts.snapshots++
	if back := rng.Uint64N(6); back > 0 && s.newest > back {
		snap, err := s.d.SnapshotAt(s.newest - back)
		switch {
		case err == nil:
			return snap
		case !errors.Is(err, ErrGone) || back <= uint64(s.o.History) && s.history[s.newest-back] != nil:
			s.fail("generation %d of %d, history %d: %v", s.newest-back, s.newest, s.o.History, err)
		}
	}
	snap = s.d.Snapshot()
	if snap.Gen() < s.seen || snap.Gen() > s.newest {
		s.fail("a snapshot of generation %d, while %d has returned and %d is newest", snap.Gen(), s.seen, s.newest)
	}
	return snap
}

// chores makes a checkpoint or removes what the database does not claim.
func (s *simulation) chores(rng *rand.Rand) {
	if rng.IntN(4) > 0 {
		gen := s.newest
		if err := s.d.Checkpoint(context.Background()); err != nil {
			s.fail("checkpoint: %v", err)
		}
		s.certain = max(s.certain, gen)
		s.counts.checkpoints++
		return
	}
	s.st.put = map[Hash]bool{}
	defer func() { s.st.put = nil }()
	if s.drain(); s.over {
		return // given up
	}
	roots := s.d.Roots()
	live := map[Hash]bool{}
	trace := func(grey []Hash, refs func(mmapcas.Kind, []byte) []Hash) {
		for len(grey) > 0 {
			h := grey[len(grey)-1]
			grey = grey[:len(grey)-1]
			if live[h] {
				continue
			}
			live[h] = true
			err := s.st.View(h, func(kind mmapcas.Kind, payload []byte) error {
				grey = append(grey, refs(kind, payload)...)
				return nil
			})
			if err != nil {
				s.fail("tracing %v: %v", h, err)
			}
		}
	}
	trace(roots.Live, Refs)
	trace(roots.Bare, BareRefs)
	if err := s.d.Settle(roots); err != nil {
		s.fail("settle: %v", err)
	}
	s.counts.swept += s.st.sweep(func(h Hash) bool { return live[h] || s.st.put[h] })
	s.counts.sweeps++
}

// act is the body of a task.
func (s *simulation) act(number int, rng *rand.Rand) func(*sched.Task) error {
	return func(t *sched.Task) error {
		s.task = t
		var held []*Snapshot
		defer func() {
			for _, snap := range held {
				snap.Release()
			}
		}()
		for !s.over {
			s.steps++
			switch {
			case number == 0:
				s.chores(rng)
			case number%2 == 1:
				s.write(rng)
			case len(held) < 3 && rng.IntN(3) == 0:
				held = append(held, s.snapshot(rng))
			case len(held) > 0 && rng.IntN(4) == 0:
				i := rng.IntN(len(held))
				held[i].Release()
				held = append(held[:i], held[i+1:]...)
			case len(held) > 0:
				s.read(rng, held[rng.IntN(len(held))])
			}
			s.point()
		}
		return nil
	}
}

// live runs tasks over the open database for so many steps, and leaves it by closing, a kill, or a
// power cut.
func (s *simulation) live(rng *rand.Rand, steps int) (digest uint64) {
	pool, err := sched.New(sched.Options{Workers: 1 + rng.IntN(4), Logger: quiet, Deterministic: &sched.Deterministic{Seed: rng.Uint64(), KeepAtWake: true}})
	if err != nil {
		s.fail("%v", err)
		return 0
	}
	s.over = false
	for i := range 3 + rng.IntN(simTasks-2) {
		if _, err := pool.Submit(context.Background(), sched.Spec{Lane: lane.Default}, s.act(i, rng)); err != nil {
			s.fail("%v", err)
		}
	}
	until := s.steps + steps
	pool.Simulate(func() bool { return s.over || s.steps >= until || s.choices.Over() })
	var (
		left        *fakeStore
		first, last = s.newest, s.newest
	)
	switch rng.IntN(4) {
	case 0:
		left = s.st.crash()
	case 1: // and the newest root is damaged: the one before must do
		left = s.st.crash()
		if n, err := decodeNote(left.note); err == nil && !n.before.IsZero() && n.before != n.root {
			left.damage(n.root, false)
			s.counts.damaged++
		}
	case 2:
		first, left = s.certain, s.st.cutPower(rng)
	}
	history := s.history
	s.history = make(map[uint64]*simState, len(history)) // what the tasks do from here on happens to nobody
	for g, st := range history {
		s.history[g] = st
	}
	s.over = true
	if err := pool.Close(context.Background()); err != nil {
		s.fail("%v", err)
	}
	_, digest = pool.Choices()
	s.task = nil
	if err := s.d.Close(context.Background()); err != nil {
		s.fail("%v", err)
	}
	if n := s.d.Snapshots(); n != 0 && s.err == nil {
		s.fail("%d snapshots are held, all were released", n)
	}
	if s.err != nil {
		return digest
	}
	if left == nil {
		left, first, last = s.st.fakeStore, s.newest, s.newest
	} else {
		s.history = history
	}
	s.open(left, first, last)
	return digest
}

// simulate runs a whole simulation and returns a digest of all its choices.
func simulate(seed uint64, steps int) (s *simulation, digest uint64) {
	return simulateOn(tape.Record(rand.NewPCG(seed, 0x73696d)), steps)
}

// simulateOn is simulate with choices of a tape, at whose end the simulation ends, too. The tasks
// share it: one runs at a time, and which one is a matter of choices, too.
func simulateOn(choices *tape.Tape, steps int) (s *simulation, digest uint64) {
	rng := rand.New(choices)
	s = &simulation{choices: choices, number: map[Hash]int16{{}: 0}, sessions: map[int]bool{}, history: map[uint64]*simState{0: {}}}
	s.o = Options{
		fan:               []int{2, 4, 9}[rng.IntN(3)],
		CheckpointCommits: -1,
		CheckpointBytes:   -1,
		CacheBytes:        []int64{-1, 1}[rng.IntN(2)],
		Durable:           rng.IntN(2) == 0,
		History:           rng.IntN(4),
		Logger:            quiet,
	}
	st := newFake()
	for i := range s.keys {
		s.keys[i] = fmt.Sprintf("k%02d", i)
	}
	for i := range simValues {
		s.number[mmapcas.HashOf(simKind, fmt.Append(nil, i+1))] = int16(i + 1)
	}
	if s.open(st, 0, 0); s.err != nil {
		return s, 0
	}
	for s.err == nil && s.steps < steps && !choices.Over() {
		digest = digest*31 + s.live(rng, min(1+rng.IntN(simLife), steps-s.steps))
	}
	if s.d != nil {
		_ = s.d.Close(context.Background())
	}
	return s, digest
}

// TestSimulation: writers, readers of the present and the past, snapshots that are held,
// checkpoints and collections, as tasks of the deterministic scheduler, with kills and power cuts
// between; every generation, every answer and every read against plain arrays.
func TestSimulation(t *testing.T) {
	seed, steps, each := *simSeed, *simSteps, 20_000
	if steps == 0 {
		if steps = 40_000; raceEnabled {
			steps = 6000
		}
	}
	if seed == 0 {
		seed = rand.Uint64()
	} else {
		steps = min(steps, each)
	}
	if raceEnabled {
		each = 3000
	}
	var sum simulation
	for done := 0; done < steps; seed++ {
		n := min(each, steps-done)
		s, _ := simulate(seed, n)
		if s.err != nil {
			less := shorterSimulation(s.choices.Numbers(), n)
			t.Fatalf("replay with -sim.seed=%d -sim.steps=%d, or the shortest that fails, with -run TestSimulationOfTape -sim.tape=%s: %v", seed, n, tape.Text(less), s.err)
		}
		done += s.steps
		sum.steps += s.steps
		c, all := s.counts, &sum.counts
		all.commits += c.commits
		all.unchanged += c.unchanged
		all.combined += c.combined
		all.snapshots += c.snapshots
		all.checkpoints += c.checkpoints
		all.sweeps += c.sweeps
		all.swept += c.swept
		all.opened += c.opened
		all.lost += c.lost
		all.damaged += c.damaged
	}
	t.Logf("%d steps: %+v", sum.steps, sum.counts)
	if c := sum.counts; c.combined == 0 || c.swept == 0 || c.checkpoints == 0 || c.snapshots == 0 || c.unchanged == 0 {
		t.Error("something never happens")
	}
}

// shorterSimulation leaves out choices of a simulation as long as it fails.
func shorterSimulation(choices []uint64, steps int) []uint64 {
	return tape.Shorter(choices, 1500, func(less []uint64) bool {
		s, _ := simulateOn(tape.Play(less), steps)
		return s.err != nil
	})
}

// TestSimulationOfTape runs the simulation of -sim.tape.
func TestSimulationOfTape(t *testing.T) {
	if *simTape == "" {
		t.Skip("no -sim.tape")
	}
	choices, err := tape.Parse(*simTape)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := simulateOn(tape.Play(choices), 20_000)
	t.Logf("%d steps: %+v", s.steps, s.counts)
	if s.err != nil {
		t.Fatal(s.err)
	}
}

// A simulation that fails becomes a few steps that fail again when they are played, and do not
// without the mistake.
func TestFailingSimulationBecomesShort(t *testing.T) {
	simMistake = true
	defer func() { simMistake = false }()
	seed := *simSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	for ; ; seed++ {
		s, _ := simulate(seed, 20_000)
		if s.err == nil {
			continue
		}
		t.Logf("replay with -sim.seed=%d", seed)
		less := shorterSimulation(s.choices.Numbers(), 20_000)
		again, _ := simulateOn(tape.Play(less), 20_000)
		t.Logf("%d choices of %d, %d steps of %d: %v", len(less), len(s.choices.Numbers()), again.steps, s.steps, again.err)
		if again.err == nil {
			t.Error("it does not fail again")
		}
		if again.steps > 100 {
			t.Errorf("%d steps are left", again.steps)
		}
		simMistake = false
		if right, _ := simulateOn(tape.Play(less), 20_000); right.err != nil {
			t.Errorf("without the mistake: %v", right.err)
		}
		return
	}
}

func TestSimulationRepeats(t *testing.T) {
	for seed := range uint64(2) {
		a, da := simulate(seed, 3000)
		b, db := simulate(seed, 3000)
		if a.err != nil || b.err != nil {
			t.Fatal(a.err, b.err)
		}
		if da != db || a.counts != b.counts || a.newest != b.newest {
			t.Errorf("seed %d: digests %x and %x, %+v and %+v", seed, da, db, a.counts, b.counts)
		}
	}
}
