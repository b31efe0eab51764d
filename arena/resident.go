package arena

import (
	"sync"
	"unsafe"
)

// A Residence is what the system says of the memory of this process.
type Residence struct {
	Resident int64 // bytes in memory, those that are shared with others included
	Files    int64 // of these, pages of mapped files: segments, the program, libraries
}

// ReadResidence asks the system, which costs a read of some 50 bytes. It reports false where the
// system does not say.
func ReadResidence() (Residence, bool) { return readResidence() }

// DropProgram gives back the pages of the program's code and constants: most of them are looked at
// once, when packages are initialised. What is needed again comes from the system's cache, by a
// fault for each 64 KiB or so. It returns how many bytes it gave back, and reports false where the
// system does not say which pages are the file's: others are never dropped. Anybody may call it at
// any time.
func DropProgram() (dropped int64, ok bool) { return dropProgram() }

// Resident returns how many bytes of the segment are in memory as pages of this process. It reports
// false where the system does not say.
func (s *Segment) Resident() (int64, bool) { return residentIn(s.mem) }

// OnHeap reports whether the segment lies on Go's heap, or in memory that a fake has supplied: then
// its pages are not the arena's to count.
func (s *Segment) OnHeap() bool {
	src := s.source
	if f, ok := src.(failing); ok {
		src = f.src
	}
	switch src.(type) {
	case heap, memory:
		return true
	case anonymous:
		return s.arena.base == nil
	}
	return false
}

// DropPages gives back the pages of a committed part of the segment, which its file has: the next
// look at each brings it back, from the system's cache or from the disk. It reports false where
// there is no file or the system cannot; nothing is lost in any case, as pages that were written to
// stay the file's. Readers may be inside.
func (s *Segment) DropPages() bool {
	if s.OnHeap() {
		return false
	}
	return s.source.drop(s.mem[:s.length.Load()&^(pageBytes-1)])
}

// BlockBytes is what all blocks of the process take, off the Go heap.
type BlockBytes struct {
	Mapped   int64 // address space, whole huge pages included of which pieces were handed out
	Resident int64 // of these, in memory; equal to Mapped where the system does not say
}

// ReadBlockBytes asks the system about every mapping that blocks lie in.
func ReadBlockBytes() (b BlockBytes) {
	blockMaps.mu.Lock()
	defer blockMaps.mu.Unlock()
	for p, n := range blockMaps.bytes {
		b.Mapped += int64(n)
		r, ok := residentIn(unsafe.Slice(p, n))
		if !ok {
			r = int64(n)
		}
		b.Resident += r
	}
	return b
}

// blockMaps are the mappings that blocks lie in.
var blockMaps struct {
	mu    sync.Mutex
	bytes map[*byte]int // guarded by mu: by where each begins, outside of the Go heap
}

// mapListed is mapBlock for memory that ReadBlockBytes is to know of.
func mapListed(n int) ([]byte, error) {
	mem, err := mapBlock(n)
	if err != nil {
		return nil, err
	}
	blockMaps.mu.Lock()
	defer blockMaps.mu.Unlock()
	if blockMaps.bytes == nil {
		blockMaps.bytes = map[*byte]int{}
	}
	blockMaps.bytes[unsafe.SliceData(mem)] = n
	return mem, nil
}

func unmapListed(mem []byte) error {
	blockMaps.mu.Lock()
	defer blockMaps.mu.Unlock()
	delete(blockMaps.bytes, unsafe.SliceData(mem))
	return unmapBlock(mem)
}
