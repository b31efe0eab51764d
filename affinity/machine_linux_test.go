package affinity

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// onOwnThread runs f on a thread that ends with it.
func onOwnThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: whatever f leaves bound dies with the thread
		f()
	}()
	<-done
}

func allowedOrSkip(t *testing.T) Mask {
	t.Helper()
	m, err := Allowed()
	if err != nil {
		t.Skipf("this system does not say: %v", err)
	}
	return m
}

func TestPinAndRestore(t *testing.T) {
	allowed := allowedOrSkip(t)
	onOwnThread(func() {
		mask := func() Mask {
			m, err := threadMask()
			if err != nil {
				t.Error(err)
			}
			return m
		}
		before := mask()
		for cpu := range allowed.All() {
			restore, err := Pin(cpu)
			if err != nil {
				t.Errorf("Pin(%d): %v", cpu, err)
				return
			}
			if got := mask(); got != MaskOf(cpu) {
				t.Errorf("bound to %v after Pin(%d)", got, cpu)
			}
			if now, err := Allowed(); err != nil || now != allowed {
				t.Errorf("Allowed on a bound thread = %v, %v; want %v", now, err, allowed)
			}
			nested, err := Pin(allowed.First())
			if err != nil {
				t.Error(err)
				return
			}
			nested()
			if got := mask(); got != MaskOf(cpu) {
				t.Errorf("bound to %v after a nested restore, want %d", got, cpu)
			}
			restore()
			if got := mask(); got != before {
				t.Errorf("restored to %v, want %v", got, before)
			}
		}
	})
}

func TestPinRefuses(t *testing.T) {
	allowed := allowedOrSkip(t)
	for _, cpu := range []int{-1, MaskCPUs - 1, MaskCPUs, math.MaxInt} {
		if allowed.Has(cpu) {
			continue
		}
		if _, err := Pin(cpu); !errors.Is(err, ErrNotAllowed) {
			t.Errorf("Pin(%d): %v, want ErrNotAllowed", cpu, err)
		}
	}
}

// TestNeverWidens starts this test once more as a process that is given one processor only, on a
// machine that has more.
func TestNeverWidens(t *testing.T) {
	const role = "AFFINITY_TEST_CHILD"
	if os.Getenv(role) != "" {
		allowed, err := Allowed()
		_, pinErr := Pin(1023)
		fmt.Printf("allowed %v %v\n", allowed, err)
		for cpu := range 64 {
			if restore, err := Pin(cpu); err == nil {
				fmt.Printf("pinned %d\n", cpu)
				restore()
			} else if !errors.Is(err, ErrNotAllowed) || !errors.Is(pinErr, ErrNotAllowed) {
				fmt.Println(err)
			}
		}
		return
	}
	allowed := allowedOrSkip(t)
	if allowed.Count() < 2 {
		t.Skip("needs two processors")
	}
	cpu := allowed.First()
	onOwnThread(func() {
		if _, err := Pin(cpu); err != nil {
			t.Error(err)
			return
		}
		child := exec.Command(os.Args[0], "-test.run=^TestNeverWidens$", "-test.v")
		child.Env = append(os.Environ(), role+"=1")
		out, err := child.CombinedOutput() // the child inherits the mask of the thread that starts it
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		want := fmt.Sprintf("allowed %d <nil>\npinned %d\n", cpu, cpu)
		if !strings.Contains(string(out), want) || strings.Count(string(out), "pinned") != 1 {
			t.Errorf("the child says:\n%s\nwant:\n%s", out, want)
		}
	})
}

func TestReadMachine(t *testing.T) {
	allowed := allowedOrSkip(t)
	m, err := ReadMachine()
	if err != nil {
		t.Fatal(err)
	}
	if m.Allowed != allowed || m.Usable() > allowed.Count() {
		t.Errorf("allowed %v, usable %d", m.Allowed, m.Usable())
	}
	for _, cpu := range Plan(m, On, 3) {
		if cpu != Unbound && !allowed.Has(cpu) {
			t.Errorf("the plan names processor %d, which is not in %v", cpu, allowed)
		}
	}
}
