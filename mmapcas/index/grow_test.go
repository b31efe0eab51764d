package index

import "testing"

// A small table that its entries fill becomes four times as large, as long as it stays small; a
// large one twice; one that dead entries fill stays as it is. None is large enough to be shrunk.
func TestNextTable(t *testing.T) {
	const full, large = bucketSlots * loadNum / loadDe, smallBucketsMax * 2
	for _, c := range []struct {
		buckets, entries, want int
	}{
		{bucketsMin, bucketsMin*full + 1, 4 * bucketsMin},
		{smallBucketsMax / 4, smallBucketsMax/4*full + 1, smallBucketsMax},
		{smallBucketsMax / 2, smallBucketsMax/2*full + 1, smallBucketsMax},
		{smallBucketsMax, smallBucketsMax*full + 1, 2 * smallBucketsMax},
		{large, large*full + 1, 2 * large},
		{bucketsMin, bucketsMin, bucketsMin}, // the others are dead
		{64, 64*full*2/3 + 1, 128},           // a third of them are
		{smallBucketsMax, 3, bucketsMin},     // after a collection
		{smallBucketsMax, smallBucketsMax, smallBucketsMax / 4},
	} {
		tab, err := newTable(c.buckets)
		if err != nil {
			t.Fatal(err)
		}
		got := tab.next(int64(c.entries))
		if got != c.want {
			t.Errorf("after %d buckets with %d entries come %d, want %d", c.buckets, c.entries, got, c.want)
		}
		if c.entries > c.buckets && got*bucketSlots > shrinkShare*c.entries {
			t.Errorf("%d buckets for %d entries are too many at once", got, c.entries)
		}
		if err := tab.block.Free(); err != nil {
			t.Fatal(err)
		}
	}
}
