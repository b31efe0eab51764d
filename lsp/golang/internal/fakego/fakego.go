// Package fakego makes a test binary a go command that misbehaves, for tests that put it into the
// PATH under that name. TestMain calls Main.
package fakego

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goruntime "runtime"
)

// Env is the variable that says what Main does: a word, and what it needs to know behind a colon.
const Env = "CYTISUS_TEST_FAKE_GO"

// Main never returns.
func Main(what string) {
	verb, arg, _ := strings.Cut(what, ":")
	switch verb {
	case "say": // exit code 1, and a message
		fmt.Fprintln(os.Stderr, arg)
		os.Exit(1)
	case "list": // fails to list, and does all else as a go command whose path comes first
		real, words, _ := strings.Cut(arg, "\n")
		if os.Args[1] == "list" {
			Main("say:" + words)
		}
		runReal(real)
	case "hold": // lists when told to, by Release, and does all else as a go command whose path comes first
		real, file, _ := strings.Cut(arg, "\n")
		if os.Args[1] == "list" {
			tell(file, 0)
			for !exists(file + released) {
				time.Sleep(time.Millisecond)
			}
		}
		runReal(real)
	case "print":
		fmt.Println(arg)
		os.Exit(0)
	case "flood":
		for {
			if _, err := os.Stdout.Write(make([]byte, 1<<16)); err != nil {
				os.Exit(1)
			}
		}
	case "hang": // with a child that hangs, too; both tell their numbers through a FIFO or file
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), Env+"=sleep")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			panic(err)
		}
		tell(arg, child.Process.Pid)
		Main("sleep")
	case "leave": // ends well, and leaves a child that holds its output
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), Env+"=sleep")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			panic(err)
		}
		tell(arg, child.Process.Pid)
		fmt.Println("{}")
		os.Exit(0)
	case "sleep":
		for {
			time.Sleep(time.Hour)
		}
	}
	fmt.Fprintf(os.Stderr, "fake go: what is %q?\n", what)
	os.Exit(2)
}

func runReal(path string) {
	cmd := exec.Command(path, os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// released is what a file has behind its name that lets go commands list that are held.
const released = ".released"

// Release lets the go commands list that are held with a file, also those that come.
func Release(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file+released, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// tell writes both process numbers into a file that appears whole.
func tell(file string, child int) {
	text := fmt.Sprintf("%d %d", os.Getpid(), child)
	if err := errors.Join(os.WriteFile(file+".new", []byte(text), 0o600), os.Rename(file+".new", file)); err != nil {
		panic(err)
	}
}

// Put makes the test binary the only go command in the PATH.
func Put(t *testing.T, what string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	name := "go"
	if goruntime.GOOS == "windows" {
		name += ".exe"
	}
	if err := os.Symlink(self, filepath.Join(dir, name)); err != nil {
		t.Skipf("no symbolic links: %v", err)
	}
	t.Setenv("PATH", dir)
	t.Setenv(Env, what)
}

// HasTold reports whether a fake go has told its numbers.
func HasTold(file string) bool { return exists(file) }

// Told waits for the two numbers that a fake go tells.
func Told(t *testing.T, file string) (pids [2]int) {
	t.Helper()
	for {
		text, err := os.ReadFile(file)
		if err == nil {
			if _, err := fmt.Sscan(string(text), &pids[0], &pids[1]); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			return pids
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

// WaitGone waits until processes have ended: those that no one has waited for count.
func WaitGone(t *testing.T, pids ...int) {
	t.Helper()
	if goruntime.GOOS != "linux" {
		return
	}
	for _, pid := range pids {
		for ended := false; !ended; {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			_, state, _ := strings.Cut(string(text), ") ")
			ended = err != nil || strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X")
			if !ended {
				time.Sleep(time.Millisecond) // the test's own deadline ends this
			}
		}
	}
}
