package compare

import (
	"fmt"
	"io"
	goruntime "runtime"
	"strings"
)

// Samples are what one entrant showed in one column of a case, a figure for each round.
type Samples struct {
	Suite, Case, Entrant, Unit string
	Values                     []float64
}

// WriteBenchHeader writes what the Go benchmark format says of all lines after it.
func WriteBenchHeader(w io.Writer, suite string) error {
	_, err := fmt.Fprintf(w, "goos: %s\ngoarch: %s\npkg: github.com/cytisus/cytisus/benchmarks/%s\n", goruntime.GOOS, goruntime.GOARCH, suite)
	return err
}

// WriteBench writes samples as lines of the Go benchmark format, one for each round, which
// benchstat and golang.org/x/perf/benchfmt read: BenchmarkSuite/case=NAME/entrant=NAME.
func WriteBench(w io.Writer, s Samples) error {
	name := fmt.Sprintf("Benchmark%s%s/case=%s/entrant=%s", strings.ToUpper(s.Suite[:1]), s.Suite[1:], part(s.Case), part(s.Entrant))
	for _, v := range s.Values {
		if _, err := fmt.Fprintf(w, "%s 1 %g %s\n", name, v, word(s.Unit)); err != nil {
			return err
		}
	}
	return nil
}

var spaces = strings.NewReplacer(" ", "_", "\t", "_", "\n", "_")

// word is a name without spaces, which end words of the format.
func word(name string) string { return spaces.Replace(name) }

// part is a name as one part of a benchmark's: also without the slash that ends parts.
func part(name string) string { return strings.ReplaceAll(word(name), "/", "-") }
