//go:build !race

package hash

import (
	"bytes"
	"testing"
)

// Under the race detector a sync.Pool forgets on purpose.
func TestSumDoesNotAllocate(t *testing.T) {
	for _, n := range []int{64, 4096, 100 << 10} {
		p := bytes.Repeat([]byte{1}, n)
		Sum(1, p)
		if a := testing.AllocsPerRun(20, func() { Sum(1, p) }); a >= 1 {
			t.Errorf("Sum of %d bytes: %v allocations", n, a)
		}
	}
}
