package small

import "testing"

func TestAdd(t *testing.T) {
	var b Box[int]
	for _, n := range []int{1, 9, 9} {
		if err := b.Add(n); err != nil {
			t.Fatal(err)
		}
	}
	if b.Add(10) == nil || b.n != 19 {
		t.Fatalf("n = %d", b.n)
	}
	Loose(true)
	Loose(false)
}
