// Package small is for the tests of mutants: what its tests find is known.
package small

import (
	"errors"
	"sync"
)

// A Box holds a number.
type Box[T any] struct {
	mu sync.Mutex
	n  int
}

// Add adds a number below ten.
func (b *Box[T]) Add(n int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n >= 10 {
		return errors.New("too large")
	}
	b.n += n
	return nil
}

// Untested is not looked at.
func Untested() int { return 1 + 2 }

// Loose is called, and what it returns is not looked at.
func Loose(on bool) int {
	if on {
		return 1
	}
	return 2
}
