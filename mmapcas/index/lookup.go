package index

import (
	"unsafe"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// Looking up a record waits for memory twice: for its bucket, and for its header, whose place the
// bucket tells. A processor waits for several lookups at once if they are short enough for more
// than one to be on its list of pending instructions, and if none has a locked instruction or a
// load from what was just stored in other pieces. So these paths are written for few instructions,
// and what is rare is in functions of its own.

// BatchNames is how many names are looked up side by side: about as many as a processor can wait
// for at once.
const BatchNames = 16

// Find returns the address of h, Nil if there is none. The caller holds an epoch pin.
func (x *Index) Find(h record.Hash) arena.Addr { return x.FindKey(KeyOf(&h)) }

// FindKey is Find. Most records are where the first slot with their tag leads to, in the first
// bucket.
func (x *Index) FindKey(k Key) arena.Addr {
	t := x.shardFor(k).table.Load()
	if t == nil {
		return x.findUnread(k)
	}
	b := t.bucket(k.start())
	if same := match(b, k.tag()); same != 0 {
		if w := b[slotOf(same)].Load(); isEntry(w) && x.keyAt(arena.Addr(w&addrMask)) == k {
			return arena.Addr(w & addrMask)
		}
	} else if ends(b) {
		return arena.Nil
	}
	return x.findIn(t, k)
}

// findUnread is Find in a shard that is not in memory.
func (x *Index) findUnread(k Key) arena.Addr {
	t, err := x.load(x.shardFor(k))
	if err != nil {
		return arena.Nil // absent, until there is memory again
	}
	return x.findIn(t, k)
}

// FindRead is FindKey while memory is short: it copies the beginning of the record into b, as
// arena.Arena.Read does, and returns how many bytes that are, at least those of the header; or 0,
// if the record is to be looked at in place. The caller holds an epoch pin and is confined.
func (x *Index) FindRead(k Key, b []byte) (at arena.Addr, n int) {
	t := x.shardFor(k).table.Load()
	if t == nil {
		var err error
		if t, err = x.load(x.shardFor(k)); err != nil {
			return arena.Nil, 0 // as findUnread
		}
	}
	for i := uint64(0); i <= t.mask; i++ {
		slots := t.bucket(k.start() + i)
		for same := match(slots, k.tag()); same != 0; same &= same - 1 {
			w := slots[slotOf(same)].Load()
			if !isEntry(w) {
				continue
			}
			at := arena.Addr(w & addrMask)
			n := x.arena.Read(at, b, headerBytes)
			if n > 0 && KeyOf((*record.Hash)(b[hashAt:])) == k || n == 0 && x.keyAt(at) == k {
				return at, n
			}
		}
		if ends(slots) {
			break
		}
	}
	return arena.Nil, 0
}

// Approach brings the buckets and the headers of names into the cache, with no step for one name
// waiting for that of another, and sets at[i] to where the record named names[i] is in most cases,
// Nil if no place is likely. The caller holds an epoch pin.
func (x *Index) Approach(names []record.Hash, at *[BatchNames]arena.Addr) {
	names = names[:min(len(names), BatchNames)]
	var buckets [BatchNames]*bucket
	for i := range names {
		k := KeyOf(&names[i])
		s := x.shardFor(k)
		t := s.table.Load()
		if t == nil {
			if t, _ = x.load(s); t == nil {
				continue
			}
		}
		buckets[i] = t.bucket(k.start())
		affinity.Prefetch(unsafe.Pointer(buckets[i]), bucketBytes)
	}
	// The first slot with the tag in the first bucket.
	for i := range names {
		at[i] = arena.Nil
		b := buckets[i]
		if b == nil {
			continue
		}
		if same := match(b, KeyOf(&names[i]).tag()); same != 0 {
			if w := b[slotOf(same)].Load(); isEntry(w) {
				at[i] = arena.Addr(w & addrMask)
				x.arena.Fetch(at[i])
			}
		}
	}
}

// ApproachSlots brings the buckets of names into the cache, for who changes or drops their entries.
// The caller holds an epoch pin.
func (x *Index) ApproachSlots(names []record.Hash) {
	for i := range names {
		k := KeyOf(&names[i])
		if t := x.shardFor(k).table.Load(); t != nil {
			affinity.Prefetch(unsafe.Pointer(t.bucket(k.start())), bucketBytes)
		}
	}
}

// FindNear is FindKey for a name that Approach was asked about under the same epoch pin, with what
// Approach said: most records are there.
func (x *Index) FindNear(k Key, near arena.Addr) arena.Addr {
	if near != arena.Nil && x.keyAt(near) == k {
		return near
	}
	return x.FindKey(k)
}

// Leads reports whether there is an entry of h that leads to at. It looks at no record, and may
// miss one in a shard that grows, or is not in memory. The caller holds an epoch pin.
func (x *Index) Leads(h record.Hash, at arena.Addr) bool {
	k := KeyOf(&h)
	t := x.shardFor(k).table.Load()
	return t != nil && at != arena.Nil && t.slotWith(k, at) != nil
}

// FindGroup sets at[i] to the address of names[i]. The caller holds an epoch pin.
func (x *Index) FindGroup(names []record.Hash, at *[BatchNames]arena.Addr) {
	x.Approach(names, at)
	for i := range names[:min(len(names), BatchNames)] {
		at[i] = x.FindNear(KeyOf(&names[i]), at[i])
	}
}

// Fetch brings the records at these addresses into the cache, one after the other but without
// waiting for each.
func (x *Index) Fetch(at []arena.Addr) {
	if x.arena.Frugal() {
		return // nobody reads them in place
	}
	const line, most = 64, 1024
	sum := byte(0)
	for _, a := range at {
		if a == arena.Nil {
			continue
		}
		m := x.arena.Segment(a)
		if m == nil {
			continue
		}
		// The header's lines are there: the name was compared. What it says about the length may be
		// wrong.
		b := m.Mem()[m.Offset(a):]
		n := int(min(record.ExtentOf(arena.LoadWord(b)), int64(len(b)), most))
		for i := line; i < n; i += line {
			sum ^= b[i]
		}
	}
	sink(sum)
}
