package memo

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/zeebo/blake3"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/db"
)

// GetBatch is Get for many keys; the zero hash is an absent one.
func (f *Frame) GetBatch(part db.PartID, keys []string) ([]mmapcas.Hash, error) {
	hashes, err := f.strand.Snap.GetBatch(part, keys, make([]mmapcas.Hash, 0, len(keys)))
	if err != nil {
		f.tainted = true
		return nil, err
	}
	if f.records() {
		for i, key := range keys {
			f.record(read{kind: readRecord, part: part, key: key, hash: hashes[i]}, partBit(part), nil)
		}
	}
	return hashes, nil
}

// Has reports whether a key is there. What is recorded is that, and not what the key holds.
func (f *Frame) Has(part db.PartID, key string) (bool, error) {
	h, ok, err := f.strand.Snap.Get(part, key)
	if err != nil {
		f.tainted = true
		return false, err
	}
	f.record(read{kind: readPresence, part: part, key: key, hash: presence(h)}, partBit(part), nil)
	return ok, nil
}

// presence is what readPresence records of a key's hash.
func presence(h mmapcas.Hash) mmapcas.Hash {
	if h.IsZero() {
		return h
	}
	return mmapcas.Hash{1}
}

// Scan calls fn for every key of a span that matches glob ("": all do), in the span's direction and
// up to its limit, until fn returns false. What is recorded is what fn has seen: when it or the
// limit ended the scan, what lies behind the last key may change without invalidating the query.
// withHashes says whether the contents count or only which keys there are.
func (f *Frame) Scan(part db.PartID, sp db.Span, glob string, withHashes bool, fn func(key string, h mmapcas.Hash) bool) error {
	var (
		seen    []db.Entry // of a reverse scan: hashed in ascending order, as a walk will
		sum     *summer
		last    string
		stopped bool
		left    = sp.Limit
	)
	sp.Limit = 0 // which counts matches
	if f.records() {
		sum = newSummer(withHashes)
	}
	err := f.strand.Snap.Scan(part, sp, func(key string, h mmapcas.Hash) bool {
		if glob != "" && !doublestar.MatchUnvalidated(glob, key) {
			return true
		}
		last = key
		if f.records() {
			if sp.Reverse {
				seen = append(seen, db.Entry{Key: key, Hash: h})
			} else {
				sum.add(key, h)
			}
		}
		left--
		stopped = !fn(key, h) || left == 0
		return !stopped
	})
	if err != nil {
		f.tainted = true
		return err
	}
	if !f.records() {
		return nil
	}
	for _, e := range slices.Backward(seen) {
		sum.add(e.Key, e.Hash)
	}
	r := read{kind: readKeys, part: part, about: &about{hi: sp.Hi, glob: glob}, key: sp.Lo, hash: sum.hash()}
	if withHashes {
		r.kind = readRange
	}
	switch {
	case stopped && sp.Reverse:
		r.key = last
	case stopped:
		r.hi = last + "\x00"
	}
	f.record(r.filtered(), partBit(part), nil)
	return nil
}

// Count returns how many keys of [lo, hi) match glob; hi "" is unbounded, and glob "" matches all.
// What is recorded is the number.
func (f *Frame) Count(part db.PartID, lo, hi, glob string) (uint64, error) {
	n, err := countKeys(f.strand.Snap, part, lo, hi, glob)
	if err != nil {
		f.tainted = true
		return 0, err
	}
	r := read{kind: readCount, part: part, about: &about{hi: hi, glob: glob}, key: lo, hash: number(n)}
	f.record(r.filtered(), partBit(part), nil)
	return n, nil
}

// filtered returns r with the kind that its glob asks for.
func (r read) filtered() read {
	if r.glob != "" {
		r.kind |= readFiltered
	}
	return r
}

func countKeys(snap *db.Snapshot, part db.PartID, lo, hi, glob string) (n uint64, err error) {
	if glob == "" {
		n, err = snap.Count(part, lo, hi)
	} else {
		err = snap.Range(part, lo, hi, false, func(key string, _ mmapcas.Hash) bool {
			if doublestar.MatchUnvalidated(glob, key) {
				n++
			}
			return true
		})
	}
	if err != nil {
		return 0, fmt.Errorf("memo: counting range [%q, %q): %w", lo, hi, err)
	}
	return n, nil
}

func number(n uint64) (h mmapcas.Hash) {
	binary.LittleEndian.PutUint64(h[:], n)
	return h
}

// stateOf returns the hash that a read of a range would record now.
func (r *read) stateOf(snap *db.Snapshot) (mmapcas.Hash, error) {
	if r.kind&^readFiltered == readCount {
		n, err := countKeys(snap, r.part, r.key, r.hi, r.glob)
		return number(n), err
	}
	sum := newSummer(r.kind&^readFiltered == readRange)
	err := snap.Range(r.part, r.key, r.hi, false, func(key string, h mmapcas.Hash) bool {
		if r.glob == "" || doublestar.MatchUnvalidated(r.glob, key) {
			sum.add(key, h)
		}
		return true
	})
	if err != nil {
		return mmapcas.Hash{}, fmt.Errorf("memo: reading range [%q, %q): %w", r.key, r.hi, err)
	}
	return sum.hash(), nil
}

// A summer names the state of a range: its keys and, if wanted, their records, each
// length-prefixed.
type summer struct {
	hasher     *blake3.Hasher
	withHashes bool
	buf        []byte
}

func newSummer(withHashes bool) *summer { return &summer{hasher: blake3.New(), withHashes: withHashes} }

func (s *summer) add(key string, h mmapcas.Hash) {
	s.buf = appendString(s.buf[:0], key)
	if s.withHashes {
		s.buf = append(s.buf, h[:]...)
	}
	s.hasher.Write(s.buf)
}

func (s *summer) hash() (h mmapcas.Hash) {
	s.hasher.Digest().Read(h[:])
	return h
}
