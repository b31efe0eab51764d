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
	out := filepath.Join(t.TempDir(), "sub", "index.pb.gz")
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-o", out, "-top", "5", "container"}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr.String())
	}
	for _, part := range []string{"% in tasks", "\nby lane\n", "\nby task\n", "\nby function"} {
		if !strings.Contains(stdout.String(), part) {
			t.Errorf("report lacks %q:\n%s", part, stdout.String())
		}
	}
	if !strings.Contains(stderr.String(), "container: ") || !strings.Contains(stderr.String(), "wrote "+out) {
		t.Errorf("log is\n%s", stderr.String())
	}
	if raw, err := os.ReadFile(out); err != nil || !bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		t.Errorf("the profile was not written: %v", err)
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
