package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	goruntime "runtime"
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

	// Ten samples of each tenth of the keys. What a process costs at one moment is where Go's
	// collector stands in its round; the mean of a tenth is what the session costs.
	tenth := max(*endureKeys/10, 1)
	var samples, tenths []cost
	begin, kills, damages, compared := time.Now(), 0, 0, 0
	for key := 1; key <= *endureKeys; key++ {
		m := files[rng.IntN(len(files))]
		m.key(typist, rng)
		if rng.IntN(4) == 0 {
			files[rng.IntN(len(files))].check(typist)
		}
		if key%max(tenth/20, 10) == 0 {
			files[rng.IntN(len(files))].compare(typist, rng)
			compared++
		}
		if *endureDamage > 0 && key%*endureDamage == 0 {
			damages += scribble(t, store, rng)
			for _, m := range files {
				m.check(typist)
				m.compare(typist, rng)
				compared++
			}
		}
		if key%max(tenth/10, 1) == 0 {
			samples = append(samples, costOf(t, typist, store))
		}
		if key%tenth == 0 {
			c := meanCost(samples)
			samples = nil
			tenths = append(tenths, c)
			t.Logf("key %5d: %v; %.1f ms a key", key, c, float64(time.Since(begin).Milliseconds())/float64(key))
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
				m.compare(typist, rng)
				compared++
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d keys, %d kills, %d places overwritten, %d comparisons with go/types, in %v", *endureKeys, kills, damages, compared, time.Since(begin).Round(time.Second))
	typist.must("cytisus/settle", nil)
	for _, m := range files {
		m.check(typist)
		m.compare(typist, rng)
	}
	typist.leave()
	other.leave()
	typist.left()
	other.left()
	if *endureKeys < 2000 {
		return // a process that has just begun is still filling its caches
	}
	first, last := tenths[0], tenths[len(tenths)-1]
	if last.resident > first.resident*12/10 {
		t.Errorf("resident memory is %s in the last tenth and %s in the first: more than 1.2 of it", bytesText(last.resident), bytesText(first.resident))
	}
	for i, c := range tenths {
		if c.disk > 2*c.kept+diskSlack || c.diskMost > 2*c.kept+diskPeak {
			t.Errorf("tenth %d: %s on disk, at most %s, for %s of live records", i+1, bytesText(c.disk), bytesText(c.diskMost), bytesText(c.kept))
		}
		if c.kept > first.kept*3/2 {
			t.Errorf("tenth %d: live records grow from %s to %s", i+1, bytesText(first.kept), bytesText(c.kept))
		}
	}
}

// What a store may have on disk beside twice what is live: on average, half of the garbage that a
// collection is worth (4 MiB, runtime.garbageFloor), what is typed while it waits and runs, half a
// megabyte with each key in the large file, and the space that files have ahead. For a moment there
// may be as much as makes a collection due without knowing of garbage, half of
// Options.CollectEvery: a collection gives way to all other work, and on a busy machine waits for
// it.
const (
	diskSlack = 6 << 20
	diskPeak  = 32 << 20
)

// A cost is what a session takes of the machine.
type cost struct {
	resident, anonymous int64 // memory of the host, and what of it is no file
	disk, diskMost      int64 // disk space of the store
	kept                int64 // live: what the last collection kept
	stored              int64 // bytes of all records
}

func (c cost) String() string {
	return fmt.Sprintf("%s resident, %s of it files; disk %s, at most %s, live %s, stored %s", bytesText(c.resident), bytesText(c.resident-c.anonymous),
		bytesText(c.disk), bytesText(c.diskMost), bytesText(c.kept), bytesText(c.stored))
}

func costOf(t *testing.T, e *editor, store string) cost {
	t.Helper()
	st := e.stats()
	c := cost{stored: st.Engine.Store.StoredBytes, kept: st.Engine.Collector.LiveBytes}
	if c.kept == 0 {
		c.kept = st.Engine.Store.LiveBytes // this host has not collected yet
	}
	c.resident, c.anonymous = residentBytes(t, st.PID)
	c.disk = diskUse(t, store)
	return c
}

// meanCost is the mean of samples, and the largest use of the disk among them.
func meanCost(samples []cost) (mean cost) {
	for _, c := range samples {
		mean.resident += c.resident
		mean.anonymous += c.anonymous
		mean.disk += c.disk
		mean.kept += c.kept
		mean.stored += c.stored
		mean.diskMost = max(mean.diskMost, c.disk)
	}
	for _, sum := range []*int64{&mean.resident, &mean.anonymous, &mean.disk, &mean.kept, &mean.stored} {
		*sum /= int64(len(samples))
	}
	return mean
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

// residentBytes is the resident memory of a process, and what of it belongs to no file.
func residentBytes(t *testing.T, pid int) (all, anonymous int64) {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	value := func(name string) int64 {
		_, rest, _ := strings.Cut(string(b), "\n"+name+":")
		line, _, _ := strings.Cut(rest, "kB")
		n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		if err != nil {
			t.Fatalf("%s of process %d: %v", name, pid, err)
		}
		return n << 10
	}
	return value("VmRSS"), value("RssAnon")
}
