package counts

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Units are what is counted, per operation.
var Units = [...]string{"allocs/op", "B/op", "instructions/op"}

// Growth is by how much a unit may be more than was accepted, as a part of it. Instructions have
// more room: processors differ in which code they are given.
var Growth = [len(Units)]float64{0.02, 0.02, 0.05}

// slack is what a unit may be more beside that: parts of an allocation that many operations share.
var slack = [len(Units)]int64{0, 3, 0}

// Unknown is the count of a unit that the machine does not count.
const Unknown = -1

// Counts are what one benchmark comes to, by unit.
type Counts [len(Units)]int64

// A Table has the counts of benchmarks by package and name, with a space between.
type Table map[string]Counts

// Key is where a benchmark's counts are in a Table.
func (b Benchmark) Key() string { return b.Package + " " + b.Name }

const head = "# What an operation of each benchmark takes: make bench-counts prints it, and make bench-counts UPDATE=1 accepts it.\n" +
	"# With %s; a unit that the machine did not count is -.\n" +
	"# package\tbenchmark\tallocs/op\tB/op\tinstructions/op\n"

// Read reads what was accepted.
func Read(file string) (Table, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t := Table{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) != 2+len(Units) {
			return nil, fmt.Errorf("%s:%d: %d fields, want %d", file, n, len(fields), 2+len(Units))
		}
		var c Counts
		for i, text := range fields[2:] {
			if text == "-" {
				c[i] = Unknown
				continue
			}
			if c[i], err = strconv.ParseInt(text, 10, 64); err != nil || c[i] < 0 {
				return nil, fmt.Errorf("%s:%d: %q is no count", file, n, text)
			}
		}
		t[Benchmark{Package: fields[0], Name: fields[1]}.Key()] = c
	}
	return t, lines.Err()
}

// Write writes a table, in the order of the set. A unit that is unknown is as it was before.
func Write(file string, set []Benchmark, before, t Table) error {
	var b strings.Builder
	fmt.Fprintf(&b, head, release(runtime.Version()))
	for _, bench := range set {
		c, was := t[bench.Key()], before.of(bench)
		fmt.Fprintf(&b, "%s\t%s", bench.Package, bench.Name)
		for i := range c {
			if c[i] == Unknown {
				c[i] = was[i]
			}
			fmt.Fprintf(&b, "\t%s", text(c[i]))
		}
		b.WriteString("\n")
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// release is the part of a version of Go that what is allocated may depend on.
func release(version string) string {
	parts := strings.SplitN(version, ".", 3)
	return strings.Join(parts[:min(2, len(parts))], ".")
}

func (t Table) of(b Benchmark) Counts {
	if c, ok := t[b.Key()]; ok {
		return c
	}
	return Counts{Unknown, Unknown, Unknown}
}

func text(n int64) string {
	if n == Unknown {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

// Grown lists what is more than was accepted, a line for each benchmark and unit, and benchmarks
// that were not accepted at all.
func Grown(set []Benchmark, accepted, is Table) (lines []string) {
	for _, b := range set {
		was, known := accepted[b.Key()]
		if !known {
			lines = append(lines, b.Key()+": nothing was accepted")
			continue
		}
		for i, n := range is[b.Key()] {
			if n == Unknown || was[i] == Unknown || float64(n-slack[i]) <= float64(was[i])*(1+Growth[i]) {
				continue
			}
			more := "there were none"
			if was[i] > 0 {
				more = fmt.Sprintf("%+.1f %%", 100*(float64(n)/float64(was[i])-1))
			}
			lines = append(lines, fmt.Sprintf("%s: %d %s, %d were accepted (%s)", b.Key(), n, Units[i], was[i], more))
		}
	}
	return lines
}

// Report prints a table beside what was accepted.
func Report(w io.Writer, set []Benchmark, accepted, is Table) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "package\tbenchmark")
	for _, u := range Units {
		fmt.Fprintf(t, "\t%s\twas", u)
	}
	fmt.Fprintln(t)
	for _, b := range set {
		was, now := accepted.of(b), is[b.Key()]
		fmt.Fprintf(t, "%s\t%s", b.Package, b.Name)
		for i := range now {
			fmt.Fprintf(t, "\t%s\t%s", text(now[i]), text(was[i]))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// Join takes the greater of two counts of each unit, and says by how much they differ at the most,
// as a part of the smaller.
func (c Counts) Join(d Counts) (most Counts, apart [len(Units)]float64) {
	for i := range c {
		least := min(c[i], d[i])
		most[i] = max(c[i], d[i])
		switch {
		case most[i] == least:
		case least <= 0:
			apart[i] = math.Inf(1)
		default:
			apart[i] = float64(most[i])/float64(least) - 1
		}
	}
	return most, apart
}
