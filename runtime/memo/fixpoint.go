package memo

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
)

// A Fixpoint says that a query may need its own result, and what that means: the least values that
// satisfy the functions of all keys of the cycle. See "Fixpoints".
type Fixpoint struct {
	// What these return is kept, with the payload, as long as the cycle is not closed.

	// Initial returns the least value of a key.
	Initial func(key string) (Result, error)

	// Join returns the least value that is no less than two others.
	Join func(key string, a, b Result) (Result, error)

	// StepsMax is how often the value of a key may grow.
	StepsMax int
}

// ErrDiverges is matched by every DivergenceError.
var ErrDiverges = errors.New("memo: no fixpoint within the bound")

// A DivergenceError says that the value of a key of a cycle went on growing.
type DivergenceError struct {
	Query, Key string
	Where      string // the file and line where the query is made; "" if that is not known
	Steps      int    // how often it has grown, which is the bound
}

func (e *DivergenceError) Error() string {
	where := ""
	if e.Where != "" {
		where = " [" + e.Where + "]"
	}
	return fmt.Sprintf("memo: the value of %s(%s)%s grew %d times: %v", e.Query, e.Key, where, e.Steps, ErrDiverges)
}

// Is reports whether target is ErrDiverges.
func (e *DivergenceError) Is(target error) bool { return target == ErrDiverges }

// A fixing is what a strand has found of cycles that are not closed yet.
type fixing struct {
	members map[*entry]*member
	order   []*member // those that are complete, as they completed
	queue   []*member // to be looked at by the head that goes round
	damage  uint32    // Table.damage when it began
	end     func()    // of the session in which its records are put
}

// A member is a key with a provisional value: the strand evaluates it and was asked for it
// meanwhile, or it is complete.
type member struct {
	entry    *entry
	flight   *flight
	complete bool // its function has returned; its flight is claimed still

	value  Result
	result mmapcas.Hash // of value
	holder *trace       // has value, and is tainted
	steps  int          // how often value has grown

	err     error     // of the last run
	rests   []rest    // of the last run
	readers []*member // of which the last run may have read value
	queued  bool

	// Of all runs.
	ever    []rest
	passes  []pass
	account account // the stamps and the walls only
	parts   partSet
	tainted bool
	cyclic  bool

	unstored bool // once it is final
}

// A rest says that a run has read a provisional value.
type rest struct {
	member *member
	result mmapcas.Hash
}

// A pass is what a run of a member's function read elsewhere.
type pass struct {
	began uint64 // the strand's count of runs
	reads []read
	from  []*source
}

// lower returns the lower of two indices of flights, of which 0 is none.
func lower(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// low returns the lowest flight that the value is known to rest on.
func (m *member) low() uint64 {
	if m.complete {
		return m.flight.low
	}
	return m.flight.index
}

// reenter answers a read of a key that the strand evaluates: with its provisional value if its
// query is one of cycles, or with a CycleError.
func (t *Table) reenter(fr *Frame, f *flight) (holding, error) {
	if f.entry.query.Fixpoint == nil {
		return holding{entry: f.entry}, fr.closed(f)
	}
	m, err := t.member(fr.strand, f)
	if err != nil {
		return holding{entry: f.entry}, err
	}
	return fr.provisional(m), nil
}

// provisional answers a read with a provisional value.
func (fr *Frame) provisional(m *member) holding {
	fr.low = lower(fr.low, m.low())
	return holding{entry: m.entry, trace: m.holder, member: m}
}

// restsOn records an answer if it is provisional, and reports whether it is.
func (fr *Frame) restsOn(found *holding) bool {
	if found.member == nil {
		return false
	}
	if fr.recording {
		fr.rests = append(fr.rests, rest{found.member, found.trace.result})
	}
	return true
}

// member returns the member of a flight of the strand, with the initial value if it is new.
func (t *Table) member(s *Strand, f *flight) (*member, error) {
	if f.member != nil {
		return f.member, nil
	}
	e := f.entry
	value, err := guarded(func() (Result, error) { return e.query.Fixpoint.Initial(e.key()) })
	if err != nil {
		return nil, fmt.Errorf("memo: the initial value of %s: %w", e.query.show(e.key()), err)
	}
	if s.fix == nil {
		s.fix = &fixing{members: map[*entry]*member{}, damage: t.damage.Load(), end: t.o.Session()}
	}
	m := &member{entry: e, flight: f}
	m.set(value)
	s.fix.members[e], f.member = m, m
	return m, nil
}

// guarded calls what a query was defined with. A panic is an error.
func guarded(fn func() (Result, error)) (res Result, err error) {
	defer caught(&err)
	return fn()
}

func (m *member) set(value Result) {
	m.value, m.result = value, resultName(value.Kind, value.Payload)
	m.holder = &trace{result: m.result, tainted: true}
	m.holder.hasValue(value.Value)
}

// stale reports whether the last run of m read a value that is another now.
func (m *member) stale() bool {
	return slices.ContainsFunc(m.rests, func(r rest) bool { return r.member.result != r.result })
}

// absorb takes up what a run of m gave, and reports whether the value has grown.
func (m *member) absorb(fr *Frame, res Result, err error) (grown bool) {
	if !slices.EqualFunc(m.rests, fr.rests, func(a, b rest) bool { return a.member == b.member }) {
		m.ever = append(m.ever, fr.rests...)
	}
	m.rests, m.err = fr.rests, err
	for _, r := range fr.rests {
		r.member.readers = append(r.member.readers, m)
	}
	c := &fr.recorder
	if n := len(m.passes); n == 0 || !slices.EqualFunc(m.passes[n-1].reads, c.reads, sameRead) {
		m.passes = append(m.passes, pass{fr.began, slices.Clone(c.reads), slices.Clone(c.from)})
	}
	m.account.stamps |= fr.account.stamps
	m.account.walls |= fr.account.walls
	m.parts |= fr.parts
	m.tainted = m.tainted || fr.tainted
	m.cyclic = m.cyclic || fr.cyclic
	if err != nil {
		return false // it adds nothing
	}
	if res, m.err = guarded(func() (Result, error) {
		return m.entry.query.Fixpoint.Join(m.entry.key(), m.value, res)
	}); m.err != nil {
		m.err = fmt.Errorf("memo: joining values of %s: %w", m.entry.query.show(m.entry.key()), m.err)
		return false
	}
	if resultName(res.Kind, res.Payload) == m.result {
		return false
	}
	m.set(res)
	m.steps++
	return true
}

func sameRead(a, b read) bool { return a.same(&b) && a.hash == b.hash }

// fixpoint takes up a run of f's function, in frame fr, that has read provisional values. It
// returns the provisional trace of a flight that rests on one below it, or goes round until nothing
// changes.
func (t *Table) fixpoint(f *flight, fr *Frame, res Result, err error, took time.Duration, why Reason) (*trace, error) {
	s, e := fr.strand, f.entry
	if e.query.Fixpoint == nil {
		f.cyclic = true
		err = fr.around()
		e.query.Counts.Failed.Add(1)
		e.explain(failure(err))
		return nil, err
	}
	fr.ended(err, took)
	m, errInitial := t.member(s, f)
	if errInitial != nil {
		return nil, errInitial
	}
	m.absorb(fr, res, err)
	if f.low < f.index {
		return s.fix.completes(m), nil
	}
	return t.goRound(f, fr, why)
}

// ended counts a run of a member's function.
func (fr *Frame) ended(err error, took time.Duration) {
	if t, e := fr.table, fr.entry; t.traces() {
		cause := "on the way to a fixpoint"
		if err != nil {
			cause = failure(err).String()
		}
		t.happened(WasRun, e.query, e.key(), took, cause)
	}
	if fr.looked && fr.strand.Task.Err() != nil {
		fr.tainted = true
	}
	if c := &fr.entry.query.Counts; err == nil {
		c.Ran.Add(1)
	} else {
		c.Failed.Add(1)
	}
}

func (x *fixing) completes(m *member) *trace {
	m.complete = true
	e := m.entry
	e.mu.Lock()
	m.flight.running = false // what it reads from now on, others do
	e.mu.Unlock()
	x.order = append(x.order, m)
	return m.holder
}

func (x *fixing) look(members ...*member) {
	for _, m := range members {
		if !m.queued {
			m.queued = true
			x.queue = append(x.queue, m)
		}
	}
}

// above returns where in order the members begin that completed while f was evaluated.
func (x *fixing) above(f *flight) int {
	i := len(x.order)
	for i > 0 && x.order[i-1].flight.index > f.index {
		i--
	}
	return i
}

// goRound runs what f's cycle consists of until no value changes. f rests on nothing below it.
func (t *Table) goRound(f *flight, fr *Frame, why Reason) (*trace, error) {
	s, x, m := fr.strand, fr.strand.fix, f.member
	outer := x.queue
	x.queue = nil
	defer func() {
		for _, m := range x.queue {
			m.queued = false
		}
		x.queue = outer
	}()
	known := x.above(f)
	x.look(m)
	for {
		x.look(x.order[known:]...)
		known = len(x.order)
		if len(x.queue) == 0 {
			break
		}
		next := x.queue[0]
		x.queue = x.queue[1:]
		next.queued = false
		if !next.stale() || x.members[next.entry] != next {
			continue
		}
		if err := s.Task.Err(); err != nil {
			return nil, fmt.Errorf("%w: %w", errAbandoned, err)
		}
		low, err := t.again(fr, next)
		if s.unwinding {
			return nil, errUnwound
		}
		if err != nil {
			return nil, err
		}
		if f.low = lower(f.low, low); f.low < f.index {
			return x.completes(m), nil
		}
	}
	return t.close(f, fr, why)
}

// again runs the function of a member once more.
func (t *Table) again(fr *Frame, m *member) (low uint64, err error) {
	s, q := fr.strand, m.entry.query
	round := fr.child(m.entry, true)
	defer round.release()
	round.round = true
	defer round.enter()()
	began := t.begun()
	res, err := q.eval(round, m.entry.key())
	if s.unwinding {
		return 0, nil
	}
	var took time.Duration
	if !began.IsZero() {
		took = time.Since(began)
	}
	round.ended(err, took)
	if m.absorb(round, res, err) {
		s.fix.look(m.readers...)
		if most := q.Fixpoint.StepsMax; m.steps > most {
			return 0, &DivergenceError{Query: q.Name, Key: q.ShowKey(m.entry.key()), Where: q.Where, Steps: most}
		}
	}
	return round.low, nil
}

// close makes what f's cycle has come to final: all members answer for good, or f fails and the
// others are abandoned.
func (t *Table) close(f *flight, fr *Frame, why Reason) (*trace, error) {
	x, m := fr.strand.fix, f.member
	all := m.reach(func(o *member) []rest { return o.rests })
	ever := m.reach(func(o *member) []rest { return o.ever })
	tainted, failing := false, (*member)(nil)
	for _, o := range ever {
		tainted = tainted || o.tainted
		f.cyclic = f.cyclic || o.cyclic
	}
	for _, o := range all {
		if o.err != nil && (failing == nil || o.entry.compare(failing.entry) < 0) {
			failing = o
		}
	}
	if failing != nil {
		err := fmt.Errorf("memo: fixpoint through %s: %w", failing.entry.query.show(failing.entry.key()), failing.err)
		f.entry.explain(failure(err))
		return nil, err
	}
	if !tainted {
		if err := t.keepAll(all); err != nil {
			return nil, err
		}
	}
	var tr *trace
	if tainted {
		tr = m.holder
		f.entry.explain(Reason{Verdict: RanUnkept})
	} else {
		tr = t.publishHead(f, all, ever, x.damage, why)
	}
	for _, o := range all[1:] {
		delete(x.members, o.entry)
		o.flight.member, o.flight.cyclic = nil, f.cyclic
		if tainted {
			o.entry.explain(Reason{Verdict: RanUnkept})
			o.flight.finish(o.holder, nil)
		} else {
			o.flight.finish(t.publishMember(f, o, tr, x.damage), nil)
		}
		fr.note(o.flight)
	}
	x.order = slices.DeleteFunc(x.order, func(o *member) bool { return x.members[o.entry] != o })
	return tr, nil
}

// reach returns m and what it rests on, directly or not.
func (m *member) reach(rests func(*member) []rest) []*member {
	all, seen := []*member{m}, map[*member]bool{m: true}
	for i := 0; i < len(all); i++ {
		for _, r := range rests(all[i]) {
			if !seen[r.member] {
				seen[r.member] = true
				all = append(all, r.member)
			}
		}
	}
	return all
}

// compare orders entries by query and key.
func (e *entry) compare(o *entry) int {
	return cmp.Or(cmp.Compare(e.query.Name, o.query.Name), cmp.Compare(e.key(), o.key()))
}

// keepAll stores the values of members.
func (t *Table) keepAll(all []*member) error {
	for _, m := range all {
		var err error
		if _, m.unstored, err = t.keepOrHold(m.entry.query, &m.value); err != nil {
			return fmt.Errorf("memo: storing the result of %s: %w", m.entry.query.show(m.entry.key()), err)
		}
		for _, ref := range m.value.Refs {
			t.o.Shade(ref)
		}
	}
	return nil
}

// publishHead makes the trace of the head of a cycle: what all runs of all members read elsewhere,
// and all values.
func (t *Table) publishHead(f *flight, all, ever []*member, damage uint32, why Reason) *trace {
	e := f.entry
	var (
		passes []pass
		parts  partSet
		a      account
		rec    recorder
	)
	inside := map[*source]bool{}
	for _, m := range ever {
		passes = append(passes, m.passes...)
		parts |= m.parts
		a.stamps |= m.account.stamps
		a.walls |= m.account.walls
		inside[&m.entry.source] = true
	}
	slices.SortStableFunc(passes, func(a, b pass) int { return cmp.Compare(a.began, b.began) })
	rec.follow(e.linkedBefore())
	for _, p := range passes {
		for i, r := range p.reads {
			if !inside[p.from[i]] {
				rec.add(r, p.from[i])
			}
		}
	}
	tr, made := t.newTrace(f.member, &rec, parts, damage)
	tr.group = groupOf(all)
	t.linkRun(&a, e, tr.reads, &rec, made)
	f.vouch = a.publish(&tr.firstInterval, e, tr, f.gen)
	t.add(e, tr, why)
	return tr
}

// publishMember makes the trace of a member: the head gave it this value.
func (t *Table) publishMember(head *flight, m *member, of *trace, damage uint32) *trace {
	h, e := head.entry, m.entry
	var rec recorder
	rec.add(read{kind: readMember, about: h.query.about, key: h.key(), hash: m.result}, &h.source)
	tr, made := t.newTrace(m, &rec, of.readParts(), damage)
	var a account
	a.add(&holding{entry: h, vouch: head.vouch})
	t.linkRun(&a, e, tr.reads, &rec, made)
	m.flight.vouch = a.publish(&tr.firstInterval, e, tr, head.gen)
	t.add(e, tr, Reason{Verdict: RanChanged, Read: t.describe(&tr.reads[0])})
	return tr
}

// newTrace returns the trace of a member whose value is final.
func (t *Table) newTrace(m *member, rec *recorder, parts partSet, damage uint32) (*trace, []*source) {
	tr, made := newTrace(rec)
	tr.result, tr.run = m.result, t.runs.Add(1)
	tr.dependsOn(parts)
	tr.soundAt.Store(damage)
	t.hold(tr, &m.value, m.unstored)
	return tr, made
}

// drop gives up what completed while f was evaluated, which has ended without them, and f's own
// membership.
func (s *Strand) drop(f *flight) {
	x := s.fix
	if x == nil {
		return
	}
	at := x.above(f)
	for _, m := range x.order[at:] {
		x.abandon(m)
	}
	clear(x.order[at:])
	x.order = x.order[:at]
	if m := f.member; m != nil {
		x.order = slices.DeleteFunc(x.order, func(o *member) bool { return o == m })
		delete(x.members, m.entry)
		f.member = nil
	}
	if len(x.members) == 0 {
		x.end()
		s.fix = nil
	}
}

// dropAll gives up all members.
func (s *Strand) dropAll() {
	x := s.fix
	if x == nil {
		return
	}
	for _, m := range x.order {
		x.abandon(m)
	}
	for _, m := range x.members { // on the path, which is given up, too
		m.flight.member = nil
	}
	x.end()
	s.fix = nil
}

func (x *fixing) abandon(m *member) {
	delete(x.members, m.entry)
	m.flight.member = nil
	m.flight.abandon()
}

// around is the error of a query that needs itself through members although it is not one of
// cycles. The path leads from it, or from the member that is run again, through the frames to the
// end of the run in fr, and through what members read back to its beginning.
func (fr *Frame) around() error {
	var frames []*entry
	stop := false
	for x := fr; x != nil && x.entry != nil && !stop; x = x.parent {
		frames = append(frames, x.entry)
		stop = x.round
	}
	if !stop {
		frames = frames[:0]
		fr.strand.above(fr, func(e *entry) bool {
			frames = append(frames, e)
			return true
		})
	}
	at := func(m *member) int {
		if stop {
			if m.entry == frames[len(frames)-1] {
				return len(frames) - 1
			}
			return -1
		}
		return slices.Index(frames, m.entry)
	}
	type hop struct {
		m    *member
		from int // in hops; -1: the run
	}
	var hops []hop
	seen := map[*member]bool{}
	add := func(rests []rest, from int) {
		for _, r := range rests {
			if !seen[r.member] {
				seen[r.member] = true
				hops = append(hops, hop{r.member, from})
			}
		}
	}
	add(fr.rests, -1)
	for i := 0; i < len(hops); i++ {
		k := at(hops[i].m)
		if k < 0 {
			add(hops[i].m.rests, i)
			continue
		}
		var path []CycleStep
		for j := i; j >= 0; j = hops[j].from {
			path = append(path, hops[j].m.entry.step())
		}
		slices.Reverse(path) // from what the run read down to where the path begins
		var above []CycleStep
		for _, e := range slices.Backward(frames[:k+1]) {
			above = append(above, e.step())
		}
		return newCycleError(append(above, path...))
	}
	path := []CycleStep{hops[0].m.entry.step()} // frames that nothing leads back to: the least that is so
	for _, e := range frames {
		path = append(path, e.step())
	}
	slices.Reverse(path[1:])
	return newCycleError(append(path[1:], path[0]))
}

// A group is what the trace of the head of a cycle has beside its reads; immutable.
type group struct {
	results  []read // readResult: what each member came to, by query and key
	versions []read // readVersion: of the queries of the members
}

func groupOf(all []*member) *group {
	g := &group{}
	for _, m := range all {
		q := m.entry.query
		g.results = append(g.results, read{kind: readResult, about: q.about, key: m.entry.key(), hash: m.result})
		if !slices.ContainsFunc(g.versions, func(r read) bool { return r.query == q.Name }) {
			g.versions = append(g.versions, read{kind: readVersion, about: q.about, hash: number(uint64(q.Version))})
		}
	}
	slices.SortFunc(g.results, func(a, b read) int { return a.compareResult(b.query, b.key) })
	return g
}

func (r *read) compareResult(query, key string) int {
	return cmp.Or(cmp.Compare(r.query, query), cmp.Compare(r.key, key))
}

// result returns what a key of the cycle came to.
func (g *group) result(e *entry) (h mmapcas.Hash, ok bool) { return g.resultOf(e.query.Name, e.key()) }

func (g *group) resultOf(query, key string) (h mmapcas.Hash, ok bool) {
	if g == nil {
		return h, false
	}
	i, ok := slices.BinarySearchFunc(g.results, query, func(r read, query string) int { return r.compareResult(query, key) })
	if ok {
		h = g.results[i].hash
	}
	return h, ok
}

// of reports whether the group is of the versions that the program's queries have.
func (g *group) of(lookup func(string) *Query) bool {
	return g == nil || !slices.ContainsFunc(g.versions, func(r read) bool {
		q := lookup(r.query)
		return q == nil || number(uint64(q.Version)) != r.hash
	})
}

// headsFirst puts the traces of the head of a cycle before others, those of large cycles first.
// They read nothing of the cycle, so they are verified without a run of a member, which the trace
// of a member may need: that of a head which has been another since. So may that of a smaller
// cycle, the rest of which another cell closed before: it reads the final value of that.
func headsFirst(traces []*trace) {
	size := func(tr *trace) int {
		if tr.group == nil {
			return 0
		}
		return len(tr.group.results)
	}
	if slices.ContainsFunc(traces, func(tr *trace) bool { return tr.group != nil }) {
		slices.SortStableFunc(traces, func(a, b *trace) int { return size(b) - size(a) })
	}
}

// circular reports whether a trace is of a member of a cycle.
func (tr *trace) circular() bool {
	return tr.group != nil || len(tr.reads) == 1 && tr.reads[0].kind == readMember
}
