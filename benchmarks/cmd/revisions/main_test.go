package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// write puts a module with one benchmark that does so much work into a directory.
func write(t *testing.T, dir string, work, allocations int) {
	t.Helper()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.24\n",
		"m_test.go": fmt.Sprintf(`package m

import "testing"

var sink []*int

func BenchmarkWork(b *testing.B) {
	for b.Loop() {
		x := 1
		for i := range %d {
			x = x*31 + i
		}
		sink = sink[:0]
		for range %d {
			sink = append(sink, new(int))
		}
		_ = x
	}
}
`, work, allocations),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// A revision that allocates more is found, one that is as it was is not, and no tree is left.
func TestRevisions(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GOWORK", "off")
	write(t, dir, 1000, 1)
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", ".")
	git(t, dir, "commit", "-q", "-m", "m: first")
	ask := func(args ...string) (int, string, string) {
		var out, errs strings.Builder
		code := command(t.Context(), append([]string{"-dir", dir, "-benchtime", "200x"}, args...), &out, &errs)
		return code, out.String(), errs.String()
	}
	// Times are left out of it: what else the machine does is no part of this test.
	if code, out, errs := ask("-base", "HEAD", "-all", "-least", "1e9"); code != 0 || !strings.Contains(out, "allocs/op") || !strings.Contains(out, "0 worse") {
		t.Errorf("the same twice: exit code %d\n%s%s", code, out, errs)
	}
	write(t, dir, 1000, 3)
	code, out, errs := ask("-base", "HEAD")
	if code != 1 || !strings.Contains(out, "Work") || !strings.Contains(out, "allocs/op") || !strings.Contains(out, "worse") {
		t.Errorf("three allocations instead of one: exit code %d\n%s%s", code, out, errs)
	}
	if _, _, errs := ask("-base", "HEAD", "-count", "3"); !strings.Contains(errs, "turns are needed") {
		t.Errorf("too few turns: %s", errs)
	}
	if code, _, errs := ask("-base", "no-such-revision"); code != 3 || !strings.Contains(errs, "no-such-revision") {
		t.Errorf("no such revision: exit code %d, %s", code, errs)
	}
	if code, _, _ := ask(); code != 2 {
		t.Errorf("no revision: exit code %d", code)
	}
	list := exec.Command("git", "worktree", "list")
	list.Dir = dir
	if trees, err := list.Output(); err != nil || strings.Count(string(trees), "\n") != 1 {
		t.Errorf("trees that are left: %s%v", trees, err)
	}
}
