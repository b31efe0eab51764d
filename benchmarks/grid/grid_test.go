package grid

import (
	"testing"
)

// TestGrid runs the grid with a million records, a tenth of that with -short. Answers are checked
// by the run itself.
func TestGrid(t *testing.T) {
	records := 1_000_000
	if testing.Short() {
		records = 100_000
	}
	for _, chunks := range []int{1, 2, 128, 2048, 10_000} {
		c := Config{Records: records, Chunks: chunks, Distinct: 1 << 14, Dir: t.TempDir(), Asks: 100, BulkFrom: records / 200}
		mine, err := Ours(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := Baseline(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%5d chunks: load %.2f s, heap %.0f MiB, %.0f at most, reopened in %.1f ms", chunks, mine.Load, mine.HeapMiB, mine.PeakMiB, mine.ReopenMS)
		for i, q := range mine.Times {
			t.Logf("  %-7s %9.0f ns p50 %9.0f p99", q.Question, q.P50, q.P99)
			for _, b := range theirs {
				t.Logf("  %17s %9.0f p50 %9.0f p99  %s", "", b.Times[i].P50, b.Times[i].P99, b.Who)
				// A thousand times fewer searches: no noise hides that.
				if chunks == 10_000 && q.Question == "get" && b.Times[i].P50 < 5*q.P50 {
					t.Errorf("a get takes %.0f ns, visiting %d chunks (%s) %.0f", q.P50, chunks, b.Who, b.Times[i].P50)
				}
			}
		}
	}
}

// Through the engine's face all answers are right, which the run checks, and what is asked is kept.
func TestFace(t *testing.T) {
	r, err := Face(t.Context(), Config{Records: 50_000, Chunks: 2, Distinct: 1, Dir: t.TempDir(), Asks: 100, BulkFrom: 1, MemoryLimit: 256 << 20})
	if err != nil || len(r.Times) != 3 || r.DiskMiB*(1<<20) < 50_000*faceValueBytes {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestKeysAscend(t *testing.T) {
	for _, i := range []int{0, 9, 10, 99, 100, 999, 1000, 123_456, 99_999_999, 999_999_999} {
		if a, b := key(i), key(i+1); a >= b || len(a) != keyBytes {
			t.Errorf("key %d is %s, the next %s", i, a, b)
		}
	}
	if k := key(4_712_345); k != "sym/00047123/45" {
		t.Error(k)
	}
}

func TestWrongAnswersAreNoticed(t *testing.T) {
	c := Config{Records: 50_000, Chunks: 3, Distinct: 100, Asks: 5, BulkFrom: 1}
	if _, err := ask(c, &list{chunks: make([]chunk, 3), mode: sequential}); err == nil {
		t.Error("an empty index passes")
	}
	if err := (Config{Records: 10}).validate(); err == nil {
		t.Error("ten records pass")
	}
}
