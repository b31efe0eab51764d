package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func allocate(f *os.File, n int64) error {
	fi, err := f.Stat()
	if err != nil || fi.Size() >= n {
		return err
	}
	store := unix.Fstore_t{Flags: unix.F_ALLOCATEALL, Posmode: unix.F_PEOFPOSMODE, Length: n - fi.Size()}
	err = unix.FcntlFstore(f.Fd(), unix.F_PREALLOCATE, &store)
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL) {
		return lengthen(f, n)
	}
	if err != nil {
		return err
	}
	return f.Truncate(n)
}

func zero(f *os.File, off, n int64) error { return writeZeros(f, off, n) }

// datasync is os.File.Sync, which asks the disk to empty its cache (F_FULLFSYNC); plain fsync does not here.
func datasync(f *os.File) error { return f.Sync() }
