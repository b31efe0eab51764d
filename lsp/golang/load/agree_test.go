package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var agreeDirs = flag.String("agree.dirs", "",
	"comma-separated directories of modules to compare with go list, beside those of the test")

// goEnv is the configuration that the go command has in a directory.
func goEnv(t testing.TB, dir string, env ...string) Config {
	t.Helper()
	out := runGo(t, dir, env, "env", "-json")
	var v map[string]string
	if err := json.Unmarshal(out, &v); err != nil {
		t.Fatal(err)
	}
	c := Config{
		GoRoot: v["GOROOT"], GoVersion: v["GOVERSION"], GoOS: v["GOOS"], GoArch: v["GOARCH"],
		Cgo: v["CGO_ENABLED"] == "1", ModCache: v["GOMODCACHE"], GoMod: v["GOMOD"], GoWork: v["GOWORK"], Tests: true,
	}
	if c.GoWork == "off" {
		c.GoWork = ""
	}
	return c
}

func runGo(t testing.TB, dir string, env []string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "PWD="+dir, "GOFLAGS=-mod=readonly"), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s in %s: %v\n%s", strings.Join(args, " "), dir, err, stderr.Bytes())
	}
	return out
}

// goList is what the go command lists of a directory and those below.
func goList(t testing.TB, dir string, env ...string) []Package {
	t.Helper()
	return goListOf(t, dir, env, "./...")
}

func goListOf(t testing.TB, dir string, env []string, patterns ...string) []Package {
	t.Helper()
	const fields = "ImportPath,Dir,Name,ForTest,Standard,DepOnly,GoFiles,CgoFiles,Imports,ImportMap,Module"
	args := append([]string{"list", "-e", "-deps", "-test", "-pgo=off", "-json=" + fields}, patterns...)
	dec := json.NewDecoder(bytes.NewReader(runGo(t, dir, env, args...)))
	var all []Package
	for {
		var p Package
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// comparePackages tells what two lists of packages do not have in common. Of what the go command
// lists, what no import leads to is left out: the main functions of tests, and what the linker
// adds.
func comparePackages(got, want []Package) (differ []string) {
	byID := func(all []Package) map[string]*Package {
		m := map[string]*Package{}
		for i := range all {
			m[all[i].ImportPath] = &all[i]
		}
		return m
	}
	ours, theirs := byID(got), byID(want)
	needed := map[string]bool{}
	var need func(id string)
	need = func(id string) {
		if p := theirs[id]; p != nil && !needed[id] {
			needed[id] = true
			for _, i := range p.Imports {
				need(i)
			}
		}
	}
	for i := range want {
		p := &want[i]
		isTestMain := p.Name == "main" && strings.HasSuffix(p.ImportPath, ".test")
		if !p.DepOnly && !isTestMain && len(p.GoFiles)+len(p.CgoFiles) > 0 {
			need(p.ImportPath)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(needed)) {
		a, b := ours[id], theirs[id]
		if a == nil {
			// No import of unsafe is ever followed.
			if id != "unsafe" && len(b.GoFiles)+len(b.CgoFiles) > 0 {
				differ = append(differ, id+" is missing")
			}
			continue
		}
		for _, f := range []struct {
			name string
			a, b any
		}{
			{"Dir", a.Dir, b.Dir},
			{"Name", a.Name, b.Name},
			{"ForTest", a.ForTest, b.ForTest},
			{"Standard", a.Standard, b.Standard},
			{"DepOnly", a.DepOnly, b.DepOnly},
			{"GoFiles", sorted(a.GoFiles), sorted(b.GoFiles)},
			{"CgoFiles", sorted(a.CgoFiles), sorted(b.CgoFiles)},
			{"Imports", sorted(a.Imports), sorted(b.Imports)},
			{"ImportMap", pairs(a.ImportMap), pairs(b.ImportMap)},
			{"Module", moduleText(a.Module), moduleText(b.Module)},
		} {
			if !reflect.DeepEqual(f.a, f.b) {
				differ = append(differ, fmt.Sprintf("%s: %s %v, go list has %v", id, f.name, f.a, f.b))
			}
		}
	}
	for _, p := range got {
		if !p.DepOnly && !needed[p.ImportPath] {
			differ = append(differ, p.ImportPath+" is asked for, go list does not have it")
		}
	}
	return differ
}

// sorted is a list as a set: go list has what both a package and its tests import twice.
func sorted(s []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(s))), " ")
}

func pairs(m map[string]string) string {
	var out []string
	for k, v := range m {
		out = append(out, k+"="+v)
	}
	return sorted(out)
}

func moduleText(m *Module) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf("%s %s %s %v", m.Path, m.Dir, m.GoVersion, m.Main)
}

func agree(t *testing.T, dir string, env ...string) {
	t.Helper()
	began := time.Now()
	want := goList(t, dir, env...)
	theirs := time.Since(began)
	c := goEnv(t, dir, env...)
	began = time.Now()
	got, err := Packages(t.Context(), c, []string{dir}, nil)
	ours := time.Since(began)
	if err != nil {
		t.Fatal(err)
	}
	differ := comparePackages(got, want)
	for i, d := range differ {
		if i == 20 {
			t.Errorf("and %d more", len(differ)-i)
			break
		}
		t.Error(d)
	}
	t.Logf("%d packages in %v, go list %d in %v", len(got), ours, len(want), theirs)
}

func TestAgreeWithGoList(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("this module", func(t *testing.T) { agree(t, root) })
	t.Run("one directory", func(t *testing.T) {
		dir := filepath.Join(root, "lsp", "golang")
		c := goEnv(t, dir)
		for _, c.Tests = range []bool{true, false} {
			want := goListOf(t, dir, nil, fmt.Sprintf("-test=%v", c.Tests), ".")
			got, err := Directory(t.Context(), c, dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range comparePackages(got, want) {
				t.Error(d)
			}
		}
	})
	t.Run("directories that are left out", func(t *testing.T) {
		dir := t.TempDir()
		files := map[string]string{
			"go.mod": "module example.com/m\n\ngo 1.25\n\nignore ./ignored\n", "nested/go.mod": "module example.com/m/nested\n\ngo 1.25\n",
		}
		out := []string{"testdata", "testdata/below", "_x", ".x", "nested", "nested/below", "ignored"}
		for _, sub := range append(out, "in") {
			files[sub+"/p.go"] = "package p\n"
		}
		for name, text := range files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		c := goEnv(t, dir, "GOWORK=off")
		if _, err := Directory(t.Context(), c, filepath.Join(dir, "in")); err != nil {
			t.Fatalf("a directory that is not left out: %v", err)
		}
		for _, sub := range out {
			if _, err := Directory(t.Context(), c, filepath.Join(dir, filepath.FromSlash(sub))); !errors.Is(err, ErrDoubt) {
				t.Errorf("%s: %v", sub, err)
			}
		}
	})
	for _, dir := range strings.Split(*agreeDirs, ",") {
		if dir != "" {
			t.Run(dir, func(t *testing.T) { agree(t, dir, "GOWORK=off") })
		}
	}
}
