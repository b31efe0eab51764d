package sched

import "golang.org/x/sys/unix"

// processCPU is how long the threads of the process have had a processor, in ns: on a busy machine
// it repeats where wall time does not.
func processCPU() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return ts.Nano()
}
