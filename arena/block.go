package arena

import "sync/atomic"

// blockBytesMin is the size from which a block is worth a mapping of its own.
const blockBytesMin = 64 << 10

// A Block is zeroed memory for tables of numbers. Large ones lie off the Go heap, where the collector does not
// count them; in race builds all lie on it, where the race detector sees them.
type Block struct {
	mem    []byte
	mapped bool
}

// NewBlock returns a block of n bytes, which starts on a cache line.
func NewBlock(n int) (*Block, error) {
	if raceEnabled || n < blockBytesMin {
		return &Block{mem: heapBytes(n)}, nil
	}
	mem, err := mapBlock(n)
	if err != nil {
		return nil, err
	}
	return &Block{mem: mem, mapped: true}, nil
}

// Words returns the block as words. They are gone after Free.
func (b *Block) Words() []atomic.Uint64 { return words(b.mem) }

// Bytes returns the block as bytes. They are gone after Free.
func (b *Block) Bytes() []byte { return b.mem }

// Len returns the size in bytes.
func (b *Block) Len() int { return len(b.mem) }

// Free gives the memory back. The caller knows that nobody uses it.
func (b *Block) Free() error {
	mem := b.mem
	b.mem = nil
	if !b.mapped || mem == nil {
		return nil
	}
	return unmapBlock(mem)
}
