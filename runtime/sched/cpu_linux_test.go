package sched

import "golang.org/x/sys/unix"

// threadCPU is how long the calling thread has had a processor, in ns: on a busy machine it repeats where wall time does
// not.
func threadCPU() int64 { return cpuClock(unix.CLOCK_THREAD_CPUTIME_ID) }

// processCPU is the same of all threads together.
func processCPU() int64 { return cpuClock(unix.CLOCK_PROCESS_CPUTIME_ID) }

func cpuClock(id int32) int64 {
	var ts unix.Timespec
	if unix.ClockGettime(id, &ts) != nil {
		return 0
	}
	return ts.Nano()
}
