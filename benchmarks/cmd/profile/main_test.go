package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestProfile indexes the smallest directory of the standard library and looks at the report and
// the written profile.
func TestProfile(t *testing.T) {
	if testing.Short() {
		t.Skip("asks the go command and indexes its packages")
	}
	dir := filepath.Join(t.TempDir(), "sub")
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-report", dir, "-top", "5", "container"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr.String())
	}
	for _, part := range []string{"% in tasks", "\nby lane\n", "\nby task\n", "\nby function"} {
		if !strings.Contains(stdout.String(), part) {
			t.Errorf("report lacks %q:\n%s", part, stdout.String())
		}
	}
	if !strings.Contains(stderr.String(), "container: ") || !strings.Contains(stderr.String(), "wrote "+dir) {
		t.Errorf("log is\n%s", stderr.String())
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "cpu-head.pb.gz")); err != nil || !bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		t.Errorf("the profile was not written: %v", err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"By lane", "By task", "By client", "alloc_space", "allocs-head.pb.gz", "Showing nodes accounting for"} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	if strings.Contains(string(page), "<script") || strings.Contains(string(page), "http") && strings.Contains(string(page), "src=") {
		t.Error("the page needs something else")
	}
}

func TestBadCalls(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"-all", "go"}, "exclude each other"},
		{[]string{"-top", "0"}, "at least 1"},
		{[]string{"-bogus"}, "-bogus"},
		{[]string{"-kind", "speed"}, "no kind"},
		{[]string{"-suite", "speed"}, "no suite"},
		{[]string{"-diff", "HEAD"}, "need -report"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), c.args, &stdout, &stderr); code != 2 || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%q: exit code %d, message %q", c.args, code, stderr.String())
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"no/such/directory"}, &stdout, &stderr); code != 1 {
		t.Errorf("a directory that is not there: exit code %d, message %q", code, stderr.String())
	}
}
