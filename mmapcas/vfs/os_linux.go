package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func allocate(f *os.File, from, to int64) error {
	err := eintr(func() error { return unix.Fallocate(int(f.Fd()), 0, from, to-from) })
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return writeZeros(f, from, to-from)
	}
	return err
}

// zero keeps the disk space: a punched hole would have to be allocated again by a store into the
// mapping, which on a full disk is a signal.
func zero(f *os.File, off, n int64) error {
	err := eintr(func() error {
		return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_ZERO_RANGE|unix.FALLOC_FL_KEEP_SIZE, off, n)
	})
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		return clearBytes(f, off, n)
	}
	return err
}

func datasync(f *os.File) error {
	return eintr(func() error { return unix.Fdatasync(int(f.Fd())) })
}

func eintr(fn func() error) error {
	for {
		if err := fn(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
