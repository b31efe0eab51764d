//go:build unix

package main

import (
	"os"
	goruntime "runtime"
	"syscall"
)

// peakOf is the most that a process that has ended had in memory, in bytes; 0 where the system does
// not say.
func peakOf(ended *os.ProcessState) int64 {
	usage, ok := ended.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if goruntime.GOOS == "darwin" || goruntime.GOOS == "ios" {
		return int64(usage.Maxrss) // in bytes there, elsewhere in units of 1024
	}
	return int64(usage.Maxrss) << 10
}
