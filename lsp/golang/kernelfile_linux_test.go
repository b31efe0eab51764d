package golang

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
)

// Names that lead out of the ordinary keep nothing up and give nothing away: a package beside them
// is answered about, and what can be named is told.
func TestFilesOfTheKernelAreNotRead(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/odd

go 1.24
-- odd/a.go --
package odd

func /*@A*/A() {}
-- fifo/a.go --
package fifo

func B() {}
`, lsp.WorkspaceOptions{})
	at := func(name string) string { return filepath.Join(f.root, name) }
	if err := errors.Join(
		os.Symlink("/proc/self/pagemap", at("odd/x.go")),
		os.Symlink("x.go", at("odd/y.go")),
		os.Symlink("/dev/zero", at("odd/zero.go")),
		os.Symlink("/proc/self/environ", at("odd/go.sum")),
		os.Symlink("/proc/self/mem", at("odd/go.work")),
		os.Symlink("..", at("odd/loop")),
		os.Symlink("../fifo", at("fifo/loop")),
		unix.Mkfifo(at("fifo/pipe.go"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	f.index()
	for _, name := range []string{"odd/x.go", "odd/y.go"} {
		wantDiagnostic(t, f.diagnostics(name), "a file of the kernel, which is not read")
		wantDiagnostic(t, f.published(name), "a file of the kernel, which is not read")
	}
	if got := f.find("A", 1); len(got) != 1 {
		t.Errorf("symbol beside a file of the kernel: %v", got)
	}
	for _, name := range []string{"odd/x.go", "odd/zero.go", "fifo/pipe.go"} {
		if h, err := f.hover(f.uri(name), 1); err == nil {
			t.Errorf("%s: hover says %+v", name, h)
		}
		if err := f.w.FilesChanged(f.ctx, []string{f.uri(name)}); err != nil {
			t.Error(err)
		}
	}
}

// A file that becomes one of these while the workspace is open is hidden from the go command, which
// would wait for it, as is one that appears; and one that is a file again is told as such.
func TestFilesThatBecomeOdd(t *testing.T) {
	f := newFixture(t, `
-- go.mod --
module example.com/odd

go 1.24
-- p/a.go --
package p

func A() {}
-- p/live.go --
package p

func B() {}
`, lsp.WorkspaceOptions{Env: []string{"CYTISUS_GO_TIMEOUT=20s"}}) // nothing waits for that but a mistake
	f.index()
	// What is under way ends before the next file is exchanged, or the go command might have it.
	look := func(name string) {
		t.Helper()
		if err := f.w.FilesChanged(f.ctx, []string{f.uri(name)}); err != nil {
			t.Fatal(err)
		}
		if err := f.w.Settle(f.ctx); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(f.root, "p", name) }
	if err := unix.Mkfifo(at("pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"live.go", "new.go"} {
		for _, odd := range []func(path string) error{
			func(path string) error { return unix.Mkfifo(path, 0o600) },
			func(path string) error { return os.Symlink("/proc/self/pagemap", path) },
			func(path string) error { return os.Symlink(at("pipe"), path) },
			nil,
		} {
			if err := os.Remove(at(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			make := odd
			if make == nil {
				make = func(path string) error { return os.WriteFile(path, []byte("package p\n\nfunc Back() {}\n"), 0o600) }
			}
			if err := make(at(name)); err != nil {
				t.Fatal(err)
			}
			look("p/" + name)
			if got := f.published("p/a.go"); len(got) > 0 {
				t.Errorf("%s: beside it there is %v", name, got)
			}
			if odd != nil {
				if got := f.published("p/" + name); len(got) != 1 {
					t.Errorf("%s: told %v", name, got)
				}
			} else if got := f.published("p/" + name); len(got) > 0 {
				t.Errorf("%s is a file again: told %v", name, got)
			}
		}
		if err := os.Remove(at(name)); err != nil {
			t.Fatal(err)
		}
		look("p/" + name)
		if got := f.published("go.mod"); len(got) > 0 {
			t.Errorf("go.mod: told %v", got)
		}
	}
}

// A file that becomes one of these when the go command is at work already, or appears then, does
// not hold it: it is ended, and asked again without that file.
func TestFileThatBecomesOddUnderTheGoCommand(t *testing.T) {
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"p/live.go", "p/new.go", "p/p_test.go"} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			root, bin := testfiles.TempDir(t), t.TempDir()
			found := testfiles.Write(t, root, `
-- go.mod --
module example.com/odd

go 1.24
-- p/a.go --
package p

func A() {}
-- p/live.go --
package p

func B() {}
`)
			path := filepath.Join(root, name)
			script := fmt.Sprintf("#!/bin/sh\nif [ \"$1\" = list ] && mkdir '%s/once' 2>/dev/null; then rm -f '%s'; mkfifo '%[2]s'; fi\nexec '%[3]s' \"$@\"\n", bin, path, real)
			if err := os.WriteFile(filepath.Join(bin, "go"), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
			f := openFixture(t, root, "", found, lsp.WorkspaceOptions{Env: []string{"CYTISUS_GO_TIMEOUT=40s"}}) // waited for by a mistake only
			sum := f.index()
			for _, why := range sum.Missing {
				t.Errorf("missing: %s", why)
			}
			if got := f.published("go.mod"); len(got) > 0 {
				t.Errorf("go.mod: told %v", got)
			}
			if got := f.published(name); len(got) != 1 || !strings.Contains(got[0], "not a regular file") {
				t.Errorf("%s: told %v", name, got)
			}
			if list := f.find("A", 10); len(list) != 1 || list[0].Container != "example.com/odd/p" {
				t.Errorf("symbols %+v", list)
			}
		})
	}
}
