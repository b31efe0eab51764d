//go:build unix && !solaris && !aix

package vfs

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A child process that is being started has copies of the lock's files until it runs its program.
// They keep nobody out once the lock is given back.
func TestLockEndsInSpiteOfCopies(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	for _, shared := range []bool{false, true} {
		held, err := OS{}.Lock(name, "first", shared)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []interface{ Fd() uintptr }{held.(*osLock).file, held.(*osLock).dir} {
			fd, err := unix.Dup(int(f.Fd()))
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fd)
		}
		if err := held.Close(); err != nil {
			t.Fatal(err)
		}
		next, err := OS{}.Lock(name, "second", false)
		if err != nil {
			t.Fatalf("after a lock (shared: %v) was given back: %v", shared, err)
		}
		if err := next.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
