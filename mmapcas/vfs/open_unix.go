//go:build unix

package vfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// openFile opens a file that is a regular one, and no symbolic link to one. It waits for no pipe's
// other end.
func openFile(name string, flag int) (*os.File, error) {
	f, err := os.OpenFile(name, flag|unix.O_NOFOLLOW|unix.O_NONBLOCK, fileMode)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EMLINK) { // the latter is FreeBSD's word
		if info, lerr := os.Lstat(name); lerr == nil && info.Mode().Type() == fs.ModeSymlink {
			return nil, &UnsafeError{Path: name, Reason: "it is a symbolic link, which a store's files never are; remove it"}
		}
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &UnsafeError{Path: name, Reason: "it is no regular file; remove it"}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// checkDir makes sure that nobody but the user can exchange what lies in a directory.
func checkDir(dir string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if uid := os.Geteuid(); ok && int(st.Uid) != uid {
		return &UnsafeError{Path: dir, Reason: fmt.Sprintf("it belongs to user %d, and this process is user %d's; use a directory of your own", st.Uid, uid)}
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return &UnsafeError{Path: dir, Reason: fmt.Sprintf("others can write to it (mode %#o); run chmod go-w on it, if nobody has", mode)}
	}
	return nil
}
