package lsp

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ticksPerSecond is USER_HZ, which is 100 on all that Go runs on.
const ticksPerSecond = 100

// A usage is what a process has used.
type usage struct {
	cpuSeconds     float64 // with children that have ended
	rssMB, peakRSS float64 // millions of bytes
}

func usageOf(pid int) (u usage, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	// Behind the command's name, which may have any byte in it: state is field 3, utime, stime,
	// cutime and cstime are 14 to 17.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const first = 14 - 3
	if len(fields) < first+4 {
		return u, fmt.Errorf("/proc/%d/stat is %q", pid, stat)
	}
	for _, f := range fields[first : first+4] {
		ticks, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return u, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
		u.cpuSeconds += ticks / ticksPerSecond
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		var kib float64
		if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kib); n == 1 {
			u.rssMB = kib * 1024 / 1e6
		}
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kib); n == 1 {
			u.peakRSS = kib * 1024 / 1e6
		}
	}
	return u, nil
}
