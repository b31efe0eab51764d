package gc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// Kinds of records: an object refers to others; a trace to its newest result and, for readers of
// older generations, to the one before.
const (
	kindObject mmapcas.Kind = 40
	kindTrace  mmapcas.Kind = 41
)

const hashBytes = len(mmapcas.Hash{})

func hashesIn(payload []byte) []mmapcas.Hash {
	n := int(payload[0])
	out := make([]mmapcas.Hash, n)
	for i := range out {
		copy(out[i][:], payload[1+i*hashBytes:])
	}
	return out
}

func refsOf(kind mmapcas.Kind, payload []byte) []mmapcas.Hash {
	switch kind {
	case kindObject:
		return hashesIn(payload)
	case kindTrace:
		return hashesIn(payload)[:1]
	}
	return db.Refs(kind, payload)
}

func oldRefsOf(kind mmapcas.Kind, payload []byte) []mmapcas.Hash {
	if kind == kindTrace {
		return hashesIn(payload)[1:]
	}
	return nil
}

// An object is what the model knows of a record that was put once; it may be gone.
type object struct {
	number  int
	hash    mmapcas.Hash
	payload []byte
	refs    []*object
	touched int // step of the newest put or lease
}

// A contents is what one generation holds: objects by key.
type contents map[string]*object

// A held is something whose objects a collection must not take.
type held struct {
	what    string
	objects map[*object]bool
}

const worldKeys = 8

// A world is a store, a database and a collector, with those who use them, and a model of what must
// be there. yield is where others get their turn; it is called with mu free.
type world struct {
	st *mmapcas.Store
	d  *db.DB
	c  *Collector

	parts [2]db.PartID // versioned, side
	memo  db.PartID    // side: traces

	mu        sync.Mutex // guards all below
	rng       *rand.Rand
	steps     int
	long      int // turns that a session may linger, once in often sessions
	often     int
	over      bool
	err       error
	all       []*object
	byHash    map[mmapcas.Hash]*object
	now       [2]contents          // of parts
	results   map[string]*object   // the newest result of each key, written or not
	unwritten map[string]*object   // of these, those of which no trace tells yet
	stored    map[string][]*object // what the stored trace of each key names, the newest first
	holds     map[*held]bool       // sessions, snapshots, leases
	counts    map[string]int
}

func newWorld(t testing.TB, seed uint64) *world {
	t.Helper()
	st, err := mmapcas.Open("", mmapcas.Options{SegmentBytes: 64 << 10, ReserveBytes: 256 << 20, Appenders: 2})
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	d, err := db.Open(st, db.Options{CheckpointCommits: -1, CheckpointBytes: -1, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		long: 100, often: 4, st: st, d: d, rng: rand.New(rand.NewPCG(seed, 0x6763)), byHash: map[mmapcas.Hash]*object{},
		now: [2]contents{{}, {}}, results: map[string]*object{}, unwritten: map[string]*object{},
		stored: map[string][]*object{}, holds: map[*held]bool{}, counts: map[string]int{},
	}
	w.c = New(Options{Store: st, DB: d, Refs: refsOf, OldRefs: oldRefsOf, Flush: w.flush, Logger: quiet})
	w.c.check = check{
		Check: Check{Fail: func(err error) { w.fail("%v", err) }, Every: 1 + w.n(40)}, strict: true, more: w.needed,
	}
	for i, side := range []bool{false, true} {
		if w.parts[i], err = d.Partition(fmt.Sprint("p", i), side); err != nil {
			t.Fatal(err)
		}
	}
	if w.memo, err = d.Partition("memo", true); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) close(t testing.TB) {
	w.c.Close()
	if err := errors.Join(w.d.Close(context.Background()), w.st.Close()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failLocked(format, args...)
}

func (w *world) failLocked(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("step %d: "+format, append([]any{w.steps}, args...)...)
	}
	w.over = true
}

func (w *world) isOver() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.over
}

func (w *world) n(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rng.IntN(n)
}

func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

// hold says that objects, and what they refer to, must stay until release.
func (w *world) hold(what string, objects ...*object) *held {
	h := &held{what: what, objects: map[*object]bool{}}
	for _, o := range objects {
		h.objects[o] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds[h] = true
	return h
}

func (w *world) release(h *held) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.holds, h)
}

// put puts an object, new or known; its references are put or held by h, which holds it from now
// on.
func (w *world) put(h *held, refs []*object, payload []byte) *object {
	hash, _, err := w.st.Put(kindObject, payload)
	if err != nil {
		w.fail("put: %v", err)
		return nil
	}
	for _, r := range refs {
		w.c.Shade(r.hash)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	o := w.byHash[hash]
	if o == nil {
		o = &object{number: len(w.all), hash: hash, payload: payload, refs: refs}
		w.all = append(w.all, o)
		w.byHash[hash] = o
	}
	o.touched = w.steps
	h.objects[o] = true
	return o
}

// fresh makes the payload of a new object.
func (w *world) fresh(refs []*object) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := []byte{byte(len(refs))}
	for _, r := range refs {
		p = append(p, r.hash[:]...)
	}
	p = binary.LittleEndian.AppendUint64(p, w.rng.Uint64())
	return append(p, make([]byte, w.rng.IntN(2000))...)
}

// again puts a known object once more, which may be garbage or gone, after what it refers to.
func (w *world) again(h *held, o *object, yield func()) {
	for _, r := range o.refs {
		w.again(h, r, yield)
		yield()
	}
	w.put(h, o.refs, o.payload)
}

// below returns objects that are reached from some.
func below(roots map[*object]bool) map[*object]bool {
	seen := map[*object]bool{}
	var visit func(*object)
	visit = func(o *object) {
		if !seen[o] {
			seen[o] = true
			for _, r := range o.refs {
				visit(r)
			}
		}
	}
	for o := range roots {
		visit(o)
	}
	return seen
}

// some returns one of a set, nil if it is empty. The choice depends on the seed alone.
func (w *world) some(set map[*object]bool) *object {
	list := slices.SortedFunc(maps.Keys(set), func(a, b *object) int { return a.number - b.number })
	if len(list) == 0 {
		return nil
	}
	return list[w.n(len(list))]
}

// snapshot takes a snapshot and returns what is in it, held.
func (w *world) snapshot() (*db.Snapshot, *held) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.d.Snapshot()
	h := &held{what: fmt.Sprint("a snapshot of generation ", s.Gen()), objects: map[*object]bool{}}
	for _, o := range w.now[0] {
		h.objects[o] = true
	}
	w.holds[h] = true
	return s, h
}

func (w *world) key() string { return fmt.Sprint("k", w.n(worldKeys)) }

// writer puts objects in a session and refers to them at keys, or does not.
func (w *world) writer(yield func()) {
	s, seen := w.snapshot()
	end := w.c.Session()
	yield()
	h := w.hold("a session", nil...)
	for range 1 + w.n(4) {
		w.puts(h, seen, yield)
		yield()
	}
	w.linger(yield)
	for range w.n(4) {
		w.commit(h)
		yield()
	}
	w.release(h)
	end()
	yield()
	w.release(seen)
	s.Release()
}

// linger has others go on for a while, and now and then for long: over the whole of a cycle.
func (w *world) linger(yield func()) {
	long := 3
	if w.n(w.often) == 0 {
		long = w.long
	}
	for range w.n(long) {
		yield()
	}
}

// puts puts a new object over what the session has, or an old one once more.
func (w *world) puts(h, seen *held, yield func()) *object {
	if w.n(3) == 0 {
		w.mu.Lock()
		known := map[*object]bool{}
		for _, o := range w.all[max(0, len(w.all)-60):] {
			known[o] = true
		}
		w.mu.Unlock()
		if o := w.some(known); o != nil {
			w.count("put again")
			w.again(h, o, yield)
			return o
		}
	}
	var refs []*object
	for range w.n(4) {
		from := below(seen.objects)
		maps.Copy(from, h.objects)
		if o := w.some(from); o != nil && !slices.Contains(refs, o) {
			refs = append(refs, o)
		}
	}
	yield()
	return w.put(h, refs, w.fresh(refs))
}

// commit refers to an object of a session at a key, or removes a key.
func (w *world) commit(h *held) {
	i, key := w.n(2), w.key()
	op := db.Op{Part: w.parts[i], Key: key, Verb: db.Delete}
	var o *object
	if w.n(4) > 0 {
		if o = w.some(h.objects); o == nil {
			return
		}
		op.Verb, op.Hash = db.Put, o.hash
		w.c.Shade(o.hash)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, err := w.d.Commit(context.Background(), []db.Op{op}); err != nil {
		w.failLocked("a session refers to object %d, which it has put: %v", o.number, err)
		return
	}
	w.counts["commits"]++
	if o == nil {
		delete(w.now[i], key)
	} else {
		w.now[i][key] = o
	}
}

// query runs in a session and leaves a result of which a trace tells later.
func (w *world) query(yield func()) {
	s, seen := w.snapshot()
	end := w.c.Session()
	yield()
	h := w.hold("a run")
	o := w.puts(h, seen, yield)
	yield()
	w.mu.Lock()
	if o != nil {
		key := fmt.Sprint("q", w.rng.IntN(worldKeys))
		w.results[key], w.unwritten[key] = o, o
	}
	delete(w.holds, h)
	w.mu.Unlock()
	end()
	yield()
	w.release(seen)
	s.Release()
}

// flush writes the traces, or fails to.
func (w *world) flush(context.Context) (unwritten []mmapcas.Hash) {
	defer w.c.Session()()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(w.unwritten)) {
		o := w.unwritten[key]
		if w.rng.IntN(6) == 0 {
			unwritten = append(unwritten, o.hash)
			w.counts["unwritten"]++
			continue
		}
		names := []mmapcas.Hash{o.hash}
		h, ok, err := w.d.Latest(w.memo, key)
		if err == nil && ok {
			err = w.st.View(h, func(_ mmapcas.Kind, payload []byte) error {
				names = append(names, hashesIn(payload)[0])
				return nil
			})
		}
		if err != nil {
			w.failLocked("the stored trace of %s: %v", key, err)
			return nil
		}
		payload := []byte{byte(len(names))}
		for _, name := range names {
			payload = append(payload, name[:]...)
		}
		trace, _, err := w.st.Put(kindTrace, payload)
		w.c.Shade(o.hash)
		w.c.Shade(trace)
		if err == nil {
			_, err = w.d.Commit(context.Background(), []db.Op{{Part: w.memo, Key: key, Verb: db.Put, Hash: trace}})
		}
		if err != nil {
			w.failLocked("writing the trace of %s: %v", key, err)
			return nil
		}
		delete(w.unwritten, key)
		w.stored[key] = nil
		for _, name := range names {
			w.stored[key] = append(w.stored[key], w.byHash[name])
		}
		w.counts["traces"]++
	}
	return unwritten
}

// reader holds a snapshot for a while and reads all that is in it.
func (w *world) reader(yield func()) {
	s, h := w.snapshot()
	for range w.n(20) {
		yield()
	}
	err := s.Scan(w.parts[0], db.Span{}, func(key string, name mmapcas.Hash) bool {
		return w.read(name, yield)
	})
	if err != nil {
		w.fail("%s cannot be read: %v", h.what, err)
	}
	w.release(h)
	s.Release()
}

func (w *world) read(name mmapcas.Hash, yield func()) bool {
	var refs []mmapcas.Hash
	err := w.st.View(name, func(kind mmapcas.Kind, payload []byte) error {
		refs = refsOf(kind, payload)
		return nil
	})
	if err != nil {
		w.fail("what is reached from a snapshot or a lease was freed: %v", err)
		return false
	}
	yield()
	for _, r := range refs {
		if !w.read(r, yield) {
			return false
		}
	}
	return true
}

// lease pins an object that a snapshot sees, for longer than that.
func (w *world) lease(yield func()) {
	s, seen := w.snapshot()
	able := below(seen.objects)
	maps.DeleteFunc(able, func(o *object, _ bool) bool { return len(o.refs) == 0 })
	o := w.some(able)
	if o == nil {
		w.release(seen)
		s.Release()
		return
	}
	release, err := w.st.Pin(o.hash)
	if err != nil {
		w.fail("a lease of object %d, which a snapshot sees: %v", o.number, err)
		return
	}
	h := w.hold("a lease", o)
	yield()
	w.release(seen)
	s.Release()
	for range w.n(150) {
		yield()
	}
	w.read(o.hash, yield)
	w.mu.Lock()
	o.touched = w.steps
	delete(w.holds, h)
	w.mu.Unlock()
	release()
}

// reachable returns what must be there, and why. mu is held.
func (w *world) reachable() map[*object]string {
	why := map[*object]string{}
	add := func(reason string, o *object) {
		for b := range below(map[*object]bool{o: true}) {
			if why[b] == "" {
				why[b] = reason
			}
		}
	}
	for i := range w.now {
		for k, o := range w.now[i] {
			add(fmt.Sprintf("partition %d at %s", i, k), o)
		}
	}
	for k, o := range w.results {
		add("the result of "+k, o)
	}
	for h := range w.holds {
		for o := range h.objects {
			add(h.what, o)
		}
	}
	return why
}

// needed is reachable for the collector's own check.
func (w *world) needed() map[mmapcas.Hash]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := map[mmapcas.Hash]string{}
	for o, why := range w.reachable() {
		names[o.hash] = why
	}
	return names
}

// check compares the store with the model.
func (w *world) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for o, why := range w.reachable() {
		if !w.st.Has(o.hash) {
			w.failLocked("object %d was freed, although %s leads to it", o.number, why)
			return
		}
	}
}

// collectNew runs a collection of what is new.
func (w *world) collectNew(pace Pace) {
	before := w.c.Stats()
	if err := w.c.CollectNew(context.Background(), pace); err != nil {
		w.fail("collect what is new: %v", err)
		return
	}
	after := w.c.Stats()
	w.mu.Lock()
	defer w.mu.Unlock()
	if after.Short > before.Short {
		w.counts["short cycles"]++
		w.counts["freed by these"] += int(after.FreedRecords - before.FreedRecords)
	}
}

// collect runs a collection, and finds that all that was unreachable when it was called is gone.
func (w *world) collect(pace Pace) {
	w.mu.Lock()
	began := w.steps
	garbage := map[*object]bool{}
	needed := w.reachable()
	for _, named := range w.stored {
		for _, o := range named {
			for b := range below(map[*object]bool{o: true}) {
				needed[b] = "a stored trace"
			}
		}
	}
	for _, o := range w.all {
		if needed[o] == "" && w.st.Has(o.hash) {
			garbage[o] = true
		}
	}
	w.mu.Unlock()
	if err := w.c.Collect(context.Background(), pace); err != nil {
		w.fail("collect: %v", err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts["cycles"]++
	for o := range garbage {
		switch {
		case o.touched >= began:
		case w.st.Has(o.hash):
			w.failLocked("object %d was unreachable when the collection was called at step %d, and is still there at its end", o.number, began)
			return
		default:
			w.counts["freed"]++
		}
	}
}
