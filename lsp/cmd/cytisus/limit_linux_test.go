package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp/daemon"
)

var (
	limitSource    = flag.String("limit.source", "", "index this module instead of a small one (make limit)")
	limitModule    = flag.String("limit.module", "", "fetch this module, path@version, and index it")
	limitBytes     = byteSize(128 << 20)
	limitQuestions = flag.Int("limit.questions", 40, "how many questions are asked of it under the limit")
	limitSeed      = flag.Uint64("limit.seed", 1, "which places are asked about")
)

func init() { flag.Var(&limitBytes, "limit.bytes", "the limit on memory") }

// slowestUnderLimit is how many times as long an index may take under the limit.
const slowestUnderLimit = 3

// Under a real limit, of a cgroup where one can be made, the module is indexed and questions are
// answered as without it. The system kills what takes more. Without a cgroup the test looks how
// much is in memory, and kills. The memory of the race detector is no part of what is limited, so
// with it the process is not put under a real limit.
func TestUnderALimit(t *testing.T) {
	source := *limitSource
	switch {
	case *limitModule != "":
		source = fetched(t, *limitModule)
	case source == "":
		source = write(t, manyPackages(40))
	}
	free := limitRun(t, source, 0)
	limit := int64(limitBytes)
	if raceFactor > 1 {
		limit += 32 << 20 // the program that is counted is larger by about that
	}
	held := limitRun(t, source, limit)
	t.Logf("without a limit: index %v, %v of the processor, %d MiB at most, %d MiB when it answers; with %s: %v, %v of the processor, %d MiB, %d MiB, %.1f times as long; in a cgroup: %t",
		free.took.Round(time.Millisecond), free.processor.Round(time.Millisecond), free.indexed>>20, free.served>>20, limitBytes.String(),
		held.took.Round(time.Millisecond), held.processor.Round(time.Millisecond), held.indexed>>20, held.served>>20, held.took.Seconds()/free.took.Seconds(), held.caged)
	if len(held.says) > 0 {
		t.Logf("the process said: %s", held.says)
	}
	if peak := max(held.indexed, held.served); raceFactor == 1 && peak > int64(limitBytes) {
		t.Errorf("the process had %.1f MiB in memory, the limit is %s", float64(peak)/(1<<20), limitBytes.String())
	}
	if *limitSource+*limitModule != "" && held.took > slowestUnderLimit*free.took {
		t.Errorf("%v under the limit and %v without, more than %d times as long", held.took, free.took, slowestUnderLimit)
	}
	if len(free.answers) != *limitQuestions || len(held.answers) != *limitQuestions {
		t.Fatalf("%d and %d answers to %d questions", len(free.answers), len(held.answers), *limitQuestions)
	}
	for i := range free.answers {
		if !reflect.DeepEqual(free.answers[i], held.answers[i]) {
			t.Errorf("question %d: %+v under the limit, %+v without", i, held.answers[i], free.answers[i])
		}
	}
}

// fetched is a copy of a module, and everything that it imports is in the module cache.
func fetched(t *testing.T, module string) (dir string) {
	t.Helper()
	var m struct{ Dir string }
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module).Output()
	if err == nil {
		err = json.Unmarshal(out, &m)
	}
	if err != nil {
		t.Fatalf("fetching %s: %v\n%s", module, err, out)
	}
	dir = filepath.Join(t.TempDir(), "module")
	if err := os.CopyFS(dir, os.DirFS(m.Dir)); err != nil {
		t.Fatal(err)
	}
	// A go.work file names modules that are no part of this one.
	if err := os.Remove(filepath.Join(dir, "go.work")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	get := exec.CommandContext(t.Context(), "go", "mod", "download")
	get.Dir = dir
	if out, err := get.CombinedOutput(); err != nil {
		t.Fatalf("fetching what %s imports: %v\n%s", module, err, out)
	}
	return dir
}

// A limitedRun is what an index and questions after it gave.
type limitedRun struct {
	took      time.Duration // the index
	processor time.Duration // the same, of all that the process and its children ran
	indexed   int64         // bytes in memory, the most of the process that indexes
	served    int64         // and of the one that answers
	answers   [][]found
	says      string
	caged     bool
}

// limitRun indexes a module in a process under a limit (0: none), and asks another one about it.
func limitRun(t *testing.T, source string, limit int64) (r limitedRun) {
	t.Helper()
	ctx := t.Context()
	store := filepath.Join(t.TempDir(), "store")
	more := []string{"--store", store, "--progress", "none", "--memory-limit", strconv.FormatInt(limit, 10)}
	c := newCage(t, limit)
	r.caged = c.dir != ""
	began := time.Now()
	index := c.start(t, append([]string{"index", source}, more...)...)
	err := index.wait()
	r.took, r.indexed, r.says = time.Since(began), index.peak, index.says.String()
	r.processor = index.cmd.ProcessState.UserTime() + index.cmd.ProcessState.SystemTime()
	if err != nil {
		t.Fatalf("indexing under %d bytes, after %v with at most %d MiB: %v\n%s", limit, r.took, r.indexed>>20, err, r.says)
	}
	host := c.start(t, append([]string{"daemon", source, "--idle", "1m"}, more...)...)
	defer func() {
		a := &app{err: t.Output(), flags: flags{store: store}}
		_, stopErr := daemon.AskStop(context.WithoutCancel(ctx), store, a.daemonOptions("limit"))
		waitErr := host.wait()
		r.served = host.peak
		if r.says += host.says.String(); errors.Join(stopErr, waitErr) != nil {
			t.Errorf("the host under %d bytes: %v, %v\n%s", limit, stopErr, waitErr, host.says.String())
		}
	}()
	host.serving(t)
	a := &app{err: t.Output(), flags: flags{store: store, tests: true, progress: "none"}}
	q, err := a.openAsker(ctx, source, "limit")
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	if _, own := q.(*local); own {
		t.Fatal("the test has opened the store itself")
	}
	for i, p := range somePlaces(t, source, *limitQuestions) {
		var answer []found
		if i%2 == 0 {
			answer, err = q.definition(ctx, p)
		} else {
			answer, err = q.references(ctx, p, true)
		}
		if err != nil {
			t.Fatalf("question %d, about %+v: %v", i, p, err)
		}
		r.answers = append(r.answers, answer)
	}
	return r
}

// somePlaces are places of identifiers in Go files, by the seed.
func somePlaces(t *testing.T, source string, n int) (places []place) {
	t.Helper()
	var files []string
	err := filepath.WalkDir(source, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "vendor" || path != source && d.Name() == "cmd" || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case filepath.Ext(path) == ".go" && !strings.HasSuffix(path, "_test.go") && !strings.Contains(d.Name(), "_"):
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(*limitSeed, 0))
	for len(places) < n {
		file := files[rng.IntN(len(files))]
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		var (
			s    scanner.Scanner
			here []place
		)
		f := set.AddFile(file, -1, len(text))
		for s.Init(f, text, nil, 0); ; {
			pos, tok, _ := s.Scan()
			if tok == token.EOF {
				break
			}
			if tok == token.IDENT {
				p := f.Position(pos)
				here = append(here, place{file, p.Line, p.Column})
			}
		}
		if len(here) > 0 {
			places = append(places, here[rng.IntN(len(here))])
		}
	}
	return places
}

// manyPackages is a module of n packages, each of which uses the one before and much of the
// standard library's fmt.
func manyPackages(n int) string {
	var b strings.Builder
	b.WriteString("-- go.mod --\nmodule example.com/many\n\ngo 1.24\n")
	for i := range n {
		fmt.Fprintf(&b, "-- p%d/p.go --\npackage p%d\n\nimport \"fmt\"\n", i, i)
		if i > 0 {
			fmt.Fprintf(&b, "import before \"example.com/many/p%d\"\n\nvar _ = before.F0\n", i-1)
		}
		for j := range 60 {
			fmt.Fprintf(&b, "\n// F%d adds.\nfunc F%d(a, b int) string {\n\tsum := a + b*%d\n\treturn fmt.Sprint(sum, a, b)\n}\n", j, j, j)
		}
	}
	return b.String()
}

// A cage is a cgroup with a limit on memory, or, where none can be made, nothing.
type cage struct {
	dir   string // "" without one
	limit int64
}

// cageRoots are where cgroups of memory lie, and what their limit is called: version 2, and 1.
var cageRoots = []struct{ dir, limit string }{
	{"/sys/fs/cgroup", "memory.max"},
	{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
}

func newCage(t *testing.T, limit int64) *cage {
	c := &cage{limit: limit}
	if limit == 0 || raceFactor > 1 {
		return c
	}
	for _, root := range cageRoots {
		dir := filepath.Join(root.dir, fmt.Sprintf("cytisus-limit-%d", os.Getpid()))
		if os.Mkdir(dir, 0o700) != nil {
			continue
		}
		t.Cleanup(func() { os.Remove(dir) })
		if writeThere(filepath.Join(dir, root.limit), strconv.FormatInt(limit, 10)) == nil {
			c.dir = dir
			return c
		}
	}
	return c
}

// writeThere writes to a file that is there. Where cgroups of version 1 are mounted, the directory
// above them is a usual one, in which a file could be made and would limit nothing.
func writeThere(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// A caged process is the command under a limit.
type caged struct {
	cmd   *exec.Cmd
	says  bytes.Buffer
	done  chan error
	peak  int64
	ready chan struct{} // it says that it serves
}

// start runs the command in the cage.
func (c *cage) start(t *testing.T, args ...string) *caged {
	t.Helper()
	p := &caged{done: make(chan error, 1), ready: make(chan struct{})}
	if c.dir != "" {
		in := `set -e; test -w "$0"/cgroup.procs; echo $$ > "$0"/cgroup.procs; exec "$@"`
		p.cmd = exec.CommandContext(t.Context(), "sh", append([]string{"-c", in, c.dir, os.Args[0]}, args...)...)
	} else {
		p.cmd = exec.CommandContext(t.Context(), os.Args[0], args...)
	}
	p.cmd.Env = append(os.Environ(), commandEnv+"=1")
	p.cmd.Stderr = &readyWriter{to: &p.says, ready: p.ready}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.cmd.Wait() }()
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case err := <-ended:
				p.done <- err
				return
			case <-tick.C:
				p.peak = max(p.peak, mostResident(p.cmd.Process.Pid))
			}
			if c.limit > 0 && c.dir == "" && raceFactor == 1 && p.peak > 2*c.limit {
				p.cmd.Process.Kill() // it would eat the machine
			}
		}
	}()
	return p
}

// mostResident is the most that a process had in memory, 0 if it is gone.
func mostResident(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseInt(fields[0], 10, 64)
	return kib << 10
}

func (p *caged) wait() error { return <-p.done }

// serving waits until a host says that it serves.
func (p *caged) serving(t *testing.T) {
	t.Helper()
	select {
	case <-p.ready:
	case err := <-p.done:
		p.done <- err
		t.Fatalf("the host has ended: %v\n%s", err, p.says.String())
	}
}

// A readyWriter keeps what a process says, and closes ready with its first line that says
// "serving".
type readyWriter struct {
	to    *bytes.Buffer
	ready chan struct{}
	said  bool
}

func (w *readyWriter) Write(b []byte) (int, error) {
	w.to.Write(b)
	if !w.said && bytes.Contains(w.to.Bytes(), []byte("serving ")) {
		w.said = true
		close(w.ready)
	}
	return len(b), nil
}
