package daemon

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// The system says what Winsock says. The numbers of the same names in package syscall are
// inventions of Go, which no call returns.
var (
	refusedErrnos     = []syscall.Errno{windows.WSAECONNREFUSED}
	busyErrnos        = []syscall.Errno{windows.WSAEWOULDBLOCK}
	unsupportedErrnos = []syscall.Errno{windows.WSAEAFNOSUPPORT, windows.WSAEPROTONOSUPPORT, windows.WSAESOCKTNOSUPPORT, windows.WSAEPROVIDERFAILEDINIT}
)
