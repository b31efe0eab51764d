package sched

import (
	"bytes"
	"runtime"
)

// goroutineID takes the number from the first line of the stack, "goroutine 12 [running…". It takes
// about a microsecond, so only checks and simulations ask.
func goroutineID() string {
	var buf [64]byte
	fields := bytes.Fields(buf[:runtime.Stack(buf[:], false)])
	return string(fields[1])
}
