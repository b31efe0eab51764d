package revisions

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchmath"
)

// A Verdict is what two revisions come to in one row.
type Verdict struct {
	Row
	Base, Head  float64 // medians
	Change      float64 // of the medians, as a part of Base: 0.1 is ten percent more
	Probability float64 // that equal revisions differ so much, corrected for all rows
	Differs     bool
}

// Worse reports whether the row differs and more of its unit is worse, which holds for all units
// but rates.
func (v Verdict) Worse() bool {
	return v.Differs && (v.Head > v.Base) != strings.HasSuffix(v.Unit, "/s")
}

// Limits say when a row differs.
type Limits struct {
	Alpha float64 // the chance that any row of equal revisions is said to differ
	Least float64 // smaller changes do not count
}

// Judge compares all rows that both samples have, most different first.
func Judge(base, head Samples, lim Limits) []Verdict {
	var all []Verdict
	for row, was := range base {
		is := head[row]
		if len(is) == 0 {
			continue
		}
		thresholds := benchmath.DefaultThresholds
		a, b := benchmath.NewSample(slices.Clone(was), &thresholds), benchmath.NewSample(slices.Clone(is), &thresholds)
		v := Verdict{Row: row, Base: median(was), Head: median(is), Probability: 1}
		switch {
		case v.Base != 0:
			v.Change = v.Head/v.Base - 1
		case v.Head != 0:
			v.Change = math.Inf(1)
		}
		if p := benchmath.AssumeNothing.Compare(a, b).P; !math.IsNaN(p) {
			v.Probability = p
		}
		all = append(all, v)
	}
	slices.SortFunc(all, func(a, b Verdict) int {
		return cmp.Or(cmp.Compare(a.Probability, b.Probability), cmp.Compare(a.Package, b.Package), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Unit, b.Unit))
	})
	// Holm: the i-th smallest probability counts len-i times, and never less than the one before.
	most := 0.0
	for i := range all {
		v := &all[i]
		most = max(most, min(1, v.Probability*float64(len(all)-i)))
		v.Probability = most
		v.Differs = most <= lim.Alpha && math.Abs(v.Change) >= lim.Least
	}
	return all
}

// Enough is how many values of each revision are needed, so that a row of many can be found to
// differ at all: the least probability of the rank test is 2 over the number of ways to choose
// half of all values.
func Enough(rows int, alpha float64) (values int) {
	for n := 3; ; n++ {
		ways := 1.0
		for i := range n {
			ways *= float64(2*n-i) / float64(i+1)
		}
		if 2/ways*float64(rows) <= alpha {
			return n
		}
	}
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
