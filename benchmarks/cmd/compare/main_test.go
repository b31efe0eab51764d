package main

import (
	"bytes"
	"context"
	"math"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/perf/benchfmt"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/suites"
)

// TestSuites runs every suite at its smallest: every entrant must give right answers, and the table
// must have its form.
func TestSuites(t *testing.T) {
	for _, make := range suites.All {
		s := make()
		t.Run(s.Name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(t.Context(), []string{"-suite", s.Name, "-quick", "-dir", t.TempDir()}, &stdout, &stderr); code != 0 {
				t.Fatalf("exit code %d\n%s", code, stderr.String())
			}
			checkTable(t, s.Name, stdout.String())
			for _, fact := range []string{"machine", "cpu", "kernel", "go1", "GOMAXPROCS", "command", "load", "rounds"} {
				if !strings.Contains(stderr.String(), fact) {
					t.Errorf("log does not say %q", fact)
				}
			}
		})
	}
}

// The Go benchmark format is what its own parser reads, with a line for each round of each entrant.
func TestBenchFormat(t *testing.T) {
	var stdout, stderr bytes.Buffer
	args := []string{"-suite", "ring", "-quick", "-rounds", "2", "-case", "1T|1P1C", "-format", "bench", "-dir", t.TempDir()}
	if code := run(t.Context(), args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr.String())
	}
	lines := map[string]int{}
	r := benchfmt.NewReader(&stdout, "compare")
	for r.Scan() {
		switch rec := r.Result().(type) {
		case *benchfmt.Result:
			_, parts := rec.Name.Parts()
			if len(parts) < 2 || !bytes.HasPrefix(parts[0], []byte("/case=")) || !bytes.HasPrefix(parts[1], []byte("/entrant=")) {
				t.Errorf("a name is %s", rec.Name)
			}
			if len(rec.Values) != 1 || rec.Values[0].Value <= 0 || rec.GetConfig("pkg") != "github.com/cytisus/cytisus/benchmarks/ring" {
				t.Errorf("%s: %v, %v", rec.Name, rec.Values, rec.Config)
			}
			lines[string(rec.Name)]++
		case *benchfmt.SyntaxError:
			t.Error(rec)
		}
	}
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	if len(lines) < 2 {
		t.Fatalf("lines of %d names", len(lines))
	}
	for name, n := range lines {
		if n != 2 {
			t.Errorf("%s: %d lines, want one for each round", name, n)
		}
	}
	if code := run(t.Context(), []string{"-suite", "ring", "-format", "xml"}, &stdout, &stderr); code != 2 {
		t.Errorf("a format that there is not: exit code %d", code)
	}
}

func checkTable(t *testing.T, suite, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != compare.Header {
		t.Fatalf("first line is %q", lines[0])
	}
	if len(lines) < 2 {
		t.Fatal("no rows")
	}
	for _, line := range lines[1:] {
		cells := strings.Split(line, "\t")
		if len(cells) != 7 {
			t.Errorf("row %q has %d cells, want 7", line, len(cells))
			continue
		}
		if cells[0] != suite || cells[1] == "" || cells[3] == "" || cells[5] == "" {
			t.Errorf("row %q lacks a name", line)
		}
		var figures []float64
		columns := []int{2, 4, 6}
		if cells[3] == "none" { // nothing stood beside ours
			columns = columns[:1]
			if cells[4] != "-" || cells[6] != "-" {
				t.Errorf("row %q has figures of no peer", line)
			}
		}
		for _, i := range columns {
			v, err := strconv.ParseFloat(cells[i], 64)
			if err != nil || math.IsNaN(v) || v < 0 {
				t.Errorf("row %q: %q is not a figure", line, cells[i])
			}
			figures = append(figures, v)
		}
		if len(figures) < 3 {
			continue
		}
		if ours, peer, ratio := figures[0], figures[1], figures[2]; peer > 0 && math.Abs(ours/peer-ratio) > 0.02*ratio {
			t.Errorf("row %q: ratio is not ours divided by peer", line)
		}
	}
}

// TestBadCalls checks what a wrong call is told.
func TestBadCalls(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"-suite", "nonesuch"}, `no suite "nonesuch"`},
		{nil, `no suite ""`},
		{[]string{"-suite", "ring", "extra"}, `unexpected argument "extra"`},
		{[]string{"-suite", "ring", "-case", "("}, "-case"},
		{[]string{"-suite", "ring", "-rounds", "-1"}, "must not be negative"},
		{[]string{"-bogus"}, "-bogus"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(context.Background(), c.args, &stdout, &stderr); code != 2 {
			t.Errorf("%q: exit code %d, want 2", c.args, code)
		}
		if !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%q: message %q does not say %q", c.args, stderr.String(), c.says)
		}
		if stdout.Len() > 0 {
			t.Errorf("%q: wrote %q to standard output", c.args, stdout.String())
		}
	}
	var stderr bytes.Buffer
	run(context.Background(), []string{"-suite", "nonesuch"}, &stderr, &stderr)
	for _, make := range suites.All {
		if name := make().Name; !strings.Contains(stderr.String(), "  "+name+" ") {
			t.Errorf("suite %s is not listed to whoever asks for an unknown one", name)
		}
	}
}
