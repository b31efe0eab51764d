package main

import (
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp/server"
)

var (
	lastingOf    = flag.String("lasting.of", "", "module that TestMemoryAtRest and TestDiskOfEdits copy and edit (default: a made one)")
	lastingMade  = flag.Int("lasting.packages", 12, "packages of the module that is made")
	lastingEdits = flag.Int("lasting.edits", 0, "edits of TestMemoryAtRest and TestDiskOfEdits; 0: a few, of which memory and disk say nothing")
	lastingSeed  = flag.Uint64("lasting.seed", 1, "what is edited, and what is asked")
)

const (
	// requestsEach is how many requests follow an edit.
	requestsEach = 8
	// opened is how many files are open in the editor.
	opened = 5
	// restsWithin is within how much more memory than after the first third of the edits the
	// process rests after all of them.
	restsWithin = 1.10
	// storedWithin is how many times what is live the store may have on the disk, on average and in
	// the end. For the moment of a collection, which copies what lives before it removes what has
	// become sparse, it may have what is live once more.
	storedWithin = 2
)

// A desk is an editor with some files of a module open, in each of which a function at the end is
// typed and taken back.
type desk struct {
	*editor
	rng    *rand.Rand
	store  string
	files  []*manuscript
	places map[*manuscript][]spot // of names, above what is typed
	asked  int
}

// A spot is a line and a column.
type spot struct{ line, column int }

// sitDown copies the module, indexes it in a process of its own, and opens some of its files.
func sitDown(t *testing.T) *desk {
	t.Helper()
	dir := ""
	if *lastingOf == "" {
		dir = grove(t, *lastingMade)
	} else {
		dir = t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(*lastingOf)); err != nil {
			t.Fatal(err)
		}
	}
	d := &desk{rng: rand.New(rand.NewPCG(*lastingSeed, 3)), store: newCLI(t).store, places: map[*manuscript][]spot{}}
	paths := sourcesOf(t, dir)
	d.rng.Shuffle(len(paths), func(i, k int) { paths[i], paths[k] = paths[k], paths[i] })
	packages := map[string]bool{}
	for _, path := range paths {
		if pkg := filepath.Dir(path); len(packages) < opened && !packages[pkg] {
			packages[pkg] = true // of each package one file, as what is typed has one name
			d.files = append(d.files, d.take(t, path))
		}
	}
	d.editor = serveProcess(t, nil, "serve", "--store", d.store)
	d.begin(dir)
	for _, m := range d.files {
		d.open(m.path, m.version, m.text())
	}
	d.must(server.MethodReindex, server.ReindexParams{Tidy: true})
	return d
}

// sourcesOf returns the files of a module that are compiled, of those that can be typed in.
func sourcesOf(t *testing.T, dir string) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := e.Name(); e.IsDir() && (name == "testdata" || name == "vendor" || name == "cmd" || name == "builtin") {
			return fs.SkipDir
		}
		name, isGo := strings.CutSuffix(e.Name(), ".go")
		if isGo && !strings.ContainsAny(name, "_") {
			paths = append(paths, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// take makes a manuscript of a file.
func (d *desk) take(t *testing.T, path string) *manuscript {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m := &manuscript{path: path, lines: strings.Split(string(text), "\n"), name: "typedHere"}
	var s scanner.Scanner
	file := token.NewFileSet().AddFile(path, -1, len(text))
	s.Init(file, text, nil, 0)
	for {
		pos, tok, _ := s.Scan()
		if tok == token.EOF {
			break
		}
		if p := file.Position(pos); tok == token.IDENT {
			d.places[m] = append(d.places[m], spot{p.Line - 1, p.Column - 1})
		}
	}
	m.lines = append(m.lines, "func typedHere(n int) int {", "", "\treturn n", "}", "")
	m.at = len(m.lines) - 4
	return m
}

// edit is one edit, and what an editor asks after it.
func (d *desk) edit() {
	d.t.Helper()
	m := d.files[d.rng.IntN(len(d.files))]
	m.key(d.editor, d.rng)
	for i := range requestsEach - 1 {
		at := d.places[m][d.rng.IntN(len(d.places[m]))]
		place := placeOf(m.path, at.line, at.column)
		switch i {
		case 0: // of what is typed in: of a name such as int there are millions
			typed := placeOf(m.path, m.at-1, len("func "))
			typed["context"] = map[string]any{"includeDeclaration": true}
			d.must("textDocument/references", typed)
		case 1:
			d.must("workspace/symbol", map[string]any{"query": m.name})
		case 2, 3:
			d.must("textDocument/definition", place)
		default:
			d.must("textDocument/hover", place)
		}
	}
	d.outlines(m.path, m.name)
	d.asked += requestsEach
}

// takeBack leaves the files as they were opened, so that the same is there at each rest.
func (d *desk) takeBack() {
	for _, m := range d.files {
		for m.plan = ""; m.typed != ""; {
			m.key(d.editor, d.rng)
		}
	}
}

// end ends the session.
func (d *desk) end() {
	d.t.Helper()
	d.leave()
	d.left()
}

// TestMemoryAtRest edits and asks, and lets the process rest after each third. The last rest takes
// no more memory than the first, but for a tenth.
func TestMemoryAtRest(t *testing.T) {
	if goruntime.GOOS != "linux" {
		t.Skip("what a process has in memory is read from /proc")
	}
	runtimeDir(t)
	edits := *lastingEdits
	if edits == 0 {
		edits = 9
	}
	d := sitDown(t)
	var rests []int64
	for third := range 3 {
		for range edits / 3 {
			d.edit()
		}
		d.takeBack()
		d.must("cytisus/settle", nil)
		if *lastingEdits == 0 {
			continue
		}
		busy, _ := residentBytes(t, d.cmd.Process.Pid)
		began := time.Now()
		rest(t, d.cmd.Process.Pid)
		resident, anonymous := residentBytes(t, d.cmd.Process.Pid)
		rests = append(rests, resident)
		t.Logf("after %d edits and %d requests: %s at rest, %s of it files; %s before, %.1f s", (third+1)*(edits/3), d.asked, bytesText(resident), bytesText(resident-anonymous), bytesText(busy), time.Since(began).Seconds())
	}
	d.end()
	if len(rests) > 0 && float64(rests[2]) > restsWithin*float64(rests[0]) {
		t.Errorf("%s at rest after %d edits, %s after %d: more than %.2f of it", bytesText(rests[2]), edits, bytesText(rests[0]), edits/3, restsWithin)
	}
}

// TestDiskOfEdits edits and asks, and nobody asks for a collection. The store has no more on the
// disk than twice what is live.
func TestDiskOfEdits(t *testing.T) {
	if goruntime.GOOS != "linux" {
		t.Skip("what files that grow take on the disk differs elsewhere")
	}
	runtimeDir(t)
	edits := *lastingEdits
	if edits == 0 {
		edits = 9
	}
	d := sitDown(t)
	tenth := max(edits/10, 1)
	var most, mean, last, samples, live int64
	for i := 1; i <= edits; i++ {
		d.edit()
		if i%max(tenth/100, 1) == 0 {
			last = diskUse(t, d.store)
			most, mean, samples = max(most, last), mean+last, samples+1
			// What is live is what a collection has left, at the least: that is without what was
			// garbage soon.
			if left := d.stats().Engine.Collector.LiveBytes; left > 0 && (live == 0 || left < live) {
				live = left
			}
		}
		if i%tenth == 0 {
			t.Logf("after %d edits: %s on the disk, %s on average, at most %s; %s live", i, bytesText(last), bytesText(mean/samples), bytesText(most), bytesText(live))
		}
	}
	mean /= samples
	d.takeBack()
	d.must("cytisus/settle", nil)
	d.end()
	t.Logf("%d edits and %d requests: %s live; %s on the disk in the end, %s on average, at most %s", edits, d.asked, bytesText(live), bytesText(last), bytesText(mean), bytesText(most))
	if *lastingEdits == 0 {
		return // the store has what it was made with
	}
	if last > storedWithin*live || mean > storedWithin*live || most > (storedWithin+1)*live {
		t.Errorf("for %s of live records there were %s on the disk in the end, %s on average, and at most %s", bytesText(live), bytesText(last), bytesText(mean), bytesText(most))
	}
}

// A process is at rest that has used less than this share of a processor for so many seconds in a
// row; within them it gives back what memory it does not need (package runtime, M8).
const (
	restSeconds = 10
	restTicks   = 5 // hundredths of a second, in a second
)

// rest waits until a process is at rest. No event tells that nothing will happen.
func rest(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for last, quiet := ticksOf(t, pid), 0; quiet < restSeconds; quiet++ {
		if time.Now().After(deadline) {
			t.Fatalf("process %d does not come to rest", pid)
		}
		time.Sleep(time.Second)
		now := ticksOf(t, pid)
		if now > last+restTicks {
			quiet = -1
		}
		last = now
	}
}

// ticksOf is the time of processors that a process has used, in hundredths of a second.
func ticksOf(t *testing.T, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return user + system
}
