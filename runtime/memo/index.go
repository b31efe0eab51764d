package memo

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// An index finds sources by key. It is a table of chains that lead through the sources themselves,
// so that one costs no more than its share of the table, some 11 bytes. Its zero value is empty.
//
// Readers take no lock. A source that is taken out goes on leading to those behind it. While a
// shard grows, sources move from one chain to another, and a reader may follow one into the chain
// of other keys: it ends there, since a source that has moved leads to such only, and one that has
// not to such. What it has found is right all the same; if it has found nothing, and sources moved
// meanwhile, it looks again under the lock.
type index struct{ shards [indexShards]indexShard }

const (
	indexShards     = 16
	bucketsAtFirst  = 2
	sourcesToBucket = 1 // a shard grows where there are more
)

type indexShard struct {
	buckets atomic.Pointer[[]bucket]
	moves   atomic.Uint32 // odd while sources move
	n       int32         // guarded by mu: sources
	mu      sync.Mutex
}

type bucket = atomic.Pointer[source]

var indexSeed = maphash.MakeSeed()

// indexPrint returns the hash of a key: 4 bits for the shard, and the others for the bucket.
func indexPrint(key string) uint32 { return uint32(maphash.String(indexSeed, key)) }

func (x *index) shard(print uint32) *indexShard { return &x.shards[print%indexShards] }

func bucketOf(buckets []bucket, print uint32) *bucket {
	return &buckets[int(print/indexShards)&(len(buckets)-1)]
}

// load returns the source of a key, nil if there is none.
func (x *index) load(key string) *source {
	print := indexPrint(key)
	s := x.shard(print)
	moves := s.moves.Load()
	if o := s.find(print, key); o != nil || moves%2 == 0 && s.moves.Load() == moves {
		return o
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(print, key)
}

func (s *indexShard) find(print uint32, key string) *source {
	buckets := s.buckets.Load()
	if buckets == nil {
		return nil
	}
	for o := bucketOf(*buckets, print).Load(); o != nil; o = o.next.Load() {
		if o.print == print && o.key() == key {
			return o
		}
	}
	return nil
}

// put adds a source, unless one of its key is there: it returns the one that is there then.
func (x *index) put(o *source) (in *source, was bool) {
	o.print = indexPrint(o.key())
	s := x.shard(o.print)
	s.mu.Lock()
	defer s.mu.Unlock()
	buckets := s.buckets.Load()
	if buckets == nil {
		s.resize(bucketsAtFirst)
		buckets = s.buckets.Load()
	}
	if in := s.find(o.print, o.key()); in != nil {
		return in, true
	}
	b := bucketOf(*buckets, o.print)
	o.next.Store(b.Load())
	b.Store(o)
	if s.n++; int(s.n) > sourcesToBucket*len(*buckets) {
		s.resize(2 * len(*buckets))
	}
	return o, false
}

// remove takes a source out, and reports whether it was there.
func (x *index) remove(o *source) bool {
	s := x.shard(o.print)
	s.mu.Lock()
	defer s.mu.Unlock()
	buckets := s.buckets.Load()
	if buckets == nil {
		return false
	}
	at := bucketOf(*buckets, o.print)
	for in := at.Load(); in != nil; in = at.Load() {
		if in == o {
			at.Store(o.next.Load())
			if s.n--; len(*buckets) > bucketsAtFirst && int(s.n) < len(*buckets)/sourcesToBucket/2 {
				s.resize(len(*buckets) / 2)
			}
			return true
		}
		at = &in.next
	}
	return false
}

// resize moves all sources to as many buckets as are asked for. The caller holds mu.
func (s *indexShard) resize(n int) {
	now := make([]bucket, n)
	s.moves.Add(1)
	if old := s.buckets.Load(); old != nil {
		for i := range *old {
			for o := (*old)[i].Load(); o != nil; o = (*old)[i].Load() {
				(*old)[i].Store(o.next.Load())
				to := bucketOf(now, o.print)
				o.next.Store(to.Load())
				to.Store(o)
			}
		}
	}
	s.buckets.Store(&now)
	s.moves.Add(1)
}

// each calls fn for the sources that are there when it comes to them, until it returns false. It
// holds no lock meanwhile.
func (x *index) each(fn func(*source) bool) {
	var list []*source
	for i := range x.shards {
		s := &x.shards[i]
		list = list[:0]
		s.mu.Lock()
		if buckets := s.buckets.Load(); buckets != nil {
			for j := range *buckets {
				for o := (*buckets)[j].Load(); o != nil; o = o.next.Load() {
					list = append(list, o)
				}
			}
		}
		s.mu.Unlock()
		for _, o := range list {
			if !fn(o) {
				return
			}
		}
	}
}
