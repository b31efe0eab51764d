package arena

import (
	"math/rand/v2"
	"testing"
)

// TestSlabModel: random pieces are taken, written all over and given back. Each is zero when it is
// taken and nobody else writes to it, and pages are held only while they have pieces in use.
func TestSlabModel(t *testing.T) {
	mapped := map[*byte]bool{}
	s := &slab{
		mapPage: func(n int) ([]byte, error) {
			b := make([]byte, n)
			mapped[&b[0]] = true
			return b, nil
		},
		unmapPage: func(b []byte) error {
			if len(b) != slabPageBytes || !mapped[&b[0]] {
				t.Error("something else is unmapped")
			}
			delete(mapped, &b[0])
			return nil
		},
	}
	type taken struct {
		mem   []byte
		page  *slabPage
		piece int
		mark  byte
	}
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, 1))
	var all []taken
	pieces := map[int]int{}
	give := func(i int) {
		k := all[i]
		for _, c := range k.mem {
			if c != k.mark {
				t.Fatalf("seed %d: a piece of %d bytes was overwritten", seed, len(k.mem))
			}
		}
		if err := s.give(k.page, k.piece); err != nil {
			t.Fatal(err)
		}
		pieces[pieceSize(len(k.mem))]--
		all[i] = all[len(all)-1]
		all = all[:len(all)-1]
	}
	for step := range 3000 {
		// More are taken than given for a while, then the other way round.
		if growing := step/500%2 == 0; len(all) == 0 || (rng.IntN(4) > 0) == growing {
			n := pieceBytesMin << rng.IntN(3)
			if rng.IntN(50) == 0 {
				n = pieceBytesMax >> rng.IntN(3)
			}
			if rng.IntN(4) == 0 {
				n -= 64
			}
			mem, page, piece, err := s.take(n)
			if err != nil {
				t.Fatal(err)
			}
			k := taken{mem, page, piece, byte(1 + step%255)}
			if len(mem) != n {
				t.Fatalf("seed %d: %d bytes, want %d", seed, len(mem), n)
			}
			for i := range mem {
				if mem[i] != 0 {
					t.Fatalf("seed %d: byte %d of %d is not zero", seed, i, n)
				}
				mem[i] = k.mark
			}
			pieces[pieceSize(n)]++
			all = append(all, k)
		} else {
			give(rng.IntN(len(all)))
		}
		for size, n := range pieces {
			if n == 0 && len(s.open[size]) > 0 {
				t.Fatalf("seed %d: pages are held for no pieces of size %d", seed, size)
			}
		}
	}
	for len(all) > 0 {
		give(len(all) - 1)
	}
	if len(mapped) > 0 {
		t.Fatalf("%d pages are left", len(mapped))
	}
}

func TestPieceSize(t *testing.T) {
	for n, want := range map[int]int{1: 0, pieceBytesMin: 0, pieceBytesMin + 1: 1, 2 * pieceBytesMin: 1, pieceBytesMax: pieceSizes - 1} {
		if got := pieceSize(n); got != want {
			t.Errorf("%d bytes are of size %d, want %d", n, got, want)
		}
	}
}

func TestBlockFreedTwice(t *testing.T) {
	s := &slab{mapPage: func(n int) ([]byte, error) { return make([]byte, n), nil }, unmapPage: func([]byte) error { return nil }}
	_, page, piece, err := s.take(pieceBytesMin)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := s.take(pieceBytesMin); err != nil {
		t.Fatal(err)
	}
	if err := s.give(page, piece); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if recover() == nil {
			t.Error("the second time went unnoticed")
		}
	}()
	_ = s.give(page, piece)
}
