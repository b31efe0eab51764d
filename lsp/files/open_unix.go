//go:build unix

package files

import "syscall"

// os.OpenFile adds O_CLOEXEC itself (F1).
const openFlags = syscall.O_NONBLOCK | syscall.O_NOCTTY
