package main

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"net"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"golang.org/x/tools/txtar"

	"github.com/cytisus/cytisus/runtime"
)

// The test binary is also the command, for tests that need a process of its own.
const commandEnv = "CYTISUS_TEST_COMMAND"

func TestMain(m *testing.M) {
	if note := os.Getenv(fakeGoEnv); note != "" && filepath.Base(os.Args[0]) == "go" {
		hangAsGo(note)
	}
	if os.Getenv(commandEnv) != "" {
		os.Exit(start())
	}
	os.Exit(m.Run())
}

// example is a module with two packages, a use across them, and a body that may be edited.
const example = `
-- go.mod --
module example.com/broom

go 1.24
-- broom.go --
package broom

import "example.com/broom/twig"

// Sweep counts the twigs.
func Sweep(n int) int {
	t := twig.New(n)
	return t.Len() + t.Size
}
-- twig/twig.go --
// Package twig grows twigs.
package twig

// A Twig has a size.
type Twig struct{ Size int }

// New grows a twig.
func New(n int) *Twig { return &Twig{Size: n} }

// Len is the length of the twig.
func (t *Twig) Len() int { return t.Size }
-- twig/twig_test.go --
package twig

import "testing"

func TestLen(t *testing.T) {
	if New(3).Len() != 3 {
		t.Fail()
	}
}
`

// write unpacks a txtar archive into a new directory, with symbolic links resolved.
func write(t *testing.T, archive string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A cli runs command lines against one store.
type cli struct {
	t     *testing.T
	store string
	flags []string
}

func newCLI(t *testing.T) *cli {
	return &cli{t: t, store: filepath.Join(t.TempDir(), "store"), flags: append([]string{"--progress=none"}, raceFlags...)}
}

// run runs one command line and returns what it printed and its exit code.
func (c *cli) run(args ...string) (out, errs string, code int) {
	c.t.Helper()
	var o, e bytes.Buffer
	line := append(append([]string{}, c.flags...), args...)
	if c.store != "" {
		line = append(line, "--store", c.store)
	}
	code = run(c.t.Context(), line, strings.NewReader(""), &o, &e)
	return o.String(), e.String(), code
}

// ok runs one command line that must succeed.
func (c *cli) ok(args ...string) string {
	c.t.Helper()
	out, errs, code := c.run(args...)
	if code != exitOK {
		c.t.Fatalf("cytisus %s: exit code %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return out
}

func decode[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("not the JSON that was expected: %v\n%s", err, text)
	}
	return v
}

func TestQuestions(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	at := func(file, place string) string { return filepath.Join(dir, file) + ":" + place }
	for _, tt := range []struct {
		args []string
		want []string // each must be in the output
	}{
		{[]string{"def", at("broom.go", "7:12")}, []string{"twig/twig.go:8:6\tfunc New(n int) *Twig"}},
		{[]string{"def", at("broom.go", "8:11")}, []string{"twig/twig.go:11:16\t"}},
		{[]string{"def", at("broom.go", "8:21")}, []string{"twig/twig.go:5:19\t"}},
		{[]string{"refs", at("twig/twig.go", "8:6")}, []string{"twig.go:8:6\t", "broom.go:7:12\t", "twig_test.go:6:5\t"}},
		{[]string{"refs", "--tests=false", at("twig/twig.go", "8:6")}, []string{"broom.go:7:12\t"}},
		{[]string{"hover", at("broom.go", "7:12")}, []string{"func twig.New(n int) *twig.Twig", "New grows a twig."}},
		{[]string{"def", "--root", dir, "broom/twig.New"}, []string{"twig/twig.go:8:6\tfunc New(n int) *Twig"}},
		{[]string{"def", "--root", dir, "twig.Twig.Len"}, []string{"twig/twig.go:11:16\t"}},
		{[]string{"refs", "--root", dir, "twig.New"}, []string{"twig.go:8:6\t", "broom.go:7:12\t", "twig_test.go:6:5\t"}},
		{[]string{"calls", "--root", dir, "twig.New"}, []string{"broom.go:6:6\tfunction Sweep"}},
		{[]string{"rename", "--root", dir, "-d", "twig.New", "Grow"}, []string{"+func Grow(n int) *Twig"}},
		{[]string{"hover", "--root", dir, "--json", "New"}, []string{`"func New(n int) *Twig"`, "New grows a twig."}},
		{[]string{"outline", filepath.Join(dir, "twig", "twig.go")}, []string{"Twig", "New", "Len"}},
		{[]string{"complete", at("broom.go", "7:14")}, []string{"New\tfunction\tfunc(n int) *twig.Twig\n"}},
		{[]string{"complete", "--json", at("broom.go", "7:14")}, []string{`"label": "New"`, `"text": "New"`}},
		{[]string{"signature", at("broom.go", "7:16")}, []string{"New(n int) *twig.Twig\n    n int\n", "New grows a twig."}},
		{[]string{"symbols", "--root", dir, "swp"}, []string{"broom.go:6:6\tfunction"}},
	} {
		out := c.ok(tt.args...)
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("cytisus %s does not print %q:\n%s", strings.Join(tt.args, " "), want, out)
			}
		}
	}
	places := decode[[]found](t, c.ok("def", "--json", at("broom.go", "7:12")))
	if len(places) != 1 || places[0].Line != 8 || places[0].Column != 6 || places[0].EndColumn != 9 {
		t.Errorf("def --json: %+v", places)
	}
}

func TestExitCodes(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	file := filepath.Join(dir, "broom.go")
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"frobnicate"}, exitUsage, `unknown command "frobnicate"`},
		{[]string{"frobnicate"}, exitUsage, "Run cytisus help for the commands."},
		{[]string{"--nonsense"}, exitUsage, "Run cytisus help for the commands."},
		{[]string{"def", "--nonsense"}, exitUsage, "Run cytisus help def for what it takes."},
		{[]string{"index", t.TempDir()}, exitOK, "There is no Go package in "},
		{[]string{"def"}, exitUsage, "FILE:LINE:COL"},
		{[]string{"def", "--nonsense", file + ":1:1"}, exitUsage, "nonsense"},
		{[]string{"def", file}, exitUsage, "FILE:LINE:COL"},
		{[]string{"def", file + ":0:1"}, exitUsage, "line \"0\""},
		{[]string{"def", file + ":99:1"}, exitUsage, "there is no line 99"},
		{[]string{"def", file + ":1:99"}, exitUsage, "there is no column 99"},
		{[]string{"def", filepath.Join(dir, "none.go") + ":1:1"}, exitUsage, "none.go"},
		{[]string{"def", dir + ":1:1"}, exitUsage, "is a directory"},
		{[]string{"def", file + ":4:1"}, exitNothing, "no symbol"},
		{[]string{"hover", file + ":4:1"}, exitNothing, "no symbol"},
		{[]string{"refs", file + ":4:1"}, exitNothing, "no symbol"},
		{[]string{"symbols", "--root", dir, "zzzzzz"}, exitNothing, "zzzzzz"},
		{[]string{"def", "--root", dir, "twig.Nowhere"}, exitNothing, `nothing that the workspace declares is called "twig.Nowhere"; a place is written FILE:LINE:COL`},
		{[]string{"index", "--progress=sometimes", dir}, exitUsage, "sometimes"},
		{[]string{"index", filepath.Join(dir, "nowhere")}, exitUsage, "nowhere"},
		{[]string{"help", "frobnicate"}, exitUsage, `unknown command "frobnicate"`},
		{[]string{"help", "index", "now"}, exitUsage, `unknown command "now"`},
		{[]string{"explain", "--graph", "png", file}, exitUsage, "dot or json"},
		{[]string{"explain", "--graph", "dot", "--prove", file}, exitUsage, "prove"},
		{[]string{"index", "--store", dir, "--memory"}, exitUsage, "memory"},
		{[]string{"completion"}, exitUsage, "bash, fish"},
		{[]string{"completion", "cmd"}, exitUsage, "bash, fish"},
		{[]string{"completion", "bash", "now"}, exitUsage, "no arguments"},
	} {
		out, errs, code := c.run(tt.args...)
		if code != tt.code || !strings.Contains(errs, tt.says) {
			t.Errorf("cytisus %s: exit code %d, want %d, saying %q:\n%s%s", strings.Join(tt.args, " "), code, tt.code, tt.says, out, errs)
		}
	}
}

// A store that cannot be found, made or opened has its own exit code, and none is made below a
// home that is not absolute.
func TestStoresThatCannotBe(t *testing.T) {
	dir := write(t, example)
	t.Chdir(t.TempDir())
	file := filepath.Join(dir, "broom.go")
	c := &cli{t: t, flags: []string{"--progress=none", "--root", dir}}
	stores := []string{filepath.Join(file, "store"), file}
	if goruntime.GOOS == "linux" {
		stores = append(stores, "")
	}
	for _, store := range stores {
		if store == "" {
			t.Setenv("XDG_CACHE_HOME", "")
			t.Setenv("HOME", "home")
		}
		c.store = store
		for _, args := range [][]string{{"index"}, {"check"}, {"symbols", "Twig"}, {"stats"}, {"verify"}, {"repair"}, {"db-stats"}} {
			out, errs, code := c.run(args...)
			if code != exitStore || store == "" && !strings.Contains(errs, "not absolute") {
				t.Errorf("%q in %q: exit code %d\n%s%s", args, store, code, out, errs)
			}
		}
	}
	left, err := os.ReadDir(".")
	if err != nil || len(left) > 0 {
		t.Errorf("the current directory has %v, %v", left, err)
	}
}

func TestSecondIndexComputesNothing(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	first := decode[indexReport](t, c.ok("index", "--json", dir))
	if first.Computed == 0 || first.FilesRead < 3 || first.Packages < 2 {
		t.Errorf("first index: %+v", first)
	}
	second := decode[indexReport](t, c.ok("index", "--json", dir))
	// Files may be read again, since they changed a moment before they were first looked at; their
	// content is what it was.
	if second.Computed != 0 || second.ReusedShare != 1 {
		t.Errorf("second index: %+v, want nothing computed", second)
	}
	if first.Symbols != second.Symbols || first.References != second.References || first.Packages != second.Packages {
		t.Errorf("the second index counts otherwise:\n%+v\n%+v", first, second)
	}
}

func TestCheck(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	if out := c.ok("check", dir); out != "" {
		t.Errorf("check of good code prints %q", out)
	}
	bad := filepath.Join(dir, "twig", "bad.go")
	if err := os.WriteFile(bad, []byte("package twig\n\nvar x int = \"no\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, _, code := c.run("check", dir)
	if code != exitBadNews || !strings.Contains(out, "bad.go:3:13: error: ") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if err := os.Remove(bad); err != nil {
		t.Fatal(err)
	}
	if out := c.ok("check", dir); out != "" {
		t.Errorf("after the repair check prints %q", out)
	}
}

func TestVerifyFindsDamage(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	if _, errs, code := c.run("verify", dir); code != exitNothing || !strings.Contains(errs, "no store") {
		t.Errorf("without a store: exit code %d: %s", code, errs)
	}
	want := c.ok("index", "--json", dir)
	if out := c.ok("verify", dir); !strings.Contains(out, "every hash is right") {
		t.Errorf("verify prints %q", out)
	}
	if n := flipBytes(t, c.store); n == 0 {
		t.Fatal("no segment file to damage")
	}
	if out, _, code := c.run("verify", dir); code != exitBadNews || !strings.Contains(out, "damage") {
		t.Errorf("after damage: exit code %d:\n%s", code, out)
	}
	// Damage costs time only.
	a, b := decode[indexReport](t, want), decode[indexReport](t, c.ok("index", "--json", dir))
	if a.Symbols != b.Symbols || a.References != b.References || a.Diagnostics != b.Diagnostics {
		t.Errorf("after damage index counts otherwise:\n%+v\n%+v", a, b)
	}
	if out := c.ok("def", filepath.Join(dir, "broom.go")+":7:12"); !strings.Contains(out, "twig.go:8:6") {
		t.Errorf("after damage def prints %q", out)
	}
}

// flipBytes damages every segment in the store's directory in several places.
func flipBytes(t *testing.T, store string) (files int) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(store, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil || len(data) < 1<<16 {
			continue // not a segment
		}
		used := len(bytes.TrimRight(data, "\x00"))
		for i := 8192; i < used; i += max(1, used/7) {
			data[i] ^= 0x40
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		files++
	}
	return files
}

func TestMemoryKeepsNothing(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	store := c.store
	c.store = ""
	c.flags = append(c.flags, "--memory")
	if out := c.ok("def", filepath.Join(dir, "broom.go")+":7:12"); !strings.Contains(out, "twig.go:8:6") {
		t.Errorf("def prints %q", out)
	}
	if exists(store) {
		t.Errorf("%s was made", store)
	}
	if _, errs, code := c.run("verify", dir); code != exitUsage {
		t.Errorf("verify --memory: exit code %d: %s", code, errs)
	}
}

func TestCompletionsAndVersion(t *testing.T) {
	c := newCLI(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if out := c.ok("completion", shell); !strings.Contains(out, "cytisus") {
			t.Errorf("completion %s prints %q", shell, out)
		}
	}
	out := c.ok("version")
	if !strings.HasPrefix(out, "cytisus ") {
		t.Errorf("version prints %q", out)
	}
	if flag := c.ok("--version"); flag != out {
		t.Errorf("--version prints %q, version %q", flag, out)
	}
}

func TestStats(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	c.ok("index", dir)
	if out := c.ok("stats", dir); !strings.Contains(out, c.store) || !strings.Contains(out, "records") {
		t.Errorf("stats prints %q", out)
	}
	raw := c.ok("stats", "--json", dir)
	var st struct {
		Store string        `json:"store"`
		Stats runtime.Stats `json:"stats"`
	}
	if err := stdjson.Unmarshal([]byte(raw), &st); err != nil {
		t.Fatal(err)
	}
	if st.Store != c.store {
		t.Errorf("stats --json names store %q, want %q", st.Store, c.store)
	}
	if st.Stats.Store.Records == 0 {
		t.Error("stats --json tells of no records")
	}
	for _, want := range []string{`"lane": "rpc-2"`, `"phase": "idle"`, `"storedBytes":`} {
		if !strings.Contains(raw, want) {
			t.Errorf("stats --json does not print %s:\n%s", want, raw)
		}
	}
}

func TestExplain(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	c.ok("index", dir)
	file := filepath.Join(dir, "twig", "twig.go")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("return t.Size"), []byte("return 0 + t.Size"), 1)
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	out := c.ok("explain", file)
	for _, want := range []string{
		"golang/check({" + dir + " example.com/broom/twig})\n  ran: a read changed: golang/content(file://",
		"golang/packages(" + dir + ")\n  validated",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("explain does not print %q:\n%s", want, out)
		}
	}
	explained := decode[[]runtime.Explanation](t, c.ok("explain", "--json", file))
	if len(explained) == 0 || explained[0].Query == "" || explained[0].Reads == nil {
		t.Errorf("explain --json prints %+v", explained)
	}
	if out := c.ok("explain", "--json", file); !strings.Contains(out, `"verdict": "validated"`) && !strings.Contains(out, `"verdict": "reused"`) {
		t.Errorf("explain --json has no verdict in words: %s", out)
	}
	explainsByReplay(t, c, dir, file)
	serveProcess(t, nil, "serve", "--store", c.store).begin(dir)
	explainsByReplay(t, c, dir, file) // by a process that has begun since, and knows what is stored
}

// explainsByReplay checks what explain says of a file of the example whose last edit was in a body.
// It may be another process that has seen the edit.
func explainsByReplay(t *testing.T, c *cli, dir, file string) {
	t.Helper()
	out := c.ok("explain", "--prove", file)
	want := "golang/check({" + dir + " example.com/broom/twig})\n"
	_, check, _ := strings.Cut(out, want)
	check, _, _ = strings.Cut(check, "\ngolang/")
	if !strings.Contains(check, "the last run is due to golang/files[\"file://") || !strings.Contains(check, "the run before is reused") {
		t.Errorf("explain --prove says of %s%s\nof all:\n%s", want, check, out)
	}
	dot := c.ok("explain", "--graph", "dot", file)
	if !strings.HasPrefix(dot, "digraph") || !strings.Contains(dot, "golang/check({"+dir+" example.com/broom/twig})") {
		t.Errorf("explain --graph dot prints %s", dot)
	}
	g := decode[runtime.Graph](t, c.ok("explain", "--graph", "json", "--depth", "9", "--nodes", "20", file))
	if len(g.Nodes) != 20 || !g.Cut || len(g.Edges) == 0 {
		t.Errorf("explain --graph json: %d nodes, %d edges, cut: %t", len(g.Nodes), len(g.Edges), g.Cut)
	}
	whole := decode[runtime.Graph](t, c.ok("explain", "--graph", "json", "--depth", "30", "--nodes", "10000", file))
	if whole.Cut || len(whole.Nodes) <= 20 {
		t.Errorf("the whole graph: %d nodes, cut: %t", len(whole.Nodes), whole.Cut)
	}
}

// A byte of a file's stored text is flipped; the file itself is as it was, so nothing but the
// damage says that it must be read again.
func TestDamagedTextIsReadAgain(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	want := decode[indexReport](t, c.ok("index", "--json", dir))
	names, err := filepath.Glob(filepath.Join(c.store, "*.seg"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := 0
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for from := 0; ; {
			i := bytes.Index(data[from:], []byte("return t.Len() + t.Size"))
			if i < 0 {
				break
			}
			data[from+i] ^= 1
			from += i + 1
			flipped++
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if flipped == 0 {
		t.Fatal("the text is not in the store")
	}
	file := filepath.Join(dir, "broom.go")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// An edit elsewhere in the package makes its check read the damaged text.
	if err := os.WriteFile(filepath.Join(dir, "more.go"), []byte("package broom\n\nvar More = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := decode[indexReport](t, c.ok("index", "--json", dir))
	if got.Diagnostics != 0 || got.References < want.References {
		t.Errorf("after the damage: %+v, before: %+v", got, want)
	}
	if out := c.ok("def", file+":8:11"); !strings.Contains(out, "twig.go:11:16") {
		t.Errorf("def prints %q of %s", out, text)
	}
}

// serveHere has a command serve an editor about a directory, in this process. What it returns as
// end has the editor leave, and waits for the command.
func serveHere(t *testing.T, a *app, dir string) (editor *remote, end func()) {
	t.Helper()
	here, there := net.Pipe()
	served := make(chan error, 1)
	go func() {
		_, err := a.serve(context.WithoutCancel(t.Context()), there)
		served <- err
	}()
	editor, err := newRemote(t.Context(), here, dir, "", noMeter{})
	if err != nil {
		t.Fatal(err)
	}
	return editor, func() {
		t.Helper()
		if err := editor.close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
}
