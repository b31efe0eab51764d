package files

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// endless is a file that grows faster than it is read.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.read += int64(len(p))
	return len(p), nil
}

// F2: of a file that has no end one byte more than the limit is read.
func TestReadEnds(t *testing.T) {
	for _, limit := range []int64{0, 1, 4096, 1_000_003} {
		var file endless
		if _, err := take(io.LimitReader(&file, 1<<24), 0, limit); !errors.Is(err, lsp.ErrTooLarge) || file.read != limit+1 {
			t.Errorf("limit %d: %d bytes are read, %v", limit, file.read, err)
		}
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, size int) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, size := range []int{0, 1, 511, 512, 513, 99_999, 100_000} {
		text, err := Read(write("a.go", size), 100_000)
		if err != nil || len(text) != size {
			t.Errorf("%d bytes: %d read, %v", size, len(text), err)
		}
	}
	if _, err := Read(write("a.go", 100_001), 100_000); !errors.Is(err, lsp.ErrTooLarge) {
		t.Errorf("a file over the limit: %v", err)
	}
	if _, err := Read(dir, 10); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := Read(os.DevNull, 10); !errors.Is(err, ErrNotRegular) {
		t.Errorf("a device: %v", err)
	}
	if _, err := Read(filepath.Join(dir, "none.go"), 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
