package arena

import (
	"sync/atomic"
	"unsafe"

	"github.com/cytisus/cytisus/affinity"
)

// A Block is zeroed memory for tables of numbers. Those from 4 KiB on lie off the Go heap, on huge
// pages where there are some; the collector does not count them. In race builds all lie on the
// heap, where the race detector sees them.
type Block struct {
	mem    []byte
	page   *slabPage // that it is a piece of, nil if it is none
	piece  int
	mapped bool
}

// smallPages: see UseHugePages.
var smallPages atomic.Bool

// UseHugePages tells whether blocks that are made from now on lie on huge pages where there are
// some. On small ones looks at random take longer, and only what was touched is in memory, where
// each size of tables takes two huge pages or more.
func UseHugePages(use bool) { smallPages.Store(!use) }

// blocks is what all of the process share: a huge page is a lot for a small store.
var blocks = slab{mapPage: mapListed, unmapPage: unmapListed}

// NewBlock returns a block of n bytes, which starts on a cache line.
func NewBlock(n int) (*Block, error) {
	switch {
	case Race || !canPlace || n < pieceBytesMin:
		return &Block{mem: heapBytes(n)}, nil
	case n <= pieceBytesMax:
		mem, page, piece, err := blocks.take(n)
		if err != nil {
			return nil, err
		}
		return &Block{mem: mem, page: page, piece: piece}, nil
	}
	mem, err := mapListed(n)
	if err != nil {
		return nil, err
	}
	return &Block{mem: mem, mapped: true}, nil
}

// Words returns the block as words. They are gone after Free.
func (b *Block) Words() []atomic.Uint64 { return words(b.mem) }

// Fetch brings the line of a word into the cache, and does not wait for it.
func (b *Block) Fetch(word int) { affinity.Prefetch(unsafe.Pointer(&b.mem[8*word]), 1) }

// Plain returns the block as words that one goroutine has to itself. They are gone after Free.
func (b *Block) Plain() []uint64 { return plainWords(b.mem) }

// Bytes returns the block as bytes. They are gone after Free.
func (b *Block) Bytes() []byte { return b.mem }

// Len returns the size in bytes.
func (b *Block) Len() int { return len(b.mem) }

// Free gives the memory back. The caller knows that nobody uses it.
func (b *Block) Free() error {
	mem := b.mem
	b.mem = nil
	switch {
	case mem == nil:
		return nil
	case b.page != nil:
		return blocks.give(b.page, b.piece)
	case b.mapped:
		return unmapListed(mem)
	}
	return nil
}
