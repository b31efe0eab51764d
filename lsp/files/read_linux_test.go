package files

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cytisus/cytisus/lsp"
)

// What the kernel makes up while it is read is refused by its own name and through links, before
// a byte of it is read.
func TestReadRefusesTheKernelsFiles(t *testing.T) {
	dir := t.TempDir()
	for _, target := range []string{
		"/proc/self/pagemap", "/proc/self/mem", "/proc/self/environ", "/proc/cpuinfo", "/proc/self/root/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled",
	} {
		if _, err := os.Lstat(target); err != nil {
			t.Logf("%s is not on this machine", target)
			continue
		}
		link := filepath.Join(dir, "x.go")
		again := filepath.Join(dir, "y.go")
		os.Remove(link)
		os.Remove(again)
		if err := errors.Join(os.Symlink(target, link), os.Symlink(link, again)); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{target, link, again} {
			if _, err := Read(path, 1<<20); !errors.Is(err, ErrKernel) {
				t.Errorf("%s -> %s: %v", path, target, err)
			}
		}
		for _, path := range []string{link, again} {
			if info, err := Stat(path); info == nil || !errors.Is(err, ErrKernel) {
				t.Errorf("%s -> %s looks like %v, %v", path, target, info, err)
			}
		}
	}
}

// A FIFO without a writer, a socket and a device are refused without waiting.
func TestReadDoesNotWait(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo.go")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "socket.go")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	link := filepath.Join(dir, "link.go")
	if err := os.Symlink("/dev/zero", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, socket, link, "/dev/stdin", "/dev/tty"} {
		if _, err := Read(path, 1<<20); err == nil {
			t.Errorf("%s is read", path)
		}
	}
}

// A name that becomes a FIFO after it was looked at does not hold the reader up: what opens a
// FIFO to read it without O_NONBLOCK waits for a writer.
func TestOpeningDoesNotWait(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo.go")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(fifo, 10); !errors.Is(err, ErrNotRegular) {
		t.Errorf("%v", err)
	}
}

// A file that claims less than it holds gives no more than the limit.
func TestReadBelievesNoSize(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	for claimed := range int64(3) {
		if _, err := file.Seek(0, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := take(file, claimed, 999); !errors.Is(err, lsp.ErrTooLarge) {
			t.Errorf("%d bytes claimed: %v", claimed, err)
		}
	}
}
