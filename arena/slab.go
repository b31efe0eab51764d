package arena

import (
	"math/bits"
	"slices"
	"sync"
)

// Tables that are looked into at random want huge pages: with small ones most looks need an entry
// of the page table that is in no cache of the processor. A table may be far smaller than a huge
// page, so several share one.
//
// A slabPage is one huge page, cut into pieces of one size, a power of two. It is given back to the
// system as soon as no piece is in use, so what a slab holds beyond that is less than one page per
// size.
const (
	slabPageBytes  = 2 << 20
	slabPiecesMax  = slabPageBytes / pieceBytesMin
	pieceBytesMin  = 4 << 10
	pieceBytesMax  = slabPageBytes / 2
	pieceSizes     = 9 // 4 KiB to 1 MiB
	slabPieceWords = slabPiecesMax / 64
)

var _ [pieceBytesMax]byte = [pieceBytesMin << (pieceSizes - 1)]byte{}

// A slab hands out pieces of huge pages. Any goroutine may call its methods.
type slab struct {
	mapPage   func(n int) ([]byte, error) // n zero bytes, on a multiple of n; immutable
	unmapPage func([]byte) error          // immutable

	mu   sync.Mutex
	open [pieceSizes][]*slabPage // pages with a free piece, by size; guarded by mu
}

type slabPage struct {
	mem  []byte
	size int // index into slab.open; immutable
	// The rest is guarded by the slab's mu.
	taken  [slabPieceWords]uint64 // bit i: piece i is in use
	inUse  int
	unused int // pieces from here on were never handed out, and are zero
}

func (p *slabPage) pieceBytes() int { return pieceBytesMin << p.size }
func (p *slabPage) pieces() int     { return slabPageBytes / p.pieceBytes() }

// pieceSize is the size, as an index, of the smallest piece with n bytes.
func pieceSize(n int) int { return max(0, bits.Len(uint(n-1))-bits.Len(uint(pieceBytesMin-1))) }

// take returns a piece with n zero bytes, at most pieceBytesMax, and the page and number that give
// takes it back by.
func (s *slab) take(n int) (mem []byte, p *slabPage, piece int, err error) {
	size := pieceSize(n)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open[size]) == 0 {
		mem, err := s.mapPage(slabPageBytes)
		if err != nil {
			return nil, nil, 0, err
		}
		s.open[size] = append(s.open[size], &slabPage{mem: mem, size: size})
	}
	list := s.open[size]
	p = list[len(list)-1]
	for piece = 0; p.taken[piece/64]>>(piece%64)&1 != 0; piece++ {
		if ^p.taken[piece/64] == 0 {
			piece |= 63
		}
	}
	p.taken[piece/64] |= 1 << (piece % 64)
	if p.inUse++; p.inUse == p.pieces() {
		s.open[size] = list[:len(list)-1]
	}
	at := piece * p.pieceBytes()
	mem = p.mem[at : at+n : at+n]
	if piece < p.unused {
		clear(mem)
	} else {
		p.unused = piece + 1
	}
	return mem, p, piece, nil
}

// give takes a piece back.
func (s *slab) give(p *slabPage, piece int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.taken[piece/64]>>(piece%64)&1 == 0 {
		panic("arena: a block was freed twice")
	}
	p.taken[piece/64] &^= 1 << (piece % 64)
	if p.inUse == p.pieces() {
		s.open[p.size] = append(s.open[p.size], p)
	}
	if p.inUse--; p.inUse > 0 {
		return nil
	}
	i := slices.Index(s.open[p.size], p)
	s.open[p.size] = slices.Delete(s.open[p.size], i, i+1)
	return s.unmapPage(p.mem)
}
