package counts

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// taskClock is a counter that every kernel has: how long threads ran, in nanoseconds.
var taskClock = event{unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_TASK_CLOCK}

// What a process needs is counted with all its threads, and what its parent does meanwhile is not.
func TestProcessesAreCounted(t *testing.T) {
	const spent = 30 * time.Millisecond
	if os.Getenv("COUNTS_TEST_SPEND") != "" {
		spend(spent)
		return
	}
	child := exec.Command(os.Args[0], "-test.run=^TestProcessesAreCounted$")
	child.Env = append(os.Environ(), "COUNTS_TEST_SPEND=1")
	n, err := counting(taskClock, func() error {
		spend(20 * spent) // on the thread whose counter it is
		return child.Run()
	})
	if err != nil {
		t.Fatal(err)
	}
	if n == Unknown {
		t.Skip("this machine lets no process have a counter")
	}
	if got := time.Duration(n); got < spent || got > 10*spent {
		t.Errorf("%v were counted of a process that spent %v; its parent spent %v", got, spent, 20*spent)
	}
	if n, err := counting(event{1<<31 - 1, 0}, func() error { return nil }); n != Unknown || err != nil {
		t.Errorf("a counter that no machine has counts %d, %v", n, err)
	}
}

// spend spends processor time of the process.
func spend(d time.Duration) {
	used := func() time.Duration {
		var t unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
			panic(err)
		}
		return time.Duration(t.Nano())
	}
	for from := used(); used()-from < d; {
	}
}
