//go:build !race

package epoch

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// Commands of membarrier(2), from <linux/membarrier.h>; x/sys has only the number of the call.
const (
	membarrierPrivateExpedited         = 1 << 3
	membarrierRegisterPrivateExpedited = 1 << 4
)

var startFences sync.Once

// wantFences has the kernel make ready for fence, once for the process, and sets remote when it is. The kernel takes about ten
// milliseconds for that, so it is done beside. Where it refuses (before Linux 4.14, in some sandboxes) nothing changes.
func wantFences() {
	startFences.Do(func() { go makeFences() })
}

// makeFences is wantFences, at once.
func makeFences() {
	if membarrier(membarrierRegisterPrivateExpedited) == 0 && membarrier(membarrierPrivateExpedited) == 0 {
		remote.Store(true)
	}
}

// fence returns when every thread of the process has passed a full fence since the call. It takes 0.3 us, and about 10 us while
// other processors run threads of the process. Call it only if remote is set.
func fence() {
	if errno := membarrier(membarrierPrivateExpedited); errno != 0 {
		panic(fmt.Sprintf("epoch: membarrier failed although it worked before: %v", errno))
	}
}

func membarrier(command uintptr) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, command, 0, 0)
	return errno
}
