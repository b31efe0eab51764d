package affinity

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// atStart is the mask of the main thread before anybody can have bound it.
var atStart = sync.OnceValues(threadMask)

func init() { _, _ = atStart() } // an error is kept for whoever asks

// Allowed returns the processors that the process was given when it started, by its parent, its
// cpuset or taskset. It does not change when threads are bound.
func Allowed() (Mask, error) { return atStart() }

// ReadMachine describes the computer that we run on. Where sysfs is missing all processors are
// taken to be alike.
func ReadMachine() (Machine, error) {
	allowed, err := Allowed()
	if err != nil {
		return Machine{}, err
	}
	t, err := ReadTopology(os.DirFS("/sys"))
	if errors.Is(err, fs.ErrNotExist) {
		t, err = Flat(allowed), nil
	}
	if err != nil {
		return Machine{}, err
	}
	quota, err := ReadQuota(os.DirFS("/"))
	if err != nil {
		return Machine{}, err
	}
	return Machine{Topology: t, Allowed: allowed, Quota: quota}, nil
}

// Pin binds the calling thread to one processor, which must be one of Allowed, and returns what
// undoes it. The caller has locked its goroutine to the thread, and keeps it so until after
// restore, which it calls on the same thread; or it lets the goroutine end locked, which ends the
// thread. Calls nest.
//
// Restore gives the thread back the mask that it had. If the system refuses because the process has
// lost those processors meanwhile, the thread keeps what the system chose for it.
func Pin(cpu int) (restore func(), err error) {
	allowed, err := Allowed()
	if err != nil {
		return nil, err
	}
	if !allowed.Has(cpu) {
		return nil, fmt.Errorf("%w: %d is not in %v", ErrNotAllowed, cpu, allowed)
	}
	before, err := threadMask()
	if err != nil {
		return nil, err
	}
	if err := setThreadMask(MaskOf(cpu)); err != nil {
		return nil, fmt.Errorf("affinity: bind thread to processor %d: %w", cpu, err)
	}
	return func() { _ = setThreadMask(before) }, nil
}

// threadMask returns the processors that the calling thread may run on.
func threadMask() (m Mask, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return m, fmt.Errorf("affinity: read the processors of a thread: %w", err)
	}
	for cpu := range MaskCPUs {
		if set.IsSet(cpu) {
			m.add(cpu)
		}
	}
	return m, nil
}

func setThreadMask(m Mask) error {
	var set unix.CPUSet
	for cpu := range m.All() {
		set.Set(cpu)
	}
	return unix.SchedSetaffinity(0, &set)
}
