package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// --trace takes down what happens to answers: the first check runs, the next one reuses, and adds
// to the file.
func TestTraceFile(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	file := filepath.Join(t.TempDir(), "trace")
	read := 0
	counts := func() map[string]int {
		c.ok("check", dir, "--trace", file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]int{}
		for line := range strings.Lines(string(text[read:])) {
			l := decode[traceLine](t, line)
			if l.At.IsZero() || l.Key == "" && l.Query != "golang/go" || l.Cause == "" || l.What == "run" && l.Micros <= 0 {
				t.Errorf("not whole: %s", line)
			}
			by[l.What+" "+l.Query]++
		}
		read = len(text)
		return by
	}
	first := counts()
	if first["run golang/check"] != 3 || first["run golang/header"] != 3 {
		t.Errorf("the first time: %v", first)
	}
	second := counts()
	for what, n := range second {
		if strings.HasPrefix(what, "run ") {
			t.Errorf("the second time: %d x %s", n, what)
		}
	}
	if second["reuse golang/check"] == 0 {
		t.Errorf("the second time: %v", second)
	}
	if _, errs, code := c.run("check", dir, "--trace", dir); code != exitUsage || !strings.Contains(errs, "--trace") {
		t.Errorf("a directory: exit code %d: %s", code, errs)
	}
}
