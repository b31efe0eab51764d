package runtime

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/sched"
)

// Scan of a large range lets other workers load and decode values, which takes many times as long
// as finding the keys. Keys are walked in order by the caller, in batches; whoever is free claims a
// batch, the caller among them, and the caller gives the values to fn in order. So nothing waits
// for a worker that does not come, and fn is called where it always is.
//
// Whether that pays is measured, never assumed: values may lie in memory or not, be cheap or dear
// to decode, and workers may be busy. The first scanProbe entries are read one by one. If the
// tree's counts say that what is left will take longer than a worker takes to come (which is
// measured, too), some are read with help, and the way that took less for each entry has the next
// stretch, which is twice as long each time; after each the other way gets a short one, so that
// what was right once is not believed for ever. The wrong way has a fifth of the entries at first,
// and a hundredth of many.
//
// At most four batches for each worker are on their way at any time.
const (
	scanProbe   = 256      // entries read one by one, in the beginning and to measure again
	scanBatch   = 64       // entries of a batch
	scanTrial   = 512      // entries read with help, to measure again
	scanStretch = 64 << 10 // most entries read one way before the other is measured again
)

// errProbed ends the first part of a scan.
var errProbed = errors.New("runtime: probed")

// scan is Scan without an option.
func (p *Partition[V]) scan(r Reader, pat Pattern, sp db.Span, fn func(key string, v V) error) error {
	eng, _, err := r.reads()
	if err != nil {
		return err
	}
	one := func(key string, h mmapcas.Hash) error {
		v, err := p.read(r, key, h)
		if err != nil {
			return err
		}
		return fn(key, v)
	}
	helpers := fanoutHelpers(eng, r)
	if helpers == 0 {
		return p.eachIn(r, pat, sp, true, one)
	}
	var (
		n     int
		began time.Time
		last  string
	)
	err = p.eachIn(r, pat, sp, true, func(key string, h mmapcas.Hash) error {
		if err := one(key, h); err != nil {
			return err
		}
		switch n++; n {
		case scanProbe / 2:
			began = time.Now()
		case scanProbe:
			last = key
			return errProbed
		}
		return nil
	})
	if !errors.Is(err, errProbed) {
		return err
	}
	rest := sp.After(last)
	if sp.Limit > 0 {
		if rest.Limit = sp.Limit - scanProbe; rest.Limit == 0 {
			return nil
		}
	}
	cost := time.Since(began) / (scanProbe / 2)
	if helped, err := p.worthHelp(r, rest, cost); err != nil || !helped {
		return errors.Join(err, p.eachIn(r, pat, rest, true, one))
	}
	f := &fanout[V]{p: p, r: r, eng: eng, fn: fn, helpers: helpers, alone: cost}
	return f.run(pat, rest)
}

// fanoutHelpers is how many workers could help a reader.
func fanoutHelpers(eng *Engine, r Reader) int {
	n := eng.sched.Workers()
	if _, ok := r.(*Task); ok {
		n-- // its own
	}
	return n
}

// worthHelp reports whether reading a span alone, at this cost for each entry, takes longer than it
// takes workers to come, and the span is long enough for a trial to pay. It looks at counts only.
func (p *Partition[V]) worthHelp(r Reader, sp db.Span, cost time.Duration) (bool, error) {
	eng, view, part, err := p.in(r)
	if err != nil {
		return false, err
	}
	n, err := view.snap.Count(part, sp.Lo, sp.Hi)
	if err != nil {
		return false, view.failed(fmt.Errorf("runtime: counting keys of %s: %w", p.name, err))
	}
	if sp.Limit > 0 {
		n = min(n, uint64(sp.Limit))
	}
	return n > 4*scanTrial && time.Duration(n)*cost > 2*time.Duration(eng.fanoutWake.Load()), nil
}

// A fanout is a scan with help. But for what is said otherwise its fields belong to the caller of
// Scan.
type fanout[V any] struct {
	p       *Partition[V]
	r       Reader
	eng     *Engine
	fn      func(key string, v V) error
	helpers int

	alone, helped time.Duration // what an entry took when it was measured last
	together      bool          // entries are being read with help
	left          int           // entries until the other way is measured, or until that is over
	trial         bool          // the other way is being measured
	stretch       int
	began         time.Time // of the stretch
	entries       int       // in the stretch so far
	seen          int       // entries given to fn

	filling *fanoutBatch[V]
	flight  []*fanoutBatch[V] // oldest first
	spare   []*fanoutBatch[V]
	stopped atomic.Bool

	mu      sync.Mutex
	waiting []*fanoutBatch[V] // guarded by mu: not claimed
	out     int               // guarded by mu: helpers that have not ended
	called  time.Time         // guarded by mu: when the newest helper was; zero: it has come
}

// A fanoutBatch is owned by the caller until it is put into waiting, then by whoever claims it
// until done fires.
type fanoutBatch[V any] struct {
	keys   []string
	hashes []mmapcas.Hash
	values []V // of the first keys; that of the next one cannot be had
	done   *sched.Event
}

// run reads a span.
func (f *fanout[V]) run(pat Pattern, sp db.Span) error {
	f.stretch = 4 * scanTrial
	f.begin(true, true, scanTrial)
	defer f.end()
	_, view, part, err := f.p.in(f.r)
	if err != nil {
		return err
	}
	var stop error
	left := sp.Limit
	all := sp
	all.Limit = 0
	err = view.snap.Scan(part, all, func(key string, h mmapcas.Hash) bool {
		if !pat.Match(key) {
			return true
		}
		stop = f.visit(key, h)
		left--
		return stop == nil && left != 0
	})
	if err == nil && stop == nil {
		stop = f.drain(0)
	}
	if view.frame != nil { // what fn was given is what was read, and not what was fetched beyond
		seen := 0
		ended := stop != nil
		err = errors.Join(err, view.frame.Scan(part, sp, pat.glob, true, func(string, mmapcas.Hash) bool {
			seen++
			return !ended || seen < f.seen
		}))
	}
	if err != nil {
		return view.failed(fmt.Errorf("runtime: reading a range of %s: %w", f.p.name, err))
	}
	return stop
}

// end makes helpers stop as soon as they look.
func (f *fanout[V]) end() {
	f.stopped.Store(true)
	f.mu.Lock()
	f.waiting = nil
	f.mu.Unlock()
}

// begin starts a stretch.
func (f *fanout[V]) begin(together, trial bool, entries int) {
	f.together, f.trial, f.left = together, trial, entries
	f.entries, f.began = 0, time.Now()
}

// turn ends a stretch and says how to go on.
func (f *fanout[V]) turn() error {
	if err := f.drain(0); err != nil { // what is in flight is half done: it would spoil the measure
		return err
	}
	took := time.Since(f.began) / time.Duration(f.entries)
	if f.together {
		f.helped = took
	} else {
		f.alone = took
	}
	together, entries := !f.together, scanTrial
	switch {
	case f.trial:
		together, entries = f.helped < f.alone, f.stretch
		f.stretch = min(2*f.stretch, scanStretch)
	case f.together:
		entries = scanProbe
	}
	f.begin(together, !f.trial, entries)
	return nil
}

// visit takes the next entry.
func (f *fanout[V]) visit(key string, h mmapcas.Hash) error {
	f.entries++
	f.left--
	if !f.together {
		if err := f.give(key, h); err != nil {
			return err
		}
	} else if err := f.add(key, h); err != nil {
		return err
	}
	if f.left == 0 {
		return f.turn()
	}
	return nil
}

// give loads one value and gives it to fn.
func (f *fanout[V]) give(key string, h mmapcas.Hash) error {
	v, err := f.p.read(f.r, key, h)
	if err != nil {
		return err
	}
	f.seen++
	return f.fn(key, v)
}

// add puts an entry into the batch that is being filled, and delivers old batches to make room for
// new ones.
func (f *fanout[V]) add(key string, h mmapcas.Hash) error {
	b := f.filling
	if b == nil {
		if n := len(f.spare); n > 0 {
			b, f.spare = f.spare[n-1], f.spare[:n-1]
		} else {
			b = &fanoutBatch[V]{}
		}
		b.done = new(sched.Event)
		f.filling = b
	}
	b.keys, b.hashes = append(b.keys, key), append(b.hashes, h)
	if len(b.keys) < scanBatch {
		return nil
	}
	f.send()
	return f.drain(4*(f.helpers+1) - 1)
}

// send has the batch that is being filled wait for somebody, and calls a helper if there are fewer
// than could be.
func (f *fanout[V]) send() {
	b := f.filling
	f.filling = nil
	f.flight = append(f.flight, b)
	f.mu.Lock()
	f.waiting = append(f.waiting, b)
	call := f.out < f.helpers
	if call {
		f.out++
		f.called = time.Now()
	}
	f.mu.Unlock()
	if call && !f.call() {
		f.mu.Lock()
		f.out--
		f.mu.Unlock()
	}
}

// drain delivers batches until at most n are in flight. With 0 it delivers the one that is being
// filled, too.
func (f *fanout[V]) drain(n int) error {
	if n == 0 && f.filling != nil {
		f.send()
	}
	for len(f.flight) > n {
		b := f.flight[0]
		for !b.done.Fired() {
			if mine := f.claim(); mine != nil {
				f.decode(mine)
				continue
			}
			if err := f.await(b); err != nil {
				return fails(f.r, err)
			}
		}
		f.flight = f.flight[1:]
		if err := f.deliver(b); err != nil {
			return err
		}
	}
	return nil
}

// await waits for a batch that somebody else has claimed.
func (f *fanout[V]) await(b *fanoutBatch[V]) error {
	if t, ok := f.r.(*Task); ok {
		return t.task().AwaitReason(b.done, sched.Reason{What: "values of " + f.p.name})
	}
	<-b.done.Done()
	return nil
}

// deliver gives the entries of a batch to fn. A value that could not be had is tried again, so that
// its error, or panic, comes in its turn.
func (f *fanout[V]) deliver(b *fanoutBatch[V]) error {
	if t, ok := f.r.(*Task); ok {
		if err := t.task().Err(); err != nil {
			return err
		}
	}
	for i, key := range b.keys {
		if i >= len(b.values) {
			if err := f.give(key, b.hashes[i]); err != nil {
				return err
			}
			continue
		}
		f.seen++
		if err := f.fn(key, b.values[i]); err != nil {
			return err
		}
	}
	clear(b.keys)
	clear(b.values)
	b.keys, b.hashes, b.values = b.keys[:0], b.hashes[:0], b.values[:0]
	f.spare = append(f.spare, b)
	return nil
}

// claim takes the oldest batch that waits, nil if none does. Anybody may call it.
func (f *fanout[V]) claim() *fanoutBatch[V] {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.waiting) == 0 {
		return nil
	}
	b := f.waiting[0]
	f.waiting = f.waiting[1:]
	return b
}

// decode loads the values of a claimed batch up to the first that cannot be had.
func (f *fanout[V]) decode(b *fanoutBatch[V]) {
	defer b.done.Fire()
	defer func() { _ = recover() }() // a type's own decoding; it panics again in deliver
	for i, h := range b.hashes {
		if f.stopped.Load() {
			return
		}
		v, err := f.p.load(f.eng, b.keys[i], h)
		if err != nil {
			return
		}
		b.values = append(b.values, v)
	}
}

// call submits a helper. It reports whether there will be one.
func (f *fanout[V]) call() bool {
	o := taskOptions{spec: sched.Spec{Name: "scan " + f.p.name}}
	var (
		h   *Handle
		err error
	)
	if t, ok := f.r.(*Task); ok {
		o.snap, o.from = t.root.snap, t.root.from
		h, err = t.task().Spawn(o.spec, f.eng.body(&o, f.help))
	} else {
		o.snap = f.r.(*Snapshot)
		o.spec.Lane = lane.Default
		h, err = f.eng.sched.SubmitNow(o.spec, f.eng.body(&o, f.help))
	}
	if h, err = o.submitted(h, err); err != nil {
		return false
	}
	h.Ended().OnFire(func() {
		f.mu.Lock()
		f.out--
		f.mu.Unlock()
	})
	return true
}

// help is the body of a helper's task.
func (f *fanout[V]) help(*Task) error {
	f.mu.Lock()
	called := f.called
	f.called = time.Time{}
	f.mu.Unlock()
	if !called.IsZero() { // a running mean; that two who write at once lose one does no harm
		was := f.eng.fanoutWake.Load()
		f.eng.fanoutWake.Store(was + (int64(time.Since(called))-was)/8)
	}
	for b := f.claim(); b != nil; b = f.claim() {
		f.decode(b)
	}
	return nil
}
