package runtime

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/cytisus/cytisus/epoch"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/mmapcas/vfs"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/internal/caller"
	"github.com/cytisus/cytisus/runtime/sched"
)

// Epochs returns what keeps memory that is read from being unmapped.
func (e *Engine) Epochs() *epoch.Domain { return e.epochs }

// OnFS puts an engine's store on another file system.
func OnFS(o Options, fs vfs.FS) Options {
	o.fs = fs
	return o
}

// Simulated makes an engine's workers a simulation, which Simulate moves.
func Simulated(o Options, d *sched.Deterministic) Options {
	o.simulated = d
	return o
}

// Checked has each phase of a collection checked.
func Checked(o Options, c *gc.Check) Options {
	o.checkGC = c
	return o
}

// Walled has marks stop at each answer that so many others rest on.
func Walled(o Options, from int) Options {
	o.wallFrom = from
	return o
}

// Shallow has a stack hold so many answers that are computed within each other.
func Shallow(o Options, levels int) Options {
	o.levelsMax = levels
	return o
}

// Repeating has a run remember each All of so many keys.
func Repeating(o Options, from int) Options {
	o.repeatFrom = from
	return o
}

// Measuring has runs and loads measured by a clock, and a query counted as cheap, if it is measured
// to be, from so many runs on.
func Measuring(o Options, from uint64, now func() time.Time) Options {
	o.measured, o.now = from, now
	return o
}

// Simulate lets the workers of a simulated engine go on until nothing can move.
func (e *Engine) Simulate() { e.sched.Simulate(nil) }

// SimulateUntil is Simulate that stops when a condition holds, and reports whether it does.
func (e *Engine) SimulateUntil(until func() bool) bool { return e.sched.Simulate(until) }

// FirstMissing is the way to a record that is needed and not there.
func (e *Engine) FirstMissing() string {
	roots := e.db.Roots()
	way := map[mmapcas.Hash]string{}
	for _, walk := range []struct {
		from []mmapcas.Hash
		refs func(mmapcas.Kind, []byte) []mmapcas.Hash
	}{{roots.Live, refs}, {roots.Bare, db.BareRefs}} {
		stack := slices.Clone(walk.from)
		for len(stack) > 0 {
			h := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			err := e.store.View(h, func(kind mmapcas.Kind, payload []byte) error {
				for _, ref := range walk.refs(kind, payload) {
					if _, ok := way[ref]; !ok {
						way[ref] = fmt.Sprintf("%s -> %v of kind %d", way[h], h, kind)
						stack = append(stack, ref)
					}
				}
				return nil
			})
			if err != nil {
				return fmt.Sprintf("%s -> %v: %v", way[h], h, err)
			}
		}
	}
	return ""
}

// StoredQueries returns the names of the queries that traces are stored of.
func (e *Engine) StoredQueries() ([]string, error) { return e.memo.StoredQueries() }

// ForgetUnused is what a collection of everything does at some time about queries that are not
// used.
func (e *Engine) ForgetUnused(ctx context.Context, now time.Time) error {
	return e.forgetUnused(ctx, now)
}

// Undefine takes a query out of the program, and returns what puts it back.
func Undefine(name string) (again func()) {
	n := &allQueries
	n.mu.Lock()
	defer n.mu.Unlock()
	was := n.byName[name]
	delete(n.byName, name)
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.byName[name] = was
	}
}

// Now is the time of the engine's scheduler, which stands still in a simulation but where all wait.
func (e *Engine) Now() time.Time { return e.sched.Now() }

// CollectInSteps runs a collection in the smallest slices, and calls between between two of them.
func (e *Engine) CollectInSteps(ctx context.Context, between func()) error {
	return e.gc.Collect(ctx, gc.Pace{Wait: between})
}

// CollectNewInSteps is CollectInSteps for what is new.
func (e *Engine) CollectNewInSteps(ctx context.Context, between func()) error {
	return e.gc.CollectNew(ctx, gc.Pace{Wait: between})
}

// FallBehind has commits assist the collector until a cycle has ended, as if so much had been put
// since it fell behind.
func (e *Engine) FallBehind(put int64) {
	e.assist.put.Store(e.put() - put)
	e.assist.worked.Store(e.gc.Work())
	e.assist.behind.Store(true)
}

// Assisting reports whether commits assist the collector.
func (e *Engine) Assisting() bool { return e.assist.behind.Load() }

// AssistSlice is the least that a commit owes, and AssistPrice what it owes of each byte put.
const (
	AssistSlice = assistSlice
	AssistPrice = assistPrice
)

// KnownGarbage is knownGarbage with what the last cycle of everything ended with.
func KnownGarbage(counted int64, sampled bool, stored, named, lastLive, lastStored int64) int64 {
	return knownGarbage(counted, sampled, stored, named, &cycleEnd{live: lastLive, stored: lastStored})
}

// A Recent decides when what was put lately is collected.
type Recent struct{ r recent }

// NewRecent returns one that has seen nothing.
func NewRecent() *Recent { return &Recent{} }

// Look returns what is to be collected: new, all, or nothing.
func (r *Recent) Look(stored, garbage, live int64, elders bool) string {
	return [...]string{"", "new", "all"}[r.r.look(stored, garbage, live, elders)]
}

// Collected says how much was stored and freed before and after a collection.
func (r *Recent) Collected(short bool, before, after int64, freedBefore, freedAfter uint64) {
	r.r.begins(before, freedBefore)
	r.r.ended(short, after, freedAfter)
}

// Poor reports whether short collections are not waited for.
func (r *Recent) Poor() bool { return r.r.poor }

// WriteTraces leaves the keeper nothing to write, until something is computed again.
func (e *Engine) WriteTraces(ctx context.Context) { e.flushTraces(ctx) }

// NewBudget makes a budget and returns what is done with it.
func NewBudget(share float64, from time.Time) (allows func(time.Time, time.Duration) bool, spend func(time.Duration)) {
	b := &budget{share: share, asOf: from}
	return b.allows, b.spend
}

// Choices tells runs of simulated engines apart.
func (e *Engine) Choices() (n int, digest uint64) { return e.sched.Choices() }

// TypeError is why a type is refused as the type of values.
func TypeError(t reflect.Type) error {
	_, err := formOf(t, false)
	return err
}

// PartitionOf is NewPartition for a type that was made at run time. Values are of that type.
func PartitionOf(t reflect.Type, name string) *Partition[any] {
	return &Partition[any]{name: name, where: caller.Outside(), codec: codecOf(t)}
}

// QueryOf is NewQuery for results of a type that was made at run time.
func QueryOf(t reflect.Type, name string, fn func(*Task, string) (any, error)) *Query[string, any] {
	return &Query[string, any]{name: name, version: 1, where: caller.Outside(), fn: fn, keys: keyCodecFor[string](), results: plainResults[any]{codecOf(t)}}
}

// QueryBy is NewQuery for keys of a type that was made at run time.
func QueryBy(t reflect.Type, name string, fn func(*Task, any) (string, error)) *Query[any, string] {
	f, err := formOf(t, false)
	return &Query[any, string]{name: name, version: 1, where: caller.Outside(), fn: fn, results: plainResults[string]{codecFor[string]()}, keys: keyCodec[any]{
		err:    err,
		encode: func(k any) (string, error) { b, err := f.ofType(nil, k); return string(b), err },
		decode: func(s string) (any, error) { return f.toType([]byte(s)) },
	}}
}

func codecOf(t reflect.Type) codec[any] {
	f, err := formOf(t, false)
	if err != nil {
		return codec[any]{err: err}
	}
	return codec[any]{
		form:   &form{timed: f.timed},
		append: func(dst []byte, v *any) ([]byte, error) { return f.ofType(dst, *v) },
		decode: f.toType,
	}
}

func (f *form) ofType(dst []byte, v any) ([]byte, error) {
	p := reflect.New(f.t)
	p.Elem().Set(reflect.ValueOf(v))
	if err := f.verify(p.Elem()); err != nil {
		return nil, err
	}
	return f.append(dst, p.Interface())
}

func (f *form) toType(b []byte) (any, error) {
	p := reflect.New(f.t)
	err := f.decode(b, p.Interface())
	return p.Elem().Interface(), err
}

// EncodeOf returns the bytes of a value of type t.
func EncodeOf(t reflect.Type, v any) ([]byte, error) {
	f, err := formOf(t, false)
	if err != nil {
		return nil, err
	}
	return f.ofType(nil, v)
}

// DecodeOf is the inverse of EncodeOf.
func DecodeOf(t reflect.Type, b []byte) (any, error) {
	f, err := formOf(t, false)
	if err != nil {
		return nil, err
	}
	return f.toType(b)
}

// LoseDurabilities does to what is known of durability what damage does that is found when the
// store is opened.
func (e *Engine) LoseDurabilities(ctx context.Context) error {
	part, err := e.db.Partition(durabilityPartition, true)
	if err != nil {
		return err
	}
	return e.db.Reset(ctx, part)
}

// KeyWaits is how many waits for keys the engine knows of.
func (e *Engine) KeyWaits() (n int) {
	e.watchers.mu.RLock()
	defer e.watchers.mu.RUnlock()
	for _, waits := range e.watchers.waits {
		n += len(waits)
	}
	return n
}

// ByNameOf returns the CBOR of v by name, which is of type t.
func ByNameOf(t reflect.Type, v any) ([]byte, error) {
	p := reflect.New(t)
	p.Elem().Set(reflect.ValueOf(v))
	return cborEnc.Marshal(p.Interface())
}

// Expand returns the CBOR by name of a value, which may be compact, and whether it is.
func Expand(p []byte) (byName []byte, compact bool, err error) {
	byName, err = byNameOf(p)
	return byName, len(p) > 0 && p[0] == cborTag|compactMarker, err
}

// Coder returns how values of V are written and read.
func Coder[V any]() (encode func(*V) ([]byte, error), decode func([]byte) (V, error)) {
	c := codecFor[V]()
	return func(v *V) ([]byte, error) {
			_, b, _, err := c.encode(nil, *v)
			return b, err
		}, func(b []byte) (V, error) {
			return c.decodeRecord(kindValue, b)
		}
}

// ReadCompact reads a value of type t without expanding it, and reports whether it could.
func ReadCompact(t reflect.Type, p []byte) (any, bool) {
	f, err := formOf(t, false)
	if err != nil || !f.numbered || compactDec.Wellformed(p) != nil {
		return nil, false
	}
	v := reflect.New(t)
	ok := f.readCompact(p, v.Elem())
	f.settle(v.Elem())
	return v.Elem().Interface(), ok
}

// PartitionByName is PartitionOf, with values that are written by name.
func PartitionByName(t reflect.Type, name string) *Partition[any] {
	p := PartitionOf(t, name)
	p.codec.append = func(dst []byte, v *any) ([]byte, error) {
		b, err := ByNameOf(t, *v)
		return append(dst, b...), err
	}
	return p
}

// CursorAt is the place after a key that need not be there.
func CursorAt(key string) Cursor { return Cursor{key, true} }

// PlainOf writes a value of type t as a plain form does, and reports whether it is one.
func PlainOf(t reflect.Type, v any) (p []byte, plain bool, err error) {
	f, err := formOf(t, false)
	if err != nil || !f.isPlain() {
		return nil, false, err
	}
	in := reflect.New(t).Elem()
	in.Set(reflect.ValueOf(v))
	return f.appendPlain(nil, in), true, nil
}

// ReadPlain reads a value of type t, whose form is plain, and reports whether it could.
func ReadPlain(t reflect.Type, p []byte) (any, bool) {
	f, err := formOf(t, false)
	if err != nil {
		return nil, false
	}
	v := reflect.New(t).Elem()
	rest, ok := f.readPlain(string(p), v)
	return v.Interface(), ok && rest == ""
}

// Holding has a limit go by what held says, in place of what the system does, and only when
// LookAtLimit is called.
func Holding(o Options, held func() (held, goes int64)) Options {
	o.held = held
	return o
}

// LookAtLimit is one look of the governor.
func (e *Engine) LookAtLimit() { _ = e.governor.look() }

// SegmentPages returns how many bytes of segments are in memory.
func (e *Engine) SegmentPages() int64 { return e.store.MemoryUse().Segments.Resident }

// Gate returns how many tasks are inside the gate, and how many wait there.
func (e *Engine) Gate() (inside, waiting int) {
	g := &e.governor.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside, len(g.waiting)
}

// Pieces returns how many pieces are under way, and how many wait.
func (e *Engine) Pieces() (under, waiting int) {
	ps := &e.governor.pieces
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.under, len(ps.waiting)
}

// CollectGivingWay is a collection by a task, in the smallest slices, that calls before before it
// gives way.
func (e *Engine) CollectGivingWay(t *Task, before func()) error {
	p := t.pace()
	wait := p.Wait
	p.Slice, p.Wait = 0, func() {
		before()
		wait()
	}
	return e.gc.Collect(t.Context(), p)
}

// A Rest is what gives memory back when nothing is allocated.
type Rest struct{ rest rest }

// Look is one look, at a time, when nobody has asked anything.
func (r *Rest) Look(now time.Time) { r.rest.look(now, 0) }

// LookWhen is one look, at a time, when so many urgent tasks have begun.
func (r *Rest) LookWhen(now time.Time, urgent uint64) { r.rest.look(now, urgent) }

// RestWaits is how many stretches a run waits for one in which nobody asks.
const RestWaits = restWaits

// RestAfter is for how long nothing has to be allocated.
const RestAfter = restAfter
