package ring

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// moodycamelSource is the whole peer: a program of its own, because it is in C++.
//
//go:embed moodycamel/queue.cpp
var moodycamelSource []byte

// moodycamelHeaders is where the header may be; libconcurrentqueue-dev of Debian puts it into the
// first.
var moodycamelHeaders = []string{"/usr/include/concurrentqueue", "/usr/local/include/concurrentqueue/moodycamel", "/usr/local/include/concurrentqueue"}

// A moodycamel builds and runs the program.
type moodycamel struct {
	dir     string // for the program
	include string // where the header is
	missing string // if not empty, why it cannot take part
	program string // once built
}

// newMoodycamel looks for what it takes, and builds nothing yet.
func newMoodycamel(dir string) *moodycamel {
	m := &moodycamel{dir: dir}
	for _, include := range moodycamelHeaders {
		if _, err := os.Stat(filepath.Join(include, "concurrentqueue.h")); err == nil {
			m.include = include
			break
		}
	}
	if _, err := exec.LookPath("g++"); err != nil {
		m.missing = "g++ is not installed"
	} else if m.include == "" {
		m.missing = "concurrentqueue.h is not installed (Debian: libconcurrentqueue-dev)"
	}
	return m
}

func (m *moodycamel) entrant(name string, n, figures int) compare.Entrant {
	return compare.Entrant{
		Name: "moodycamel-c++",
		Skip: m.missing,
		Start: func(ctx context.Context) (compare.Session, error) {
			if err := m.build(ctx); err != nil {
				return compare.Session{}, err
			}
			return m.start(ctx, name, n, figures)
		},
	}
}

func (m *moodycamel) build(ctx context.Context) error {
	if m.program != "" {
		return nil
	}
	program := filepath.Join(m.dir, "moodycamel")
	build := exec.CommandContext(ctx, "g++", "-std=c++17", "-O3", "-march=native", "-pthread", "-I", m.include, "-x", "c++", "-", "-o", program)
	build.Stdin = strings.NewReader(string(moodycamelSource))
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("g++: %w\n%s", err, out)
	}
	m.program = program
	return nil
}

func (m *moodycamel) start(ctx context.Context, name string, n, figures int) (compare.Session, error) {
	run := exec.CommandContext(ctx, m.program)
	run.Stderr = os.Stderr
	in, err := run.StdinPipe()
	if err != nil {
		return compare.Session{}, err
	}
	out, err := run.StdoutPipe()
	if err != nil {
		return compare.Session{}, err
	}
	if err := run.Start(); err != nil {
		return compare.Session{}, err
	}
	lines := bufio.NewReader(out)
	return compare.Session{
		Round: func(context.Context) ([]float64, error) { return ask(in, lines, name, n, figures) },
		Close: func() error {
			in.Close() // the program ends when its input does
			return run.Wait()
		},
	}, nil
}

// ask has the program do one round, and checks its answer.
func ask(in io.Writer, lines *bufio.Reader, name string, n, figures int) ([]float64, error) {
	if _, err := fmt.Fprintf(in, "%s %d\n", name, n); err != nil {
		return nil, err
	}
	line, err := lines.ReadString('\n')
	if err != nil {
		return nil, err
	}
	var count int
	var nanos, share float64
	var sum uint64
	if _, err := fmt.Sscan(line, &count, &nanos, &sum, &share); err != nil {
		return nil, fmt.Errorf("moodycamel says %q: %w", line, err)
	}
	want := sumOf(count) // each thread's count is a multiple of lap, or in 2T of a burst
	if name == "2T" {
		want = uint64(count/64) * sumOf(64)
	}
	return []float64{nanos / float64(count), share}[:figures], compare.Same("sum of ids", sum, want)
}
