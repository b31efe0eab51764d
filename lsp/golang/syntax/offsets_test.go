package syntax

import "testing"

func TestOffsetOf(t *testing.T) {
	text := []byte("ab\ncd\n")
	for _, c := range [][3]int{{1, 1, 0}, {1, 2, 1}, {2, 1, 3}, {2, 9, 6}, {9, 1, 6}, {0, 0, 0}, {-1, -1, 0}, {2, 0, 3}} {
		if got := OffsetOf(text, c[0], c[1]); got != c[2] {
			t.Errorf("line %d column %d: %d, want %d", c[0], c[1], got, c[2])
		}
	}
}
