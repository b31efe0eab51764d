package revisions

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// noisy makes samples of rows whose times spread by 8 percent, as on a shared machine; those that
// slow says are that much slower.
func noisy(rng *rand.Rand, rows, values int, slow map[int]float64) Samples {
	s := Samples{}
	for r := range rows {
		row := Row{"p", fmt.Sprint("Benchmark", r), "ns/op"}
		for range values {
			v := 1000 * (1 + 0.04*rng.NormFloat64())
			if rng.IntN(20) == 0 {
				v *= 1 + rng.Float64() // another process had the processor
			}
			s[row] = append(s[row], v*(1+slow[r]))
		}
	}
	return s
}

var limits = Limits{Alpha: 0.01, Least: 0.03}

// Of two equal revisions no row is called different, in 20 comparisons of 100 rows, but for a
// chance of a hundredth each; ten percent more is found.
func TestEqualAndSlower(t *testing.T) {
	const seed = 17
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 20 {
		for _, v := range Judge(noisy(rng, 100, 15, nil), noisy(rng, 100, 15, nil), limits) {
			if v.Differs {
				t.Errorf("equal revisions differ: %+v", v)
			}
		}
	}
	found := 0
	for range 20 {
		for _, v := range Judge(noisy(rng, 100, 20, nil), noisy(rng, 100, 20, map[int]float64{42: 0.1}), limits) {
			switch {
			case v.Worse() && v.Name == "Benchmark42":
				found++
			case v.Differs:
				t.Errorf("equal rows differ: %+v", v)
			}
		}
	}
	if found < 18 {
		t.Errorf("a row that is ten percent slower is found in %d of 20 comparisons", found)
	}
}

func TestVerdicts(t *testing.T) {
	row := func(unit string) Row { return Row{"p", "BenchmarkX", unit} }
	many := func(v float64) (s []float64) {
		for range 10 {
			s = append(s, v)
		}
		return s
	}
	for _, c := range []struct {
		name, unit     string
		base, head     []float64
		differs, worse bool
	}{
		{"more allocations", "allocs/op", many(3), many(4), true, true},
		{"the first allocation", "allocs/op", many(0), many(1), true, true},
		{"none", "allocs/op", many(0), many(0), false, false},
		{"fewer", "allocs/op", many(4), many(3), true, false},
		{"a higher rate", "MB/s", many(100), many(200), true, false},
		{"a lower rate", "MB/s", many(200), many(100), true, true},
		{"too little to count", "B/op", many(100), many(102), false, false},
		{"too few values", "ns/op", []float64{1, 1, 1}, []float64{2, 2, 2}, false, false},
	} {
		got := Judge(Samples{row(c.unit): c.base}, Samples{row(c.unit): c.head}, limits)
		if len(got) != 1 || got[0].Differs != c.differs || got[0].Worse() != c.worse {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	if got := Judge(Samples{row("ns/op"): many(1)}, Samples{}, limits); len(got) != 0 {
		t.Errorf("a row of one revision: %+v", got)
	}
}

// With as many values as are enough, and no fewer, one row of all can differ.
func TestEnough(t *testing.T) {
	for _, rows := range []int{1, 10, 300} {
		n := Enough(rows, limits.Alpha)
		for _, values := range []int{n, n - 1} {
			base, head := Samples{}, Samples{}
			for r := range rows {
				for i := range values {
					row := Row{"p", fmt.Sprint(r), "ns/op"}
					base[row] = append(base[row], 100+float64(i))
					head[row] = append(head[row], 100+float64(i)+map[bool]float64{true: 1000}[r == 0])
				}
			}
			if got := Judge(base, head, limits)[0].Differs; got != (values == n) {
				t.Errorf("%d rows of %d values: differs %t", rows, values, got)
			}
		}
	}
}

func TestRead(t *testing.T) {
	s := Samples{}
	const printed = `goos: linux
BenchmarkPin/form=guard-2   	 100000	        32.5 ns/op	       0 B/op	       1 allocs/op
BenchmarkPin/form=guard-2   	 100000	        33.5 ns/op	       0 B/op	       1 allocs/op
BenchmarkScan-2   	 100000	 9 MB/s	 7 p99-ns
PASS
`
	if err := s.Read("epoch", strings.NewReader(printed)); err != nil {
		t.Fatal(err)
	}
	if got := s[Row{"epoch", "Pin/form=guard-2", "ns/op"}]; len(got) != 2 || got[0] != 32.5 || got[1] != 33.5 {
		t.Errorf("%v of %v", got, s)
	}
	if got := s[Row{"epoch", "Scan-2", "p99-ns"}]; len(got) != 1 || got[0] != 7 {
		t.Errorf("%v of %v", got, s)
	}
	if err := s.Read("epoch", strings.NewReader("BenchmarkX-2 \t 12 \t odd ns/op\n")); err == nil {
		t.Error("a line that cannot be read is passed over")
	}
}
