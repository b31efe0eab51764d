package memo

import "slices"

// A batch is what one All of a run asked for and was given; see "Many keys at once". Immutable. It
// is kept in the cache with the trace of the run.
type batch struct {
	query  *Query
	at, n  int // which reads of the trace
	kept   any // the caller's: keys and values
	bytes  int // of what is kept, estimated
	deep   int // of them, the answers' values
	parts  partSet
	basis  *basis // what the answers rest on, and perhaps more
	damage uint32 // Table.damage when all results were known to be there
}

// A stretch is reads of a run that were taken over from the run before: they were neither asked nor
// linked again.
type stretch struct{ at, n int }

// An Repeat is an All that follows one of the run before. It belongs to the strand, and is used
// before the run reads anything else.
type Repeat struct {
	frame  *Frame
	batch  *batch
	before *trace
	iv     interval  // in which before held, and from which reads can be passed over
	row    []*source // its links
}

// Repeat returns what the run before asked q for at this place, nil if that is not known, or cannot
// be taken over.
func (t *Table) Repeat(fr *Frame, q *Query) *Repeat {
	c := &fr.recorder
	if !fr.records() || fr.replay != nil || fr.strand.fix != nil || c.before == nil || len(c.strays) > 0 {
		return nil
	}
	b := t.cache.batch(c.before, func(b *batch) bool {
		return b.query == q && c.at <= b.at && b.at < c.at+readsAhead
	})
	if b == nil || b.damage != t.damage.Load() {
		return nil
	}
	a := &Repeat{frame: fr, batch: b, before: c.before}
	if a.iv = t.standing(c.before, fr.strand.Snap); a.iv.links == nil || !t.wallsStandUnder(fr, &a.iv) {
		return nil
	}
	a.row = a.iv.links.row(len(c.before.reads))
	return a
}

// wallsStandUnder is wallsStand for what is evaluated in fr, which rests on what the walls rest on
// now (W4).
func (t *Table) wallsStandUnder(fr *Frame, iv *interval) bool {
	if iv.walls == 0 {
		return true
	}
	s := wallCheck{t: t, gen: fr.strand.Snap.Gen(), found: &fr.footing}
	parts, ok := s.stand(iv.walls, iv.to, fr.strand.Snap)
	fr.parts |= parts
	return ok
}

// Kept returns what the caller keeps of the batch (Remember).
func (a *Repeat) Kept() any { return a.batch.kept }

// An Anew is an answer that was asked for, of the key at a place.
type Anew struct {
	Place int
	Answer
}

// An item is a key that has to be asked for.
type item struct{ place, at int } // at: its read in the run before; -1: none

// All answers for the first head keys of the batch, for others, and for the last tail keys of the
// batch, in this order. None of the others is among those, says the caller. It returns the answers
// that are not the batch's, and false, and has done nothing, if they are too many.
func (a *Repeat) All(head int, others []string, tail int, helpersMax int, spawn Spawner) (anew []Anew, ok bool, err error) {
	var (
		b       = a.batch
		headEnd = b.at + head
		tailAt  = b.at + b.n - tail
		items   []item
		keys    []string
		most    = max(b.n/changedMost, 1)
	)
	look := func(from, to, place int) {
		for at := from; at < to && len(items) <= most; at++ {
			if a.row[at].changed.Load() > a.iv.to {
				items = append(items, item{place + at - from, at})
				keys = append(keys, a.before.reads[at].key)
			}
		}
	}
	look(b.at, headEnd, 0)
	for i, key := range others {
		items = append(items, item{head + i, -1})
		keys = append(keys, key)
	}
	look(tailAt, b.at+b.n, head+len(others))
	if len(items) > most {
		return nil, false, nil
	}
	next := b.at // the read of the run before that is to be taken over next
	takeUpTo := func(at int) {
		if next < headEnd {
			end := min(at, headEnd)
			a.take(next, end)
			next = end
		}
		if at > headEnd {
			next = max(next, tailAt)
			a.take(next, at)
			next = max(next, at)
		}
	}
	fr := a.frame
	fr.recorder.carried = 0
	defer func() { fr.recorder.fresh = false }()
	answers, err := fr.table.allBetween(fr, b.query, keys, helpersMax, spawn, func(i int) {
		fr.recorder.fresh = items[i].at < 0
		if fr.recorder.fresh {
			takeUpTo(headEnd)
			return
		}
		takeUpTo(items[i].at)
		next++
	})
	if err != nil {
		return nil, true, err
	}
	takeUpTo(b.at + b.n)
	fr.account.stamps |= a.iv.stamps
	fr.account.walls |= a.iv.walls
	fr.parts |= b.parts
	fr.footing.addBasis(b.basis)
	fr.nested = true
	anew = make([]Anew, len(answers))
	for i := range answers {
		anew[i] = Anew{items[i].place, answers[i]}
	}
	return anew, true, nil
}

// changedMost: with more than one in so many keys to be asked for all of them are, as if for the
// first time.
const changedMost = 4

// take takes reads of the run before over: by R12 they are as they were.
func (a *Repeat) take(from, to int) {
	if from >= to {
		return
	}
	fr, b := a.frame, a.batch
	fr.recorder.take(a.row, from, to)
	fr.recorder.carried += b.deep / b.n * (to - from)
	fr.table.reusedAll(a.batch.query, a.row[from:to], a.before.reads[from:to])
}

// reusedAll counts answers that are as they were when reads saw them.
func (t *Table) reusedAll(q *Query, from []*source, reads []read) {
	if t.clock.tight() {
		for _, x := range from {
			x.asEntry().touch()
		}
	}
	first := q.Counts.Reused.Add(uint64(len(reads))) - uint64(len(reads)) + 1
	for i := uint64(0); i < uint64(len(reads)); {
		notice := q.noticeAt.Load()
		if notice >= first+uint64(len(reads)) {
			return
		}
		i = max(first+i, notice) - first
		if tr := from[i].asEntry().last.Load(); tr != nil && tr.result == reads[i].hash {
			t.noticeReuse(q, from[i].asEntry(), tr, first+i)
		}
		i++
	}
}

// ReadsSoFar returns how many things the run has read, and whether it is worth while to have it
// remember an All that begins now.
func (f *Frame) ReadsSoFar() (n int, remembers bool) {
	return len(f.recorder.reads), f.records() && f.replay == nil
}

// Remember keeps what the caller wants to have again of an All for n keys, which the run has just
// been answered, having read before things before. It does so if these are n reads. bytes is what
// is kept; deep says that it holds the answers' values, which are not in bytes. A batch that
// follows another is given that, or nil.
func (f *Frame) Remember(q *Query, before, n int, kept any, bytes int, deep bool) {
	c := &f.recorder
	if _, remembers := f.ReadsSoFar(); !remembers || f.tainted || f.strand.fix != nil || len(f.rests) > 0 || len(c.reads) != before+n {
		return
	}
	b := &batch{query: q, at: before, n: n, kept: kept, parts: f.parts, basis: f.footing.basis(f.parts), damage: f.table.damage.Load()}
	f.footing.begin(b.basis)
	if deep {
		b.deep = c.deepBytes(before)
	}
	b.bytes = bytes + b.deep
	c.batches = append(c.batches, b)
}

// deepBytes estimates the values that reads from the first-th on gave: those that were taken over
// are as large as in the batch that they come from, on average.
func (c *recorder) deepBytes(first int) (bytes int) {
	bytes = c.carried
	taken := c.taken
	for i := first; i < len(c.reads); i++ {
		for len(taken) > 0 && taken[0].at+taken[0].n <= i {
			taken = taken[1:]
		}
		if len(taken) > 0 && taken[0].at <= i {
			i += taken[0].n - 1
			continue
		}
		if tr := c.from[i].asEntry().last.Load(); tr != nil {
			if v := tr.value.Load(); v != nil && v.cached != nil {
				bytes += v.cached.bytes
			}
		}
	}
	return bytes
}

// batches are all that a trace has, as one value in the cache.
type batches []*batch

// keepBatches keeps batches with the trace of the run that asked for them, before it is published.
func (t *Table) keepBatches(tr *trace, all batches) {
	bytes := 0
	for _, b := range all {
		bytes += b.bytes
	}
	if len(all) == 0 || int64(bytes) > t.cache.bytesMax.Load()/batchesShare {
		return
	}
	t.cache.putBatches(tr, all, bytes)
}

// batchesShare: the batches of one trace take at most one in so many parts of the cache.
const batchesShare = 8

// putBatches takes batches of a trace into the cache.
func (c *cache) putBatches(tr *trace, all batches, bytes int) {
	b := &cached{box: box{value: all}, owner: tr, bytes: bytes + boxOverheadBytes}
	b.cached = b
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.batches == nil {
		c.batches = map[*trace]*cached{}
	}
	c.batches[tr] = b
	c.enter(b)
	c.makeRoom(b)
}

// batch returns the first batch of a trace for which which is true, nil if there is none.
func (c *cache) batch(tr *trace, which func(*batch) bool) *batch {
	c.mu.Lock()
	b := c.batches[tr]
	c.mu.Unlock()
	if b == nil {
		return nil
	}
	b.use()
	all := b.value.(batches)
	if i := slices.IndexFunc(all, which); i >= 0 {
		return all[i]
	}
	return nil
}
