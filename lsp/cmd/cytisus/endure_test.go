package main

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var (
	killSeed = flag.Uint64("kill.seed", 0, "seed of TestKilledIndexResumes; 0 takes a new one")
	edits    = flag.Int("edits", 20, "how often TestDiskUseStaysFlat edits and indexes")
	editsOf  = flag.String("edits.of", "", "module that TestDiskUseStaysFlat copies and edits (default: a made one), such as $(go env GOROOT)/src")
)

// grove writes a module with n packages; each imports the three before it.
func grove(t *testing.T, n int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("-- go.mod --\nmodule example.com/grove\n\ngo 1.24\n")
	for i := range n {
		fmt.Fprintf(&b, "-- p%02d/p.go --\npackage p%02d\n\nimport (\n\t\"fmt\"\n", i, i)
		from := max(0, i-3)
		for j := from; j < i; j++ {
			fmt.Fprintf(&b, "\t\"example.com/grove/p%02d\"\n", j)
		}
		fmt.Fprintf(&b, ")\n\n// V%d holds values.\ntype V%d struct{ A, B int }\n\n", i, i)
		for k := range 20 {
			fmt.Fprintf(&b, "// F%d adds.\nfunc F%d(x int) string {\n\tv := V%d{A: x, B: %d}\n", k, k, i, k)
			for j := from; j < i; j++ {
				fmt.Fprintf(&b, "\t_ = p%02d.F%d(v.A)\n", j, k)
			}
			b.WriteString("\treturn fmt.Sprint(v.A + v.B)\n}\n\n")
		}
	}
	return write(t, b.String())
}

func TestKilledIndexResumes(t *testing.T) {
	dir := grove(t, 30)
	want := decode[indexReport](t, newCLI(t).ok("index", "--json", dir))
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("replay with -kill.seed=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := newCLI(t)
	killed := 0
	for range 4 {
		cmd := exec.Command(self, "index", dir, "--store", c.store, "--progress=plain")
		cmd.Env = append(os.Environ(), commandEnv+"=1")
		progress, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Somewhere between the first line of progress and the last.
		lines := bufio.NewScanner(progress)
		for n := 1 + rng.IntN(5); n > 0 && lines.Scan(); n-- {
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			killed++
		}
		if out, _, code := c.run("verify", dir); code != exitOK && code != exitNothing {
			t.Fatalf("verify after a kill: exit code %d\n%s", code, out)
		}
	}
	if killed == 0 {
		t.Fatal("every index ended before it was killed")
	}
	got := decode[indexReport](t, c.ok("index", "--json", dir))
	if got.Packages != want.Packages || got.Symbols != want.Symbols || got.References != want.References || got.Diagnostics != want.Diagnostics {
		t.Errorf("after %d kills:\n%+v\nundisturbed:\n%+v", killed, got, want)
	}
	if out := c.ok("verify", dir); !strings.Contains(out, "every hash is right") {
		t.Errorf("verify prints %q", out)
	}
	if again := decode[indexReport](t, c.ok("index", "--json", dir)); again.Computed != 0 {
		t.Errorf("the next index computes %d answers", again.Computed)
	}
	place := filepath.Join(dir, "p00", "p.go") + ":11:6" // func F0
	if a, b := c.ok("refs", place), newCLI(t).ok("refs", place); a != b {
		t.Errorf("refs after kills:\n%s\nundisturbed:\n%s", a, b)
	}
}

// Each round edits a body in every tenth file. What the edits replace is garbage, and disk use must
// not grow with it.
func TestDiskUseStaysFlat(t *testing.T) {
	dir := ""
	if *editsOf == "" {
		dir = grove(t, 12)
	} else {
		dir = t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(*editsOf)); err != nil {
			t.Fatal(err)
		}
	}
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "testdata") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c := newCLI(t)
	c.flags = append(c.flags, "--tests=false")
	var after10 int64
	for round := 1; round <= *edits; round++ {
		for i := round % 10; i < len(files); i += 10 {
			text, err := os.ReadFile(files[i])
			if err != nil {
				t.Fatal(err)
			}
			head, _, _ := strings.Cut(string(text), "\n// round ")
			text = fmt.Appendf([]byte(head), "\n// round %d\nfunc _() { _ = %d }\n", round, round)
			if err := os.WriteFile(files[i], text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		c.ok("index", dir)
		used := diskUse(t, c.store)
		if round == 10 {
			after10 = used
		}
		if round%10 == 0 {
			t.Logf("after round %d: %s", round, bytesText(used))
		}
		if round > 10 && used > after10*3/2 {
			t.Fatalf("disk use is %s after round %d, it was %s after round 10", bytesText(used), round, bytesText(after10))
		}
	}
	if out := c.ok("verify", dir); !strings.Contains(out, "every hash is right") {
		t.Errorf("verify prints %q", out)
	}
	clean := newCLI(t)
	clean.flags = append(clean.flags, "--tests=false")
	a, b := decode[indexReport](t, c.ok("index", "--json", dir)), decode[indexReport](t, clean.ok("index", "--json", dir))
	if a.Symbols != b.Symbols || a.References != b.References || a.Diagnostics != b.Diagnostics {
		t.Errorf("after the edits:\n%+v\nfrom scratch:\n%+v", a, b)
	}
}

func diskUse(t *testing.T, dir string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n, err := allocated(path)
		bytes += n
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
