package compare

import (
	"math"
	"slices"
	"strconv"
)

// A sample is what one entrant showed in one column, a figure per round.
type sample []float64

func (s sample) median() float64 { return Quantile(s, 0.5) }

func (s sample) spread() (lo, hi float64) { return slices.Min(s), slices.Max(s) }

// Quantile returns the q-quantile (0 to 1) of values, interpolated between neighbours, or NaN if
// there are none. It does not change values.
func Quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// Figure writes a number with three significant digits and no exponent: 0.00123, 0.98, 10.8, 1154.
func Figure(v float64) string {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	return strconv.FormatFloat(v, 'f', max(digits, 0), 64)
}
