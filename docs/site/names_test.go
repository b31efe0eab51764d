package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	declared = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w*)\(`)
	named    = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*…?`)
	target   = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)
	making   = regexp.MustCompile(`^(?:\$ |[^#]*&& )?make ((?:[a-z][a-z-]*|[A-Z]+=\S*)(?: (?:[a-z][a-z-]*|[A-Z]+=[^\s\x60]*))*)`)
	inCode   = regexp.MustCompile("`([^`]+)`")
	filePath = regexp.MustCompile(`^[\w.-]+(?:/[\w.-]+)+\.(?:go|md|sh|txtar|pml|json)$`)
)

// sourceNames lists the tests, fuzz targets and benchmarks that the project declares.
func sourceNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(projectDir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		source, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, m := range declared.FindAllSubmatch(source, -1) {
			names[string(m[1])] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// current reports whether a page speaks of the project as it is. Decisions speak of their time.
func current(p page) bool { return p.group != "Decisions" }

// TestNamesOfTests: each test, fuzz target and benchmark that a page names is declared, or
// is how such names begin.
func TestNamesOfTests(t *testing.T) {
	names := sourceNames(t)
	begins := func(prefix string) bool {
		for n := range names {
			if strings.HasPrefix(n, prefix) {
				return true
			}
		}
		return false
	}
	found := 0
	for p, source := range allPages(t) {
		for _, name := range named.FindAllString(string(source), -1) {
			found++
			// What ends in …, and a pattern of -run, is how several names begin.
			if current(p) && !begins(strings.TrimSuffix(name, "…")) {
				t.Errorf("%s names %s, which no file declares", p.path, name)
			}
		}
	}
	if found < 100 {
		t.Errorf("%d names found, there are more", found)
	}
}

// TestTargets: each target of make that a page names is one of the Makefile.
func TestTargets(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(projectDir, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, m := range target.FindAllSubmatch(makefile, -1) {
		targets[string(m[1])] = true
	}
	found := 0
	for p, source := range allPages(t) {
		if !current(p) {
			continue
		}
		for _, text := range codeOf(source) {
			for _, m := range making.FindAllStringSubmatch(text, -1) {
				first, _, _ := strings.Cut(m[1], " ")
				if strings.Contains(first, "=") {
					continue
				}
				found++
				if !targets[first] {
					t.Errorf("%s says make %s, and there is no such target", p.path, first)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("%d targets found, there are more", found)
	}
}

// TestPaths: each file that a page names in code, from the root or from the page's own directory,
// is there.
func TestPaths(t *testing.T) {
	found := 0
	for p, source := range allPages(t) {
		if !current(p) {
			continue
		}
		for _, m := range inCode.FindAllStringSubmatch(string(source), -1) {
			name := strings.TrimPrefix(m[1], "./")
			if !filePath.MatchString(name) || strings.Contains(name, "NAME") {
				continue
			}
			found++
			if exists(name) || exists(path.Join(path.Dir(p.path), name)) {
				continue
			}
			t.Errorf("%s names %s, which is not there", p.path, name)
		}
	}
	if found < 30 {
		t.Errorf("%d paths found, there are more", found)
	}
}

func exists(name string) bool {
	_, err := os.Stat(filepath.Join(projectDir, filepath.FromSlash(name)))
	return err == nil
}
