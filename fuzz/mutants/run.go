package mutants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/tools/cover"
)

// Verdict is what became of one mistake.
type Verdict int

const (
	Unbuilt   Verdict = iota // it does not compile
	Found                    // a test failed
	Late                     // the tests did not end in time
	Survived                 // all tests passed
	Unreached                // no test reaches the statement
)

func (v Verdict) String() string {
	return [...]string{"does not compile", "found", "found by time", "survived", "not reached"}[v]
}

// Subject is a package whose tests are tried. One goroutine may call its methods, but for Judge,
// which any number may call at once.
type Subject struct {
	Dir   string // of the package, below the working directory, with slashes
	Files []string

	// Patience is how long tests may run beyond three times what they took. It may be set before
	// Judge is called.
	Patience time.Duration

	tmp    string
	tags   string                          // build tags, as for go build
	run    string                          // which tests, as for go test -run
	groups [3]group                        // of tests, the quickest first
	blocks map[string][]cover.ProfileBlock // by name of the file
}

// A group of tests runs as one process.
type group struct {
	tests []string
	took  time.Duration
}

// Open builds the package's tests with some tags and runs those that match a regular expression
// (empty: all) once without a mistake. They must pass. Close removes what it wrote to the temporary
// directory.
func Open(dir, run, tags string) (*Subject, error) {
	ctx := build.Default
	ctx.BuildTags = strings.Split(tags, ",")
	pkg, err := ctx.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return nil, err
	}
	s := &Subject{Dir: filepath.ToSlash(filepath.Clean(dir)), Patience: 15 * time.Second, tmp: tmp, run: run, tags: tags}
	for _, f := range pkg.GoFiles {
		s.Files = append(s.Files, s.Dir+"/"+f)
	}
	if err := s.baseline(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close removes the subject's temporary files.
func (s *Subject) Close() { os.RemoveAll(s.tmp) }

var passed = regexp.MustCompile(`(?m)^--- (?:PASS|SKIP): (\w+) \(([0-9.]+)s\)$`)

func (s *Subject) baseline() error {
	binary, profile := filepath.Join(s.tmp, "right"), filepath.Join(s.tmp, "cover")
	if out, err := goTest("-c", "-vet=off", "-tags="+s.tags, "-covermode=atomic", "-o", binary, "./"+s.Dir); err != nil {
		return fmt.Errorf("the tests of %s do not build: %w\n%s", s.Dir, err, out)
	}
	cmd := exec.Command(binary, "-test.v", "-test.run="+s.run, "-test.coverprofile="+profile)
	cmd.Dir = s.Dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("the tests of %s fail without a mistake: %w\n%s", s.Dir, err, tail(out))
	}
	type timed struct {
		name string
		took time.Duration
	}
	var tests []timed
	var all time.Duration
	for _, m := range passed.FindAllStringSubmatch(string(out), -1) {
		sec, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return err
		}
		t := timed{m[1], time.Duration(sec * float64(time.Second))}
		tests, all = append(tests, t), all+t.took
	}
	if len(tests) == 0 {
		return fmt.Errorf("no test of %s matches %q", s.Dir, s.run)
	}
	slices.SortStableFunc(tests, func(a, b timed) int { return int(a.took - b.took) })
	// A second finds most mistakes.
	sum, most := time.Duration(0), []time.Duration{time.Second, max(all/5, time.Second), all}
	i := 0
	for _, t := range tests {
		for sum += t.took; sum > most[i] && i < len(most)-1; {
			i++
		}
		g := &s.groups[i]
		g.tests, g.took = append(g.tests, t.name), g.took+t.took
	}
	profiles, err := cover.ParseProfiles(profile)
	if err != nil {
		return err
	}
	s.blocks = map[string][]cover.ProfileBlock{}
	for _, p := range profiles {
		name := filepath.Base(p.FileName)
		s.blocks[name] = append(s.blocks[name], p.Blocks...)
	}
	return nil
}

// Plan returns the mistakes of the package's files.
func (s *Subject) Plan() ([]Mutant, error) {
	var all []Mutant
	for _, f := range s.Files {
		src, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		ms, err := Plan(f, src)
		if err != nil {
			return nil, err
		}
		all = append(all, ms...)
	}
	return all, nil
}

// Judge plants a mistake and runs the tests.
func (s *Subject) Judge(m Mutant) (Verdict, error) {
	dir, err := os.MkdirTemp(s.tmp, "m-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	src, err := os.ReadFile(m.File)
	if err != nil {
		return 0, err
	}
	binary, err := s.plant(dir, m, src)
	if err != nil {
		return Unbuilt, nil
	}
	if !s.reached(m, src) {
		return Unreached, nil
	}
	for _, g := range s.groups {
		if len(g.tests) == 0 {
			continue
		}
		if v := s.try(binary, "^("+strings.Join(g.tests, "|")+")$", 3*g.took+s.Patience); v != Survived {
			return v, nil
		}
	}
	return Survived, nil
}

// plant builds the package's tests with the mistake.
func (s *Subject) plant(dir string, m Mutant, src []byte) (binary string, err error) {
	path, err := filepath.Abs(m.File)
	if err != nil {
		return "", err
	}
	changed, list := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		return "", err
	}
	if err := errors.Join(os.WriteFile(changed, m.Apply(src), 0o600), os.WriteFile(list, overlay, 0o600)); err != nil {
		return "", err
	}
	binary = filepath.Join(dir, "wrong")
	if out, err := goTest("-c", "-vet=off", "-tags="+s.tags, "-overlay", list, "-ldflags=-s -w", "-o", binary, "./"+s.Dir); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return binary, nil
}

// reached tells whether a test ran the statement that the mistake is in. What is in no block of the
// profile counts as reached.
func (s *Subject) reached(m Mutant, src []byte) bool {
	line := 1 + strings.Count(string(src[:m.lo]), "\n")
	col := m.lo - strings.LastIndexByte(string(src[:m.lo]), '\n')
	for _, b := range s.blocks[filepath.Base(m.File)] {
		from := b.StartLine < line || b.StartLine == line && b.StartCol <= col
		to := line < b.EndLine || line == b.EndLine && col < b.EndCol
		if from && to {
			return b.Count > 0
		}
	}
	return true
}

// try runs some tests until one fails.
func (s *Subject) try(binary, tests string, within time.Duration) Verdict {
	ctx, cancel := context.WithTimeout(context.Background(), within+10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.run="+tests, "-test.failfast", fmt.Sprint("-test.timeout=", within))
	cmd.Dir, cmd.WaitDelay = s.Dir, 5*time.Second
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return Survived
	case ctx.Err() != nil || strings.Contains(string(out), "panic: test timed out after"):
		return Late
	}
	return Found
}

// Each judges mistakes, a number of them at a time, and calls report for each as it is known, one
// call at a time. The first error ends it.
func (s *Subject) Each(ms []Mutant, atOnce int, report func(Mutant, Verdict)) error {
	var (
		mu     sync.Mutex
		failed error
		wg     sync.WaitGroup
		next   = make(chan Mutant)
	)
	for range atOnce {
		wg.Go(func() {
			for m := range next {
				v, err := s.Judge(m)
				mu.Lock()
				if err != nil {
					failed = errors.Join(failed, fmt.Errorf("%v: %w", m, err))
				} else {
					report(m, v)
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range ms {
		mu.Lock()
		stop := failed != nil
		mu.Unlock()
		if stop {
			break
		}
		next <- m
	}
	close(next)
	wg.Wait()
	return failed
}

func goTest(args ...string) ([]byte, error) {
	return exec.Command("go", append([]string{"test"}, args...)...).CombinedOutput()
}

func tail(out []byte) []byte { return out[max(0, len(out)-4000):] }
