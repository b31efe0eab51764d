package index

import (
	"io"
	"sync/atomic"

	"github.com/cytisus/cytisus/arena"
	"github.com/cytisus/cytisus/mmapcas/record"
)

// A File is what a saved index is read from.
type File interface {
	io.ReaderAt
	io.Closer
	Size() (int64, error)
}

// Records is what an index asks about the records of a saved one.
type Records interface {
	// Rather reports whether the copy of a record at one address is to be taken, and not the one at
	// another. The caller is inside a pin.
	Rather(this, that arena.Addr) bool
	// Walk calls fn for each whole record that the saved index covers. The caller is inside a pin.
	Walk(fn func(h record.Hash, at arena.Addr))
	// Damaged hears that the part of a shard, which begins at an offset of the file, is damaged or
	// cannot be read. Should it be readable another time, it may name copies of records that are
	// gone by then, where Walk finds others now: the file must not be used again.
	Damaged(shard int, off int64, err error)
	// Superfluous hears that a record of so many bytes that waited for its shard has an entry
	// already.
	Superfluous(bytes int64)
}

// A Saved is a saved index that was found sound. Shards are read from it when they are first asked
// for.
type Saved struct {
	Head
	at   [Shards + 1]int64 // where each part starts, and the last one ends
	file File              // closed when left is 0, or with the index
	left atomic.Int32      // shards still to be read

	// Written while an Open maps what the index reaches, immutable after.
	coverage coverage
}

// ReadSaved reads the head of a saved index, and says what is wrong with it, "" if nothing is. The
// caller closes f then.
func ReadSaved(f File, a *arena.Arena) (v *Saved, reason string) {
	b := make([]byte, savedHeadBytes)
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil, err.Error()
	}
	n, ok := parseReaches(b)
	if !ok {
		return nil, "no index file of this version"
	}
	size, err := f.Size()
	if err != nil {
		return nil, err.Error()
	}
	if size < headSize(n) {
		return nil, "too short"
	}
	b = make([]byte, headSize(n))
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil, err.Error()
	}
	v = &Saved{file: f, coverage: newCoverage(a)}
	if v.Head, ok = parseHead(b); !ok {
		return nil, "head fails its checksum"
	}
	v.at[0] = int64(len(b))
	for i := range v.parts {
		v.at[i+1] = v.at[i] + v.parts[i].bytes()
	}
	if v.at[Shards] > size {
		return nil, "too short"
	}
	return v, ""
}

// Cover says that the first length bytes behind an address are where they were. Entries that lead
// elsewhere count for nothing.
func (v *Saved) Cover(first arena.Addr, length int64) { v.coverage.add(first, length) }

// Close closes the file, of which a part is still to be read.
func (v *Saved) Close() {
	// It was opened for reading: nothing is lost.
	_ = v.file.Close()
}

// table reads the table of a shard, nil if its part is damaged.
func (v *Saved) table(i int) (t *table, damage, err error) {
	p := &v.parts[i]
	b := make([]byte, p.bytes())
	if _, damage = v.file.ReadAt(b, v.at[i]); damage != nil {
		return nil, damage, nil
	}
	t, err = decodeTable(b, p, v.coverage.has)
	return t, nil, err
}
