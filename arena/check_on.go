//go:build check

package arena

// poison overwrites memory that is about to go, so that a stale reader of heap memory sees garbage
// rather than the old bytes. Memory of a reservation becomes inaccessible, which is better; files
// must keep their bytes.
func poison(s *Segment) {
	if _, ok := s.source.(heap); ok {
		for i := range s.mem {
			s.mem[i] = 0xdb
		}
	}
}

func checkZero(b []byte) {
	for _, c := range b {
		if c != 0 {
			panic("arena: invariant A1 broken: byte past the end of a segment is not zero")
		}
	}
}
