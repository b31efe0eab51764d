//go:build !amd64 || race

package epoch

// enter announces a pin. Owner only.
func (s *slot) enter(w uint64) { s.word.Store(w) }

// leave takes the pin back. Its holder only.
func (s *slot) leave() { s.word.Store(0) }
