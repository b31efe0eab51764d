package counts

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An event is what the kernel counts for a process.
type event struct {
	kind   uint32
	config uint64
}

var instructionsOfUser = event{unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_INSTRUCTIONS}

// counting runs a function, and counts an event in user code of the processes that it starts and
// waits for, from the moment on at which they are themselves. It is Unknown where the machine, or
// its policy, has no such counter, or where the counter was shared with others.
func counting(e event, run func() error) (int64, error) {
	runtime.LockOSThread() // the counter is this thread's, and goes on to what the thread starts
	defer runtime.UnlockOSThread()
	attr := unix.PerfEventAttr{
		Type: e.kind, Config: e.config,
		Bits:        unix.PerfBitDisabled | unix.PerfBitInherit | unix.PerfBitEnableOnExec | unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv,
		Read_format: unix.PERF_FORMAT_TOTAL_TIME_ENABLED | unix.PERF_FORMAT_TOTAL_TIME_RUNNING,
	}
	attr.Size = uint32(unsafe.Sizeof(attr))
	fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return Unknown, run()
	}
	defer unix.Close(fd)
	if err := run(); err != nil {
		return Unknown, err
	}
	var b [24]byte // the count, how long it was wanted, how long it ran
	if n, err := unix.Read(fd, b[:]); err != nil || n != len(b) {
		return Unknown, fmt.Errorf("counts: a counter cannot be read (%d bytes): %w", n, err)
	}
	if binary.NativeEndian.Uint64(b[8:]) != binary.NativeEndian.Uint64(b[16:]) {
		return Unknown, nil
	}
	return int64(binary.NativeEndian.Uint64(b[:])), nil
}
