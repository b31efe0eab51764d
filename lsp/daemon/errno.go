package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"syscall"
)

// absent reports whether an error of a dial says that nobody listens: there is no socket, or
// one that its process has left behind.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) || isErrno(err, refusedErrnos) }

// busy reports whether an error of a dial says that a listener is there that has more
// connections waiting than it may.
func busy(err error) bool { return isErrno(err, busyErrnos) }

// unsupported marks the errors of a system without Unix sockets.
func unsupported(err error) error {
	if errors.Is(err, errors.ErrUnsupported) || isErrno(err, unsupportedErrnos) {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return err
}

func isErrno(err error, list []syscall.Errno) bool {
	errno, ok := errors.AsType[syscall.Errno](err)
	return ok && slices.Contains(list, errno)
}
