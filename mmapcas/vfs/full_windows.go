package vfs

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

// NoSpace reports whether err says that a disk or a quota is full.
func NoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}
