package store

import (
	"context"
	"encoding/binary"
	"errors"
	"math/bits"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/edsrzf/mmap-go"
)

// A floorStore is a mapped log of key and value, and one table of 8-byte entries: 24 bits of the
// key, 40 bits of offset. One writer; readers take no lock, because an entry is stored after what
// it leads to.
type floorStore struct {
	file  *os.File
	log   mmap.MMap
	end   int
	table []atomic.Uint64
	mask  uint64
	sync  bool
}

const floorRecord = len(key{}) + valueBytes

func openFloor(_ context.Context, dir string, n int, sync bool) (contender, error) {
	f, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(int64((n + 1) * floorRecord)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	log, err := mmap.Map(f, mmap.RDWR, 0)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	slots := uint64(1) << bits.Len(uint(2*n))
	// Offset 0 stays unused: an entry of 0 is an empty slot.
	return &floorStore{file: f, log: log, end: floorRecord, table: make([]atomic.Uint64, slots), mask: slots - 1, sync: sync}, nil
}

func place(k *key) (slot, tag uint64) {
	return binary.LittleEndian.Uint64(k[:]), uint64(binary.LittleEndian.Uint32(k[8:])) << 40
}

func (c *floorStore) put(batch []record) error {
	for i := range batch {
		k := &batch[i].key
		copy(c.log[c.end:], k[:])
		copy(c.log[c.end+len(k):], batch[i].value)
		slot, tag := place(k)
		for c.table[slot&c.mask].Load() != 0 { // keys of one run differ
			slot++
		}
		c.table[slot&c.mask].Store(tag | uint64(c.end))
		c.end += floorRecord
	}
	if c.sync {
		return c.file.Sync()
	}
	return nil
}

func (c *floorStore) get(k *key) (int, bool) {
	for slot, tag := place(k); ; slot++ {
		e := c.table[slot&c.mask].Load()
		if e == 0 {
			return 0, false
		}
		if e&^(1<<40-1) == tag {
			if at := int(e & (1<<40 - 1)); key(c.log[at:at+len(k)]) == *k {
				return ends(c.log[at+len(k) : at+floorRecord]), true
			}
		}
	}
}

func (c *floorStore) reader() (reader, error) { return stateless{c.get}, nil }

func (c *floorStore) settle() error { return c.file.Sync() }

func (c *floorStore) close() error { return errors.Join(c.log.Unmap(), c.file.Close()) }
