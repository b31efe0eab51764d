package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/benchmarks/counts"
)

// write puts a module with two benchmarks of an operation into a directory: it has so many
// allocations, and those of the second grow from run to run.
func write(t *testing.T, dir string, allocations int) {
	t.Helper()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.24\n",
		"m_test.go": fmt.Sprintf(`package m

import (
	"os"
	"testing"
)

var sink []*int

func allocate(n int) {
	sink = sink[:0]
	for range n {
		sink = append(sink, new(int))
	}
}

func BenchmarkWork(b *testing.B) {
	b.Run("of=two/axes=1", func(b *testing.B) {
		for b.Loop() {
			allocate(%d)
		}
	})
}

func BenchmarkWobble(b *testing.B) {
	before, _ := os.ReadFile("runs")
	if err := os.WriteFile("runs", append(before, 'x'), 0o644); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		allocate(10 + len(before))
	}
}
`, allocations),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// One allocation more than was accepted is found, also by the next run, until it is accepted; one
// less is not; a count that differs from run to run is told, and so is a benchmark that is gone.
func TestCounts(t *testing.T) {
	dir, accepted := t.TempDir(), filepath.Join(t.TempDir(), "accepted.txt")
	t.Setenv("GOWORK", "off")
	work := counts.Benchmark{Package: ".", Name: "Work/of=two/axes=1", Times: 1000}
	set := []counts.Benchmark{work}
	ask := func(want int, says string, args ...string) {
		t.Helper()
		var out, errs strings.Builder
		code := command(t.Context(), append([]string{"-dir", dir, "-accepted", accepted}, args...), set, &out, &errs)
		if code != want || !strings.Contains(out.String()+errs.String(), says) {
			t.Errorf("%q: exit code %d, want %d and %q\n%s%s", args, code, want, says, out.String(), errs.String())
		}
	}
	write(t, dir, 3)
	ask(3, "accepted.txt")
	ask(0, "", "-update")
	ask(0, "1 benchmarks: none takes more", "-repeat", "2")
	write(t, dir, 4)
	ask(1, ". Work/of=two/axes=1: 4 allocs/op, 3 were accepted (+33.3 %)")
	ask(1, "make bench-counts UPDATE=1")
	ask(0, "", "-update")
	ask(0, "none takes more")
	write(t, dir, 3)
	ask(0, "none takes more")
	set = append(set, counts.Benchmark{Package: ".", Name: "Wobble", Times: 1000})
	ask(1, ". Wobble: nothing was accepted")
	ask(1, "allocs/op", "-update", "-repeat", "3", "-only", "")
	set = []counts.Benchmark{{Package: ".", Name: "Gone", Times: 1000}}
	ask(3, "no benchmark of . is named Gone")
	ask(2, "-repeat 1 or more", "-repeat", "0")
	ask(2, "-update takes all", "-update", "-only", "Work")
}
