package mmapcas

import (
	"runtime"

	"github.com/cytisus/cytisus/epoch"
)

// newIdle returns a reader that nobody closes: once it is forgotten, the domain is told not to ask it any more.
func newIdle(s *Store) *Reader {
	r := s.NewReader()
	runtime.AddCleanup(r, func(pin *epoch.Participant) { pin.Close() }, r.pin)
	return r
}
