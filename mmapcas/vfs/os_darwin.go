package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// allocate asks for space behind the end of the file, which is all that F_PREALLOCATE knows. Bytes
// before it, and network file systems, get their space by being written.
func allocate(f *os.File, from, to int64) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if from < fi.Size() {
		return writeZeros(f, from, to-from)
	}
	store := unix.Fstore_t{Flags: unix.F_ALLOCATEALL, Posmode: unix.F_PEOFPOSMODE, Length: to - fi.Size()}
	err = unix.FcntlFstore(f.Fd(), unix.F_PREALLOCATE, &store)
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL) {
		return writeZeros(f, from, to-from)
	}
	if err != nil {
		return err
	}
	return f.Truncate(to)
}

func zero(f *os.File, off, n int64) error { return clearBytes(f, off, n) }

// datasync is os.File.Sync, which asks the disk to empty its cache (F_FULLFSYNC); plain fsync does
// not here. Network file systems know no such request: for them fsync, which has the server write
// the bytes, is all there is.
func datasync(f *os.File) error {
	err := f.Sync()
	if !fullSyncUnknown(err) {
		return err
	}
	for {
		if err := unix.Fsync(int(f.Fd())); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// fullSyncUnknown reports whether a file system answered that it has no F_FULLFSYNC. An error of
// the disk, EIO, is none of these.
func fullSyncUnknown(err error) bool {
	return errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EOPNOTSUPP) ||
		errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL)
}
