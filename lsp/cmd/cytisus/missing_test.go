package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
)

// Without a go command there is half an index, and the exit code and a line say so.
func TestIndexWithoutGoIsBadNews(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	path := os.Getenv("PATH")
	t.Setenv("PATH", t.TempDir())
	for _, command := range []string{"index", "check"} {
		_, errs, code := c.run(command, dir)
		if code != exitBadNews || !strings.Contains(errs, "not in the index: go env: there is no go command in the PATH") {
			t.Errorf("%s: exit code %d\n%s", command, code, errs)
		}
	}
	out, _, code := c.run("index", "--json", dir)
	if r := decode[indexReport](t, out); code != exitBadNews || len(r.Missing) != 1 {
		t.Errorf("exit code %d, %+v", code, r)
	}
	t.Setenv("PATH", path)
	if r := decode[indexReport](t, c.ok("index", "--json", dir)); len(r.Missing) > 0 || r.Packages != 3 {
		t.Errorf("once there is one: %+v", r)
	}
}

// The same is said where an editor's server, which has no go command, holds the store.
func TestServedIndexWithoutGoIsBadNews(t *testing.T) {
	runtimeDir(t)
	dir := write(t, example)
	c := newCLI(t)
	path := os.Getenv("PATH")
	t.Setenv("PATH", t.TempDir())
	e := serveProcess(t, nil, "serve", "--store", c.store)
	e.begin(dir)
	t.Setenv("PATH", path)
	for _, command := range []string{"index", "check"} {
		_, errs, code := c.run(command, dir)
		if code != exitBadNews || !strings.Contains(errs, "not in the index: go env: there is no go command in the PATH") {
			t.Errorf("%s: exit code %d\n%s", command, code, errs)
		}
	}
	e.finish()
}

// With too few descriptors an index is whole or an error, whatever the number: which of its needs
// goes unmet first is no matter.
func TestIndexWithFewDescriptors(t *testing.T) {
	if goruntime.GOOS != "linux" {
		t.Skip("needs a shell with ulimit -n")
	}
	dir := grove(t, 8)
	want := decode[indexReport](t, newCLI(t).ok("index", "--json", dir))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, n := range []int{10, 16, 20, 24, 32} {
		c := newCLI(t)
		cmd := exec.Command("sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, n), self, "index", dir, "--json", "--progress=none", "--store", c.store)
		cmd.Env = append(os.Environ(), commandEnv+"=1")
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		if err != nil {
			failed++
			if _, ok := errors.AsType[*exec.ExitError](err); !ok || strings.TrimSpace(errs.String()) == "" || strings.Contains(errs.String(), "panic") {
				t.Errorf("%d descriptors: %v\n%s", n, err, errs.String())
			}
			if !strings.Contains(errs.String(), "too many open files") && !strings.Contains(errs.String(), "descriptors") {
				t.Errorf("%d descriptors: the cause is not told: %s", n, errs.String())
			}
			continue
		}
		if got := decode[indexReport](t, out.String()); got.Packages != want.Packages || got.References != want.References || got.Diagnostics != want.Diagnostics {
			t.Errorf("%d descriptors: exit code 0 and\n%+v, not\n%+v", n, got, want)
		}
	}
	if failed == 0 {
		t.Error("no number of descriptors was too small")
	}
}

// What may not be read is named. Root may read everything, so the command runs as nobody then.
func TestIndexNamesWhatItMayNotRead(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("permissions are other things there")
	}
	base, err := os.MkdirTemp("", "cytisus-missing-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(base)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	at := func(name string) string { return filepath.Join(base, name) }
	module := write(t, example+"-- shut/shut.go --\npackage shut\n")
	if err := errors.Join(
		os.CopyFS(at("m"), os.DirFS(module)), os.WriteFile(at("cytisus"), binary, 0o755),
		os.Mkdir(at("cache"), 0o777), os.Chmod(at("cache"), 0o777), os.Mkdir(at("store"), 0o777), os.Chmod(at("store"), 0o777),
		os.Chmod(base, 0o755), os.Chmod(at("m/shut"), 0), os.Chmod(at("m/twig/twig_test.go"), 0),
	); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(at("m/shut"), 0o755) // so that it can be removed
	cmd := exec.Command(at("cytisus"), "index", at("m"), "--progress=none", "--store", at("store/s"))
	cmd.Env = append(os.Environ(), commandEnv+"=1", "GOCACHE="+at("cache"), "HOME="+at("cache"), "TMPDIR="+at("cache"), "GOFLAGS=-mod=mod", "GOPROXY=off")
	if os.Getuid() == 0 {
		asNobody(cmd)
	}
	out, err := cmd.CombinedOutput()
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.ExitCode() != exitBadNews {
		t.Errorf("%v", err)
	}
	for _, want := range []string{"not in the index: " + at("m/shut") + ": open: permission denied", "not in the index: " + at("m/twig/twig_test.go") + ": open: permission denied"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%q is not told:\n%s", want, out)
		}
	}
}
