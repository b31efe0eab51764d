package golang

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cytisus/cytisus/lsp"
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
