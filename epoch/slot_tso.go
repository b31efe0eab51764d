//go:build amd64 && !race

package epoch

import (
	"unsafe"

	"github.com/cytisus/cytisus/affinity"
)

// On amd64 stores become visible in program order, and after all loads before them: a plain store
// is all that leaving takes. An atomic one makes later loads wait for it as well, for which only
// entering has a use, and not even entering where the other side sees to it
// (affinity.RemoteFences). See "Fences" in the package comment.
//
// Go has no such store, so it is written as an ordinary one to the atomic's memory. Safe: the word
// is aligned, the slot has one writer as long as it is pinned (E3), and everybody else reads it
// atomically. In the words of the Go memory model this is a race on a single word, which it bounds:
// a load sees a value that was stored. The compiler keeps the order of stores among each other and
// of a store with the loads before it, and an atomic load stays behind the store before it. Under
// the race detector, and on other processors, slot_atomic.go is used.

// enter announces a pin. Owner only.
func (s *slot) enter(w uint64) {
	if affinity.RemoteFences() {
		*(*uint64)(unsafe.Pointer(&s.word)) = w
		return
	}
	s.word.Store(w)
}

// leave takes the pin back. Its holder only.
func (s *slot) leave() { *(*uint64)(unsafe.Pointer(&s.word)) = 0 }
