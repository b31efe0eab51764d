package mmapcas

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/epoch"
)

// The index maps names to addresses. 256 shards, each a table of 64-byte buckets of 8 slots; a slot is
//
//	tag:16 | address:48
//
// The tag is a part of the name that neither shard nor bucket use. Probing is linear by buckets and ends at the first
// empty slot; as slots never become empty again (S0), all who look for one name meet the same first empty slot.
//
// Growth is per shard. The grower holds the shard's mutex, turns every empty slot of the old table into frozen, copies the
// entries, publishes the new table and retires the old one. Readers go on in whichever table they loaded: a frozen slot is
// as good as an empty one to them, since whatever was inserted behind it was inserted after they loaded the table.
// Writers that meet a frozen slot wait for the mutex and start again. Changing or dropping an entry takes the mutex, so
// that it cannot be lost to a grower that has copied the slot already.
//
// Every probe is bounded by the number of buckets: between the moment a table is due to grow and the freeze, other
// inserters may fill it to the last slot.

const (
	shardCount      = 256
	bucketSlots     = 8
	bucketBytes     = 8 * bucketSlots
	bucketsMin      = 16
	addrMask        = 1<<arena.AddrBits - 1
	slotEmpty       = uint64(0)
	slotDead        = uint64(1)        // address 1 lies in a segment header, so no entry looks like it
	slotFrozen      = uint64(addrMask) // nor is the last address one
	loadNum, loadDe = 3, 4
)

type index struct {
	arena  *arena.Arena
	epochs *epoch.Domain
	saved  *savedIndex // where tables come from that are not in memory yet, nil if all are; immutable
	shards [shardCount]shard
}

type shard struct {
	table  atomic.Pointer[table] // nil until somebody asks for it, if there is a saved index
	live   atomic.Int64          // entries, without dead ones
	mu     sync.Mutex            // held to load and to grow the table and to change or drop entries
	number int                   // immutable
	// later is what Open found for the table while there was none; guarded by mu.
	later []located
	_     [128 - 56]byte
}

// A located name is one with the place of its record.
type located struct {
	hash  Hash
	at    arena.Addr
	bytes int64
}

type table struct {
	slots []atomic.Uint64 // header immutable; slots follow S0
	mask  uint64          // buckets - 1
	used  atomic.Int64    // slots that are not empty, dead ones included
	limit int64           // grow when used exceeds it
	block *arena.Block
}

func newTable(buckets int) (*table, error) {
	b, err := arena.NewBlock(buckets * bucketBytes)
	if err != nil {
		return nil, err
	}
	return &table{
		slots: b.Words(), mask: uint64(buckets - 1), block: b,
		limit: int64(buckets * bucketSlots * loadNum / loadDe),
	}, nil
}

// newIndex returns an index with room for about n entries before it grows.
func newIndex(a *arena.Arena, d *epoch.Domain, n int64) (*index, error) {
	x := &index{arena: a, epochs: d}
	buckets := bucketsFor(n / shardCount)
	for i := range x.shards {
		x.shards[i].number = i
		t, err := newTable(buckets)
		if err != nil {
			x.free()
			return nil, err
		}
		x.shards[i].table.Store(t)
	}
	return x, nil
}

// newSavedIndex returns an index whose tables are read from a file as they are asked for.
func newSavedIndex(a *arena.Arena, d *epoch.Domain, v *savedIndex) *index {
	x := &index{arena: a, epochs: d, saved: v}
	for i := range x.shards {
		x.shards[i].number = i
		x.shards[i].live.Store(int64(v.head.parts[i].entries))
	}
	return x
}

// load returns the table of a shard after reading it, unless somebody else has.
func (x *index) load(s *shard) (*table, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return x.loadLocked(s)
}

// loadLocked is load for whoever holds the shard's mutex. Without memory for the table the shard stays unread.
func (x *index) loadLocked(s *shard) (*table, error) {
	if t := s.table.Load(); t != nil {
		return t, nil
	}
	t, entries, err := x.saved.table(s.number)
	if err != nil {
		return nil, err
	}
	s.live.Add(entries - int64(x.saved.head.parts[s.number].entries))
	all := s.later
	for len(s.later) > 0 {
		if t.used.Load() >= t.limit {
			n, lost, err := x.rehash(t)
			if err != nil {
				s.later = all
				_ = t.block.Free()
				return nil, err
			}
			_ = t.block.Free()
			s.live.Add(-lost)
			t = n
		}
		x.enterLater(s, t)
	}
	s.later = nil
	s.table.Store(t)
	if x.saved.left.Add(-1) == 0 {
		x.saved.close()
	}
	return t, nil
}

// enterLater enters what waits for t, until t should grow. Names that t has, and those that cannot be told from others
// because memory fails, are dropped. The caller holds the mutex of s.
func (x *index) enterLater(s *shard, t *table) {
	for len(s.later) > 0 && t.used.Load() < t.limit {
		l := s.later[0]
		s.later = s.later[1:]
		entered := false
		_ = x.arena.Confine(func() error {
			other, done := x.tryInsert(t, x.place(l.hash), l.hash, l.at)
			entered = done && other == arena.Nil
			return nil
		})
		if entered {
			t.used.Add(1)
		} else {
			s.live.Add(-1)
			x.saved.s.counters.live.Add(-l.bytes)
		}
	}
}

// enterAtLoad notes a record for a shard that is not in memory, and reports false if it is. Only Open calls it.
func (x *index) enterAtLoad(l located) bool {
	if x.saved == nil {
		return false
	}
	s := x.place(l.hash).shard
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table.Load() != nil {
		return false
	}
	s.later = append(s.later, l)
	s.live.Add(1)
	return true
}

// bucketsFor returns a power of two of buckets that n entries fill to less than 2/3.
func bucketsFor(n int64) int {
	need := max(uint64(n)*3/2/bucketSlots+1, bucketsMin)
	return 1 << bits.Len64(need-1)
}

// free gives all memory back. Nobody uses the index any more.
func (x *index) free() {
	for i := range x.shards {
		if t := x.shards[i].table.Load(); t != nil {
			// Unmapping memory that this package mapped does not fail.
			_ = t.block.Free()
		}
	}
	if x.saved != nil && x.saved.left.Load() > 0 {
		x.saved.close()
	}
}

// place is where a name is looked for.
type place struct {
	shard *shard
	start uint64 // bucket before masking
	tag   uint64 // in place for comparison with a slot
}

func (x *index) place(h Hash) place {
	lo, hi := binary.LittleEndian.Uint64(h[:8]), binary.LittleEndian.Uint64(h[8:])
	return place{shard: &x.shards[lo>>40&(shardCount-1)], start: lo & (1<<40 - 1), tag: hi &^ addrMask}
}

// shardOf returns the number of the shard of h.
func shardOf(h Hash) int { return int(h[5]) }

// match compares the tags of 8 slots without a branch: bit i says that slot i may be it. That is a hint: slots change,
// so whoever acts on one loads it again. With SSE2 it was no quicker: the call costs what the vectors save.
func match(b *[bucketSlots]atomic.Uint64, tag uint64) (same uint32) {
	// Equal tags leave 0 of 16 bits, of which one less is negative.
	for i := range b {
		same |= uint32(((b[i].Load()^tag)>>arena.AddrBits-1)>>63) << i
	}
	return same
}

func (t *table) bucket(i uint64) *[bucketSlots]atomic.Uint64 {
	at := (i & t.mask) * bucketSlots
	return (*[bucketSlots]atomic.Uint64)(t.slots[at : at+bucketSlots])
}

// ends reports whether a probe ends in a bucket: slots fill up in order, so the last one tells.
func ends(b *[bucketSlots]atomic.Uint64) bool {
	w := b[bucketSlots-1].Load()
	return w == slotEmpty || w == slotFrozen
}

// hashAt returns the name in the header at a.
func (x *index) hashAt(a arena.Addr) Hash {
	return Hash(x.arena.Bytes(a, headerBytes)[hashAt:payloadSumAt])
}

// isEntry reports whether a slot's word leads to a record.
func isEntry(w uint64) bool {
	a := w & addrMask
	return a > slotDead && a != slotFrozen
}

// find returns the address of h, Nil if there is none. The caller holds an epoch pin.
func (x *index) find(h Hash) arena.Addr {
	p := x.place(h)
	t := p.shard.table.Load()
	if t == nil {
		var err error
		if t, err = x.load(p.shard); err != nil {
			return arena.Nil // absent, until there is memory again
		}
	}
	return x.findIn(t, p, h)
}

func (x *index) findIn(t *table, p place, h Hash) arena.Addr {
	for i := uint64(0); i <= t.mask; i++ {
		b := t.bucket(p.start + i)
		for same := match(b, p.tag); same != 0; same &= same - 1 {
			w := b[bits.TrailingZeros32(same)&(bucketSlots-1)].Load()
			if isEntry(w) && x.hashAt(arena.Addr(w&addrMask)) == h {
				return arena.Addr(w & addrMask)
			}
		}
		if ends(b) {
			return arena.Nil
		}
	}
	return arena.Nil
}

// findGroup sets at[i] to the address of names[i]. No step for one name waits for that of another. The caller holds an
// epoch pin.
func (x *index) findGroup(names []Hash, at *[batchNames]arena.Addr) {
	names = names[:min(len(names), batchNames)]
	var (
		places [batchNames]place
		tables [batchNames]*table
		sum    uint64
	)
	for i := range names {
		places[i] = x.place(names[i])
		if tables[i] = places[i].shard.table.Load(); tables[i] == nil {
			tables[i], _ = x.load(places[i].shard)
		}
		if t := tables[i]; t != nil {
			sum ^= t.slots[(places[i].start&t.mask)*bucketSlots].Load()
		}
	}
	// The address that is found in most cases: of the first slot with the tag in the first bucket.
	for i := range names {
		t := tables[i]
		if t == nil {
			continue
		}
		b := t.bucket(places[i].start)
		if same := match(b, places[i].tag); same != 0 {
			if w := b[bits.TrailingZeros32(same)&(bucketSlots-1)].Load(); isEntry(w) {
				sum ^= arena.LoadWord(x.arena.Bytes(arena.Addr(w&addrMask), headerBytes))
			}
		}
	}
	sink(byte(sum))
	for i := range names {
		at[i] = arena.Nil
		if tables[i] != nil {
			at[i] = x.findIn(tables[i], places[i], names[i])
		}
	}
}

// insert enters h at addr unless h has an entry, whose address it returns then. The caller holds an epoch pin, and the
// record at addr is complete.
func (x *index) insert(h Hash, addr arena.Addr) (existing arena.Addr, err error) {
	p := x.place(h)
	for {
		t := p.shard.table.Load()
		if t == nil {
			if t, err = x.load(p.shard); err != nil {
				return arena.Nil, err
			}
		}
		existing, done := x.tryInsert(t, p, h, addr)
		if done && existing != arena.Nil {
			return existing, nil
		}
		if done {
			p.shard.live.Add(1)
			if t.used.Add(1) > t.limit {
				// The entry is in; a table that cannot grow now gets another chance at the next insert.
				_ = x.grow(p.shard, t)
			}
			return arena.Nil, nil
		}
		if err := x.grow(p.shard, t); err != nil {
			return arena.Nil, err
		}
	}
}

// tryInsert reports done=false when t is full or frozen where h belongs.
func (x *index) tryInsert(t *table, p place, h Hash, addr arena.Addr) (existing arena.Addr, done bool) {
	for i := uint64(0); i <= t.mask; i++ {
		b := t.bucket(p.start + i)
		for j := 0; j < bucketSlots; {
			w := b[j].Load()
			switch {
			case w == slotEmpty:
				if b[j].CompareAndSwap(slotEmpty, p.tag|uint64(addr)) {
					return arena.Nil, true
				}
				continue // the same slot again: whoever won may have entered h (S1)
			case w == slotFrozen:
				return arena.Nil, false
			case (w^p.tag)>>arena.AddrBits == 0 && isEntry(w) && x.hashAt(arena.Addr(w&addrMask)) == h:
				return arena.Addr(w & addrMask), true
			}
			j++
		}
	}
	return arena.Nil, false
}

// grow replaces t, the table of s, by one with room; it does nothing if that has happened. If memory for the new table
// is wanting, the old one stays frozen: it can be read, and inserts fail until growing succeeds.
func (x *index) grow(s *shard, t *table) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table.Load() != t {
		return nil
	}
	for i := range t.slots {
		if t.slots[i].Load() == slotEmpty {
			t.slots[i].CompareAndSwap(slotEmpty, slotFrozen)
		}
	}
	n, lost, err := x.rehash(t)
	if err != nil {
		return err
	}
	s.live.Add(-lost)
	s.table.Store(n)
	x.epochs.Retire(t.block.Len(), func() { _ = t.block.Free() })
	return nil
}

// rehash returns a table with room for twice the entries of t, into which nobody inserts meanwhile, and how many were
// lost because their records cannot be read.
func (x *index) rehash(t *table) (n *table, lost int64, err error) {
	var entries int64
	for i := range t.slots {
		if isEntry(t.slots[i].Load()) {
			entries++
		}
	}
	// Room for twice the entries: a table full of dead ones does not grow.
	if n, err = newTable(bucketsFor(2 * entries)); err != nil {
		return nil, 0, err
	}
	for i := 0; i < len(t.slots); i++ {
		fetched := i
		// The place of an entry is in the record's header. One that cannot be read is damaged, and dropped.
		err := x.arena.Confine(func() error {
			for ; i < len(t.slots); i++ {
				if i >= fetched {
					x.fetchHeaders(t.slots[i:min(i+growAhead, len(t.slots))])
					fetched = i + growAhead
				}
				if w := t.slots[i].Load(); isEntry(w) {
					n.copyEntry(x.place(x.hashAt(arena.Addr(w&addrMask))).start, w)
				}
			}
			return nil
		})
		if err != nil {
			lost++
		}
	}
	return n, lost, nil
}

// growAhead is how many slots grow looks ahead.
const growAhead = 32

// fetchHeaders brings the headers that entries lead to into the cache without waiting for each.
func (x *index) fetchHeaders(slots []atomic.Uint64) {
	sum := byte(0)
	for i := range slots {
		if w := slots[i].Load(); isEntry(w) {
			sum ^= x.arena.Bytes(arena.Addr(w&addrMask), headerBytes)[hashAt]
		}
	}
	sink(sum)
}

// copyEntry enters w into a table that nobody else sees yet.
func (t *table) copyEntry(start, w uint64) {
	for i := uint64(0); i <= t.mask; i++ {
		b := t.bucket(start + i)
		for j := range b {
			if b[j].Load() == slotEmpty {
				b[j].Store(w)
				t.used.Add(1)
				return
			}
		}
	}
	panic("mmapcas: index table is full although it was made for more entries")
}

// change makes the entry of h that leads to from lead to to instead; to Nil drops it. It reports whether there was one.
func (x *index) change(h Hash, from, to arena.Addr) bool {
	if from == arena.Nil {
		return false // it would look like an empty slot
	}
	p := x.place(h)
	p.shard.mu.Lock()
	defer p.shard.mu.Unlock()
	t, err := x.loadLocked(p.shard)
	if err != nil {
		return false
	}
	old := p.tag | uint64(from)
	with := p.tag | uint64(to)
	if to == arena.Nil {
		with = slotDead
	}
	for i := uint64(0); i <= t.mask; i++ {
		b := t.bucket(p.start + i)
		for j := range b {
			switch b[j].Load() {
			case old:
				b[j].Store(with)
				if to == arena.Nil {
					p.shard.live.Add(-1)
				}
				return true
			case slotEmpty, slotFrozen:
				return false
			}
		}
	}
	return false
}

// dropUnreadable drops the entries that may be h's but lead to memory that faults.
func (x *index) dropUnreadable(h Hash) {
	p := x.place(h)
	p.shard.mu.Lock()
	defer p.shard.mu.Unlock()
	t, err := x.loadLocked(p.shard)
	if err != nil {
		return
	}
	for i := uint64(0); i <= t.mask; i++ {
		b := t.bucket(p.start + i)
		for j := range b {
			w := b[j].Load()
			if w == slotEmpty || w == slotFrozen {
				return
			}
			if (w^p.tag)>>arena.AddrBits != 0 || !isEntry(w) {
				continue
			}
			err := x.arena.Confine(func() error {
				touch(x.arena.Bytes(arena.Addr(w&addrMask), headerBytes))
				return nil
			})
			if err != nil {
				b[j].Store(slotDead)
				p.shard.live.Add(-1)
			}
		}
	}
}

// dropRange drops all entries that lead to addresses in [from, to).
func (x *index) dropRange(from, to arena.Addr) {
	for i := range x.shards {
		s := &x.shards[i]
		s.mu.Lock()
		t, err := x.loadLocked(s)
		if err != nil {
			s.mu.Unlock()
			continue
		}
		for j := range t.slots {
			if w := t.slots[j].Load(); isEntry(w) && arena.Addr(w&addrMask) >= from && arena.Addr(w&addrMask) < to {
				t.slots[j].Store(slotDead)
				s.live.Add(-1)
			}
		}
		s.mu.Unlock()
	}
}

// touch reads the first byte of b. It is not inlined, so that the read is not found to be useless.
//
//go:noinline
func touch(b []byte) byte { return b[0] }

// eachOf calls fn for every entry of shard i. Entries that come and go meanwhile may be missed. The caller holds an epoch
// pin.
func (x *index) eachOf(i int, fn func(entry)) {
	s := &x.shards[i]
	t, err := x.load(s)
	if err != nil {
		return
	}
	for j := range t.slots {
		if w := t.slots[j].Load(); isEntry(w) {
			fn(entry{addr: arena.Addr(w & addrMask), word: w, slot: &t.slots[j], shard: s, table: t})
		}
	}
}

// An entry is one as it was met.
type entry struct {
	addr  arena.Addr
	word  uint64
	slot  *atomic.Uint64
	shard *shard
	table *table
}

// current reports whether the entry is still there.
func (e *entry) current() bool { return e.slot.Load() == e.word && e.shard.table.Load() == e.table }

func (x *index) count() int64 {
	var n int64
	for i := range x.shards {
		n += x.shards[i].live.Load()
	}
	return n
}

func (x *index) bytes() int64 {
	var n int64
	for i := range x.shards {
		if t := x.shards[i].table.Load(); t != nil {
			n += int64(t.block.Len())
		}
	}
	return n
}
