package db

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	goruntime "runtime"
	"sync/atomic"
	"unsafe"

	"github.com/cytisus/cytisus/affinity"
	"github.com/cytisus/cytisus/arena"
)

// points remembers what exact reads found; "The point cache" in the package comment says why what
// it answers is right.
type points struct {
	seeds   [2]maphash.Seed // immutable
	stamps  []atomic.Uint64 // header immutable; a power of two of them; each is stored with the turn held and only grows (P1)
	held    *arena.Block    // immutable: what stamps lie in
	buckets uint64          // immutable: the most there may be, a power of two
	first   uint64          // immutable: buckets of parts[0], a power of two
	treeMin uint64          // immutable: entries of a tree that is worth it

	mask  atomic.Uint64 // buckets in use, less one; written by who has set growing
	parts [pointParts]atomic.Pointer[pointPart]

	_       [64]byte
	pushed  atomic.Int64 // live entries that made room since the table grew
	growing atomic.Bool  // somebody makes the table grow
}

const (
	pointBucketBytes = 128
	pointWords       = 5 // of an entry: two of the print, two of the hash, the generation
	pointEntries     = 3 // of a bucket, behind the word that counts its changes
	pointParts       = 32
	pointPartBuckets = 512
	pointTreeMin     = 512
	pointsAhead      = 16 // keys whose places are asked for before the first is looked at
)

// pointBucket is a count of changes, odd while one is under way, and entries. An entry with a print
// of zero is none.
type pointBucket [pointBucketBytes / 8]atomic.Uint64

var _ [pointBucketBytes]byte = [8 * (1 + pointEntries*pointWords)]byte{}

// A pointPart is a piece of the table. The first has points.first buckets, each further one as many
// as all before it.
type pointPart struct {
	words []atomic.Uint64 // header immutable
	block *arena.Block    // freed once nobody leads here any more
}

// A pointPrint stands for a partition and a key.
type pointPrint struct{ lo, hi uint64 }

// newPoints returns a cache of at most so many bytes, or nil if there is none to be had.
func newPoints(maxBytes int64, treeMin uint64) (*points, error) {
	if maxBytes < pointBucketBytes {
		return nil, nil
	}
	p := &points{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, treeMin: treeMin}
	p.buckets = min(uint64(1)<<(bits.Len64(uint64(maxBytes)/pointBucketBytes)-1), 1<<pointParts)
	p.first = min(p.buckets, pointPartBuckets)
	var err error
	if p.held, err = arena.NewBlock(8 * int(max(p.buckets/2, 1))); err != nil {
		return nil, err
	}
	p.stamps = p.held.Words()
	goruntime.AddCleanup(p, freeBlock, p.held)
	if err := p.extend(0, p.first); err != nil {
		return nil, err
	}
	p.mask.Store(p.first - 1)
	return p, nil
}

func freeBlock(b *arena.Block) { _ = b.Free() }

// extend makes a part of n buckets.
func (p *points) extend(part int, n uint64) error {
	b, err := arena.NewBlock(int(n) * pointBucketBytes)
	if err != nil {
		return err
	}
	// Whoever reads in it holds p (see find), which holds the part.
	s := &pointPart{b.Words(), b}
	goruntime.AddCleanup(s, freeBlock, b)
	p.parts[part].Store(s)
	return nil
}

func (p *points) print(part PartID, key string) pointPrint {
	return pointPrint{p.low(part, key), maphash.String(p.seeds[1], key) ^ uint64(part)*0x9e3779b97f4a7c15}
}

// low is the part of a print that a commit needs. It is never zero.
func (p *points) low(part PartID, key string) uint64 {
	return (maphash.String(p.seeds[0], key) ^ uint64(part)*0xd6e8feb86659fd93) | 1
}

// stamp returns the stamp of the keys with this lower half of the print; its lowest bit says
// nothing.
func (p *points) stamp(low uint64) *atomic.Uint64 {
	return &p.stamps[low>>1&uint64(len(p.stamps)-1)]
}

// bucket returns the place of a print, given the mask.
func (p *points) bucket(hi, mask uint64) *pointBucket {
	at := hi & mask
	part := bits.Len64(at / p.first)
	if part > 0 {
		at -= p.first << (part - 1)
	}
	words := p.parts[part].Load().words[at*uint64(len(pointBucket{})):]
	return (*pointBucket)(words)
}

// note says that keys change in a generation that nobody can see yet. The turn is held.
func (p *points) note(gen uint64, changes []Change) {
	if p == nil {
		return
	}
	// A store waits for its line, so lines are asked for some keys ahead.
	var some [pointsAhead]*atomic.Uint64
	for len(changes) > 0 {
		n := min(len(changes), pointsAhead)
		for i := range n {
			some[i] = p.stamp(p.low(changes[i].Part, changes[i].Key))
			affinity.Prefetch(unsafe.Pointer(some[i]), 1)
		}
		for _, stamp := range some[:n] {
			stamp.Store(gen) // P1
		}
		changes = changes[n:]
	}
}

// find returns what a read of t, in a snapshot of generation gen, would: the zero hash says that
// there is none. ok is false if it does not know.
func (p *points) find(k pointPrint, t *tree, gen uint64) (h Hash, ok bool) {
	b := p.bucket(k.hi, p.mask.Load())
	count := b[0].Load()
	if count&1 != 0 {
		return Hash{}, false
	}
	for at := 1; at < len(b); at += pointWords {
		if b[at].Load() != k.lo || b[at+1].Load() != k.hi {
			continue
		}
		h0, h1, since := b[at+2].Load(), b[at+3].Load(), b[at+4].Load()
		if b[0].Load() != count || since > gen || !p.holds(k.lo, t, since) {
			break
		}
		binary.LittleEndian.PutUint64(h[:], h0)
		binary.LittleEndian.PutUint64(h[8:], h1)
		ok = true
		break
	}
	goruntime.KeepAlive(p) // and the memory that the table lies in
	return h, ok
}

// holds reports whether what was at a key in generation since is there in the tree t.
func (p *points) holds(low uint64, t *tree, since uint64) bool {
	return t.changed <= since || t.noted() <= since && p.stamp(low).Load() <= since // P2
}

// add remembers what a read in generation gen found. Of two that want the same bucket at once one
// is remembered.
func (p *points) add(k pointPrint, gen uint64, h Hash) {
	mask := p.mask.Load()
	if p.stamp(k.lo).Load() > gen {
		return // it has changed since: only other readers of the past could use it
	}
	b := p.bucket(k.hi, mask)
	count := b[0].Load()
	if count&1 != 0 || !b[0].CompareAndSwap(count, count+1) {
		return
	}
	h0, h1 := binary.LittleEndian.Uint64(h[:]), binary.LittleEndian.Uint64(h[8:])
	at, pushed := 0, false
	for e := 1; e < len(b); e += pointWords {
		low, since := b[e].Load(), b[e+4].Load()
		if low == k.lo && b[e+1].Load() == k.hi {
			at, pushed = e, false
			break
		}
		if at == 0 && (low == 0 || b[e+1].Load()&mask != k.hi&mask || p.stamp(low).Load() > since) {
			at = e // empty, or no use to anybody
		}
	}
	if at == 0 {
		at = 1 + int(count/2%pointEntries)*pointWords
		pushed = true
	}
	b[at].Store(k.lo)
	b[at+1].Store(k.hi)
	b[at+2].Store(h0)
	b[at+3].Store(h1)
	b[at+4].Store(gen)
	b[0].Store(count + 2)
	if pushed && p.pushed.Add(1) > int64(mask/4) && mask+1 < p.buckets && p.growing.CompareAndSwap(false, true) {
		go p.grow()
	}
	goruntime.KeepAlive(p)
}

// grow doubles the table. An entry stays where it is or goes into the new part, which nobody looks
// at before it is full. Readers go on meanwhile; what they add to buckets that were seen to already
// may be forgotten. The caller has set growing.
func (p *points) grow() {
	defer p.growing.Store(false)
	mask := p.mask.Load()
	n := mask + 1
	part := bits.Len64(n / p.first)
	p.pushed.Store(0) // also if there is no memory: not again at once
	if n >= p.buckets || p.extend(part, n) != nil {
		return
	}
	words := p.parts[part].Load().words
	for at := range n {
		from, to := p.bucket(at, mask), (*pointBucket)(words[at*uint64(len(pointBucket{})):])
		var entries pointBucketCopy
		count, k := from[0].Load(), 0
		for e := 1; e < len(from); e += pointWords {
			if low, hi := from[e].Load(), from[e+1].Load(); low == 0 || hi&n == 0 {
				continue
			}
			for i := range pointWords {
				entries[k+i] = from[e+i].Load()
			}
			k += pointWords
		}
		if count&1 != 0 || from[0].Load() != count {
			continue
		}
		for i, w := range entries[:k] {
			to[1+i].Store(w)
		}
	}
	p.mask.Store(2*n - 1)
}

// pointBucketCopy is the words of the entries of a bucket.
type pointBucketCopy [pointEntries * pointWords]uint64
