//go:build unix

package sched

import (
	"io"
	"syscall"
)

// A rawReader reads as a call into C would: the thread stays in the kernel, and Go is not asked.
type rawReader int

func (r rawReader) Read(b []byte) (int, error) { return syscall.Read(int(r), b) }

// blockingReader returns what blocks its thread in the kernel until release fires.
func blockingReader(release *Event) (r io.Reader, stop func()) {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		panic(err)
	}
	release.OnFire(func() { _, _ = syscall.Write(ends[1], []byte{1}) })
	return rawReader(ends[0]), func() {
		_ = syscall.Close(ends[0])
		_ = syscall.Close(ends[1])
	}
}
