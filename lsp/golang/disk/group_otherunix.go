//go:build unix && !linux

package disk

import "syscall"

// Only Linux and FreeBSD can tie a process to its parent; runGo says what that means.
func dieWithParent(*syscall.SysProcAttr) {}
