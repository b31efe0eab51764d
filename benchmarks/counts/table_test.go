package counts

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What is written is read again, and a unit that is unknown keeps what was accepted of it.
func TestTableComesBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "accepted.txt")
	set := []Benchmark{{"p", "A/n=1", 10}, {"p/q", "B", 10}}
	before := Table{set[0].Key(): {1, 16, 700}}
	if err := Write(file, set, before, Table{set[0].Key(): {2, 32, Unknown}, set[1].Key(): {0, 0, Unknown}}); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	for b, want := range map[Benchmark]Counts{set[0]: {2, 32, 700}, set[1]: {0, 0, Unknown}} {
		if got[b.Key()] != want {
			t.Errorf("%s: %v, want %v", b.Key(), got[b.Key()], want)
		}
	}
}

// One allocation more is found, also where there was none, and so are bytes and instructions beyond
// what they may grow by; less is not, nor a unit that is not known on either side.
func TestGrowthIsFound(t *testing.T) {
	b := Benchmark{"p", "B", 1}
	for _, c := range []struct {
		name    string
		was, is Counts
		want    string // the unit that grew; "" for none
	}{
		{"nothing", Counts{3, 100, 1000}, Counts{3, 100, 1000}, ""},
		{"one allocation more", Counts{3, 100, 1000}, Counts{4, 100, 1000}, "allocs/op"},
		{"an allocation where there was none", Counts{0, 0, 1000}, Counts{1, 0, 1000}, "allocs/op"},
		{"bytes within a fiftieth", Counts{3, 1000, 1000}, Counts{3, 1020, 1000}, ""},
		{"bytes beyond", Counts{3, 1000, 1000}, Counts{3, 1024, 1000}, "B/op"},
		{"a part of an allocation", Counts{0, 1, 1000}, Counts{0, 4, 1000}, ""},
		{"half of an allocation", Counts{0, 1, 1000}, Counts{0, 5, 1000}, "B/op"},
		{"instructions within a twentieth", Counts{3, 100, 1000}, Counts{3, 100, 1050}, ""},
		{"instructions beyond", Counts{3, 100, 1000}, Counts{3, 100, 1051}, "instructions/op"},
		{"instructions that are not counted here", Counts{3, 100, 1000}, Counts{3, 100, Unknown}, ""},
		{"instructions that were not accepted", Counts{3, 100, Unknown}, Counts{3, 100, 1000}, ""},
		{"less of all", Counts{3, 100, 1000}, Counts{1, 10, 100}, ""},
	} {
		lines := Grown([]Benchmark{b}, Table{b.Key(): c.was}, Table{b.Key(): c.is})
		if c.want == "" && len(lines) > 0 || c.want != "" && (len(lines) != 1 || !strings.Contains(lines[0], c.want)) {
			t.Errorf("%s: %q, want %q", c.name, lines, c.want)
		}
	}
	if lines := Grown([]Benchmark{b}, Table{}, Table{b.Key(): {}}); len(lines) != 1 {
		t.Errorf("a benchmark that was not accepted: %q", lines)
	}
}

// What was accepted is of the set, each benchmark once, and each has its allocations and bytes.
func TestAcceptedIsOfTheSet(t *testing.T) {
	accepted, err := Read(filepath.Join("testdata", "accepted.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, b := range Set {
		keys = append(keys, b.Key())
		if c, ok := accepted[b.Key()]; !ok || c[0] == Unknown || c[1] == Unknown {
			t.Errorf("%s is in the set, and %v was accepted", b.Key(), c)
		}
	}
	slices.Sort(keys)
	if n := len(slices.Compact(keys)); n != len(Set) || n != len(accepted) {
		t.Errorf("%d benchmarks, %d of them different, and %d accepted", len(Set), n, len(accepted))
	}
}
