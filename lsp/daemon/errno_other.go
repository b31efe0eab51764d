//go:build !windows

package daemon

import "syscall"

var (
	refusedErrnos     = []syscall.Errno{syscall.ECONNREFUSED}
	busyErrnos        = []syscall.Errno{syscall.EAGAIN}
	unsupportedErrnos = []syscall.Errno{syscall.EAFNOSUPPORT, syscall.EPROTONOSUPPORT, syscall.ESOCKTNOSUPPORT}
)
