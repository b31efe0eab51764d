package mmapcas

import (
	"fmt"
	"testing"
)

func TestHasAllFindsTheFirstThatIsMissing(t *testing.T) {
	s, err := Open("", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var names []Hash
	for i := range 3*hasPinned + 7 {
		h, _, err := s.Put(40, fmt.Append(nil, i))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h)
	}
	if got := s.HasAll(names); got != -1 {
		t.Fatalf("all are there, HasAll says %d", got)
	}
	if got := s.HasAll(nil); got != -1 {
		t.Fatalf("no names, HasAll says %d", got)
	}
	for _, i := range []int{len(names) - 1, hasPinned, hasPinned - 1, 0} {
		names[i] = HashOf(41, fmt.Append(nil, i))
		if got := s.HasAll(names); got != i {
			t.Fatalf("%d is missing, HasAll says %d", i, got)
		}
	}
}
