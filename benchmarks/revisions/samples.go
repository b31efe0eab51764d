package revisions

import (
	"fmt"
	"io"

	"golang.org/x/perf/benchfmt"
)

// A Row is what is compared: a benchmark of a package, in one unit.
type Row struct {
	Package, Name, Unit string
}

// Samples are the values of each row, in the order in which they were measured.
type Samples map[Row][]float64

// Read adds what a program of a package's tests has printed. A benchmark whose line cannot be read
// is an error.
func (s Samples) Read(pkg string, printed io.Reader) error {
	r := benchfmt.NewReader(printed, pkg)
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.SyntaxError:
			return rec
		case *benchfmt.Result:
			for _, v := range rec.Values {
				value, unit := v.Value, v.Unit
				if v.OrigUnit != "" {
					value, unit = v.OrigValue, v.OrigUnit
				}
				row := Row{pkg, rec.Name.String(), unit}
				s[row] = append(s[row], value)
			}
		}
	}
	if err := r.Err(); err != nil {
		return fmt.Errorf("revisions: what %s printed: %w", pkg, err)
	}
	return nil
}
