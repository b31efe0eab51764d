package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cytisus/cytisus/lsp/daemon"
)

// Every command answers while an editor's server holds the store, and says what it says when it
// opens the store itself.
func TestCommandsWhileServed(t *testing.T) {
	runtimeDir(t)
	dir := write(t, example)
	bad := filepath.Join(dir, "twig", "bad.go")
	if err := os.WriteFile(bad, []byte("package twig\n\nvar x int = \"no\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	untidy := filepath.Join(dir, "untidy", "untidy.go")
	if err := os.Mkdir(filepath.Dir(untidy), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(untidy, []byte("package untidy\n\nimport _ \"os\"\nimport _ \"io\"\n\nfunc f(n int) {\n\tn = n\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "broom.go")
	lines := [][]string{
		{"check", "--json", dir},
		{"check", "--lint", "--json", dir},
		{"def", "--json", file + ":7:12"},
		{"refs", "--json", filepath.Join(dir, "twig", "twig.go") + ":8:6"},
		{"hover", file + ":7:12"},
		{"calls", "--json", filepath.Join(dir, "twig", "twig.go") + ":8:6"},
		{"rename", "--json", filepath.Join(dir, "twig", "twig.go") + ":8:6", "Renamed"},
		{"rename", filepath.Join(dir, "twig", "twig.go") + ":8:6", "func"},
		{"fix", "--json", filepath.Dir(untidy)},
		{"outline", file},
		{"complete", "--json", file + ":7:14"},
		{"complete", file + ":7:13"},
		{"signature", "--json", file + ":7:16"},
		{"signature", file + ":4:1"},
		{"symbols", "--root", dir, "swp"},
		{"def", file + ":4:1"},
		{"query-records", "golang/files-of", dir},
		{"verify", dir},
		{"repair", dir},
	}
	type said struct {
		out  string
		code int
	}
	run := func(c *cli) (all []said) {
		t.Helper()
		for _, args := range lines {
			out, errs, code := c.run(args...)
			if code > exitNothing {
				t.Errorf("cytisus %s: exit code %d: %s", strings.Join(args, " "), code, errs)
			}
			if args[0] == "verify" || args[0] == "repair" {
				out = strings.Split(out, "\n")[2] // behind the counts
			}
			all = append(all, said{out, code})
		}
		return all
	}
	c := newCLI(t)
	alone := decode[indexReport](t, c.ok("index", "--json", dir))
	want := run(c)
	e := serveProcess(t, nil, "serve", "--store", c.store)
	e.begin(dir)
	got := run(c)
	for i, args := range lines {
		if got[i] != want[i] {
			t.Errorf("cytisus %s says, with exit code %d,\n%s\nalone, with %d,\n%s", strings.Join(args, " "), got[i].code, got[i].out, want[i].code, want[i].out)
		}
	}
	served := decode[indexReport](t, c.ok("index", "--json", dir))
	if served.Files != alone.Files || served.Packages != alone.Packages || served.Symbols != alone.Symbols || served.References != alone.References ||
		served.Diagnostics != alone.Diagnostics || served.Root != alone.Root || served.Store != alone.Store || served.Computed != 0 {
		t.Errorf("index says %+v, alone %+v", served, alone)
	}
	// What has changed on the disk is seen, though the editor has not told of it.
	if err := os.Remove(bad); err != nil {
		t.Fatal(err)
	}
	if out := c.ok("check", dir); out != "" {
		t.Errorf("check prints %s", out)
	}
	if out := c.ok("explain", file); !strings.Contains(out, "golang/check({"+dir+" example.com/broom})") {
		t.Errorf("explain prints %s", out)
	}
	if out := c.ok("stats", dir); !strings.Contains(out, c.store) || !strings.Contains(out, "golang/check") {
		t.Errorf("stats prints %s", out)
	}
	for end := time.Now().Add(time.Minute); !measuresLoads(t, c.ok("stats", "--json", dir)); { // at the next Flush
		if time.Now().After(end) {
			t.Fatal("stats says of no query what loading takes")
		}
	}
	if out := c.ok("stats", dir); !strings.Contains(out, ", loading ") {
		t.Errorf("stats prints %s", out)
	}
	// What an editor has not saved counts: it is the editor's server that is asked.
	e.open(file, 1, "package broom\n\nvar Unsaved = nothing\n")
	if out, _, code := c.run("check", dir); code != exitBadNews || !strings.Contains(out, "broom.go:3:15: error: ") {
		t.Errorf("check exits with %d and prints %s", code, out)
	}
	e.finish()
	if _, _, code := c.run("daemon", "--status", dir); code != exitNothing {
		t.Errorf("without a host --status exits with %d", code)
	}
}

// measuresLoads reports whether what stats prints says what it takes to load an answer of a query
// that had no need to run.
func measuresLoads(t *testing.T, stats string) bool {
	t.Helper()
	out := decode[struct {
		Stats struct {
			Queries map[string]struct {
				Ran      uint64  `json:"ran"`
				LoadTime float64 `json:"loadTime"`
			} `json:"queries"`
		} `json:"stats"`
	}](t, stats)
	for _, q := range out.Stats.Queries {
		if q.Ran == 0 && q.LoadTime > 0 {
			return true
		}
	}
	return false
}

// Damage is found and mended while the store is in use.
func TestRepairWhileServed(t *testing.T) {
	runtimeDir(t)
	dir := write(t, example)
	c := newCLI(t)
	c.ok("index", dir)
	e := serveProcess(t, nil, "serve", "--store", c.store)
	e.begin(dir)
	at := placeOf(filepath.Join(dir, "broom.go"), 6, 11)
	want := e.must("textDocument/definition", at)
	e.must("cytisus/settle", nil)
	damageInPlace(t, c.store)
	if out, _, code := c.run("verify", dir); code != exitBadNews || !strings.Contains(out, "damage") {
		t.Errorf("verify exits with %d and prints %s", code, out)
	}
	if out := c.ok("repair", dir); !strings.Contains(out, "damage") {
		t.Errorf("repair prints %s", out)
	}
	if out := c.ok("verify", dir); !strings.Contains(out, "every hash is right") {
		t.Errorf("verify prints %s", out)
	}
	if got := e.must("textDocument/definition", at); got != want {
		t.Errorf("%s, before: %s", got, want)
	}
	e.finish()
}

// damageInPlace flips bytes of the segments without making new files of them.
func damageInPlace(t *testing.T, store string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(store, "*.seg"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		used := len(strings.TrimRight(string(data), "\x00"))
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := 8192; i < used; i += max(1, used/7) {
			if _, err := f.WriteAt([]byte{data[i] ^ 0x40}, int64(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A host of another build is named, by exit code too; nothing is opened beside it.
func TestHostOfAnotherBuild(t *testing.T) {
	runtimeDir(t)
	dir := write(t, example)
	c := newCLI(t)
	c.ok("index", dir)
	h, err := daemon.Listen(c.store, daemon.Options{Build: "another"})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.Serve(t.Context(), 0, nil) }()
	for _, args := range [][]string{{"check", dir}, {"index", dir}, {"stats", dir}, {"verify", dir}, {"repair", dir}, {"explain", filepath.Join(dir, "broom.go")}} {
		if _, errs, code := c.run(args...); code != exitStore || !strings.Contains(errs, "build another") {
			t.Errorf("cytisus %s: exit code %d: %s", args[0], code, errs)
		}
	}
	h.Close()
	if err := <-served; err != nil && !errors.Is(err, daemon.ErrIdle) {
		t.Error(err)
	}
}
