package queue

import "testing"

// TestLooksAcrossOfSPSC: a batch that what is known has room for, or items of, does not touch the
// counter of the other side, whose cache line moves with each look (S2).
func TestLooksAcrossOfSPSC(t *testing.T) {
	r := NewSPSC[int](8)
	dst := make([]int, 8)
	if n := r.PushN(make([]int, 4)); n != 4 {
		t.Fatal(n)
	}
	if n := r.PopN(dst[:2]); n != 2 || r.tailSeen != 4 {
		t.Fatalf("%d items popped, and the consumer knows of a tail at %d; want 2 and 4", n, r.tailSeen)
	}
	if n := r.PushN(make([]int, 2)); n != 2 {
		t.Fatal(n)
	}
	if n := r.PopN(dst[:2]); n != 2 || r.tailSeen != 4 {
		t.Errorf("%d items popped, and the tail was looked at (%d); two were known of", n, r.tailSeen)
	}
	if n := r.PopN(dst[:3]); n != 2 || r.tailSeen != 6 {
		t.Errorf("%d items popped with a tail at %d known; want 2, which a look shows", n, r.tailSeen)
	}
	// The producer has seen no head yet: of eight places six are filled since.
	if n := r.PushN(make([]int, 2)); n != 2 || r.headSeen != 0 {
		t.Errorf("%d items pushed, and the head was looked at (%d); there was known room for two", n, r.headSeen)
	}
	if n := r.PushN(make([]int, 7)); n != 6 || r.headSeen != 6 {
		t.Errorf("%d items pushed with a head at %d known; want 6, for which a look shows room", n, r.headSeen)
	}
}
