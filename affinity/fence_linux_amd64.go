//go:build !race

package affinity

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

var fences struct {
	start sync.Once
	ready chan struct{}
}

// WantRemoteFences has the kernel make ready for [RemoteFence], once for the process. The kernel
// takes about ten milliseconds for that, so it is done beside; the channel is closed when it has
// answered. Where it refuses (before Linux 4.14, in some sandboxes), and on other systems,
// [RemoteFences] stays false.
func WantRemoteFences() (answered <-chan struct{}) {
	fences.start.Do(func() {
		fences.ready = make(chan struct{})
		go func() {
			defer close(fences.ready)
			if membarrier(membarrierRegisterPrivateExpedited) == 0 && membarrier(membarrierPrivateExpedited) == 0 {
				remoteFences.Store(true)
			}
		}()
	})
	return fences.ready
}

// RemoteFence returns when every thread of the process has passed a full fence since the call. It
// takes 0.3 us, and about 10 us while other processors run threads of the process. It must be
// called only if [RemoteFences] says so.
func RemoteFence() {
	if errno := membarrier(membarrierPrivateExpedited); errno != 0 {
		panic(fmt.Sprintf("affinity: membarrier failed although it worked before: %v", errno))
	}
}

func membarrier(command uintptr) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, command, 0, 0)
	return errno
}
