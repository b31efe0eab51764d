package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.lsp.dev/uri"
)

var (
	endureKeys   = flag.Int("endure.keys", 240, "keystrokes that TestEndure types")
	endureKill   = flag.Int("endure.kill", 80, "kill the host after so many keystrokes; 0: never")
	endureDamage = flag.Int("endure.damage", 110, "write garbage over the segments after so many keystrokes; 0: never")
	endureLarge  = flag.Int("endure.large", 60_000, "bytes of the large file that TestEndure types in")
	endureSeed   = flag.Uint64("endure.seed", 0, "seed of TestEndure; 0 takes a new one")
)

// A manuscript is a file that is typed in: declarations, with a line in the first function that
// comes and goes, key by key.
type manuscript struct {
	path    string
	lines   []string
	typed   string // what stands in the line that is typed
	plan    string // what is typed next; empty: the line is taken back
	at      int    // number of the line that is typed, from 0
	version int
	probe   int // line of a function below
	name    string
}

// newManuscript writes a file of a package.
func newManuscript(t *testing.T, dir, pkg, file string, bytes int) *manuscript {
	t.Helper()
	m := &manuscript{path: filepath.Join(dir, pkg, file), name: "Probe" + strings.ToUpper(pkg)}
	m.lines = []string{"package " + pkg, "", "// First is typed in.", "func First(n int) int {", "\tn++", "", "\treturn n", "}", ""}
	m.at = 5
	size := 0
	for i := 0; size < bytes; i++ {
		fn := []string{
			fmt.Sprintf("// %s%d does what its name says.", pkg, i), fmt.Sprintf("func %s%d(a, b int) int {", pkg, i),
			fmt.Sprintf("\tif a > %d {", i), "\t\treturn First(b)", "\t}", "\treturn a*b + First(a)", "}", "",
		}
		m.lines = append(m.lines, fn...)
		size += len(strings.Join(fn, "\n"))
	}
	m.probe = len(m.lines) + 1
	m.lines = append(m.lines, "// "+m.name+" is asked about.", "func "+m.name+"(x, y string) bool { return First(len(x)) > len(y) }", "")
	if err := os.MkdirAll(filepath.Dir(m.path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.path, []byte(m.text()), 0o644); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *manuscript) text() string { return strings.Join(m.lines, "\n") }

// key types or takes back one character, and tells an editor.
func (m *manuscript) key(e *editor, rng *rand.Rand) {
	if m.plan == "" && m.typed == "" {
		m.plan = []string{"\tn = First(n) + 1", "\tfor i := range n { n += i }", "\tif n > 3 { return First(n - 1) }", "\t_ = n // (a remark"}[rng.IntN(4)]
	}
	var change map[string]any
	at := func(column int) map[string]any { return map[string]any{"line": m.at, "character": column} }
	if m.plan != "" {
		change = map[string]any{"range": map[string]any{"start": at(len(m.typed)), "end": at(len(m.typed))}, "text": m.plan[:1]}
		m.typed, m.plan = m.typed+m.plan[:1], m.plan[1:]
	} else {
		n := len(m.typed) - 1
		change = map[string]any{"range": map[string]any{"start": at(n), "end": at(n + 1)}, "text": ""}
		m.typed = m.typed[:n]
	}
	m.lines[m.at] = m.typed
	m.version++
	e.tell("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": string(uri.File(m.path)), "version": m.version},
		"contentChanges": []any{change},
	})
}

// check asks about the function below what is typed.
func (m *manuscript) check(e *editor) {
	e.t.Helper()
	hover := e.must("textDocument/hover", placeOf(m.path, m.probe, 6))
	if want := "func " + m.name + "(x string, y string) bool"; !strings.Contains(hover, want) {
		e.t.Errorf("%s, with %q being typed: hover says %s, want %s", filepath.Base(m.path), m.typed, hover, want)
	}
	var list []struct {
		Range struct{ Start struct{ Line int } }
	}
	definition := e.must("textDocument/definition", placeOf(m.path, m.probe, strings.Index(m.lines[m.probe], "First")))
	if err := json.Unmarshal([]byte(definition), &list); err != nil || len(list) != 1 || list[0].Range.Start.Line != 3 {
		e.t.Errorf("%s, with %q being typed: definition says %s, want line 3", filepath.Base(m.path), m.typed, definition)
	}
}

// TestEndure types in three files of a module while the host of the store is killed, and its
// segment files are overwritten, again and again. Each answer is right throughout; memory and disk
// do not grow.
func TestEndure(t *testing.T) {
	if goruntime.GOOS != "linux" {
		t.Skip("what a process costs is read from /proc")
	}
	runtimeDir(t)
	seed := *endureSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay with -endure.seed=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 9))
	dir := write(t, "-- go.mod --\nmodule example.com/endure\n\ngo 1.24\n")
	for i := range 99 {
		newManuscript(t, dir, "many", fmt.Sprintf("f%02d.go", i), 500)
		renameDeclarations(t, filepath.Join(dir, "many", fmt.Sprintf("f%02d.go", i)), i)
	}
	files := []*manuscript{
		newManuscript(t, dir, "small", "small.go", 30_000),
		newManuscript(t, dir, "large", "large.go", *endureLarge),
		newManuscript(t, dir, "many", "typed.go", 500),
	}
	store := newCLI(t).store
	join := func() *editor {
		e := serveProcess(t, nil, "serve", "--store", store)
		e.begin(dir)
		return e
	}
	sit := func(e *editor) {
		for _, m := range files {
			m.version++
			e.open(m.path, m.version, m.text())
		}
	}
	typist, other := join(), join()
	sit(typist)
	typist.must("cytisus/reindex", nil)

	window := max(*endureKeys/10, 1)
	var rss, disk, live []int64 // of the host and the store, window by window
	begin, kills, damages := time.Now(), 0, 0
	for key := 1; key <= *endureKeys; key++ {
		m := files[rng.IntN(len(files))]
		m.key(typist, rng)
		if rng.IntN(4) == 0 {
			files[rng.IntN(len(files))].check(typist)
		}
		if *endureDamage > 0 && key%*endureDamage == 0 {
			damages += scribble(t, store, rng)
			for _, m := range files {
				m.check(typist)
			}
		}
		if key%window == 0 {
			st := typist.stats()
			rss = append(rss, residentBytes(t, st.PID))
			disk = append(disk, diskUse(t, store))
			live = append(live, st.Engine.Store.LiveBytes)
			t.Logf("key %5d: host %d has %s resident, disk %s, live %s; %.1f ms a key", key, st.PID, bytesText(rss[len(rss)-1]),
				bytesText(disk[len(disk)-1]), bytesText(live[len(live)-1]), float64(time.Since(begin).Milliseconds())/float64(key))
		}
		if *endureKill > 0 && key%*endureKill == 0 {
			kills++
			if typist.stats().PID == typist.cmd.Process.Pid {
				typist, other = other, typist
				killed(t, other)
				sit(typist)
			} else {
				killed(t, other)
			}
			other = join()
			for _, m := range files {
				m.check(typist)
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d keys, %d kills, %d places overwritten, in %v", *endureKeys, kills, damages, time.Since(begin).Round(time.Second))
	typist.must("cytisus/settle", nil)
	for _, m := range files {
		m.check(typist)
	}
	typist.leave()
	other.leave()
	typist.left()
	other.left()
	if *endureKeys < 5000 {
		return // a process that has just begun is still filling its caches
	}
	const slack = 16 << 20 // disk space that segments take ahead
	if first, last := rss[0], rss[len(rss)-1]; last > first*12/10 {
		t.Errorf("resident memory is %s after the last tenth and %s after the first: more than 1.2 of it", bytesText(last), bytesText(first))
	}
	for i := range disk {
		if disk[i] > 2*live[i]+slack {
			t.Errorf("window %d: %s on disk for %s of live records", i+1, bytesText(disk[i]), bytesText(live[i]))
		}
	}
	if most, first := slices.Max(live[1:]), live[0]; most > first*3/2 {
		t.Errorf("live records grow from %s to %s", bytesText(first), bytesText(most))
	}
}

// renameDeclarations makes the declarations of a file its own, so that many can be one package.
func renameDeclarations(t *testing.T, file string, i int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := strings.NewReplacer("First", fmt.Sprintf("First%d", i), "Probe", fmt.Sprintf("Probe%d", i), "func many", fmt.Sprintf("func many%d_", i)).Replace(string(text))
	if err := os.WriteFile(file, []byte(s), 0o644); err != nil {
		t.Fatal(err)
	}
}

// killed kills a process.
func killed(t *testing.T, e *editor) {
	t.Helper()
	if err := e.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-e.ended
}

// scribble writes garbage over places of the segment files of a store that is served, and returns
// how many.
func scribble(t *testing.T, store string, rng *rand.Rand) int {
	t.Helper()
	segs, err := filepath.Glob(filepath.Join(store, "*.seg"))
	if err != nil || len(segs) == 0 {
		t.Fatal("no segments: ", err)
	}
	const places = 20
	for range places {
		f, err := os.OpenFile(segs[rng.IntN(len(segs))], os.O_RDWR, 0)
		if os.IsNotExist(err) {
			continue // collected meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		if fi, err := f.Stat(); err == nil && fi.Size() > 8192 {
			garbage := make([]byte, 64+rng.IntN(4096))
			for i := range garbage {
				garbage[i] = byte(rng.Uint32())
			}
			if _, err := f.WriteAt(garbage, rng.Int64N(fi.Size()-int64(len(garbage)))); err != nil {
				t.Error(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	return places
}

// residentBytes is the resident memory of a process.
func residentBytes(t *testing.T, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
