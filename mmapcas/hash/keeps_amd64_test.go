package hash

import "unsafe"

func (s *state) keeps() bool { return s.ptr != [maxLanes]unsafe.Pointer{} }
