package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fakeGoEnv names a file into which the test binary, when it is called go, writes its process
// number; then it hangs.
const fakeGoEnv = "CYTISUS_TEST_FAKE_GO"

func hangAsGo(note string) {
	text := []byte(fmt.Sprint(os.Getpid()))
	if err := errors.Join(os.WriteFile(note+".new", text, 0o600), os.Rename(note+".new", note)); err != nil {
		panic(err)
	}
	for {
		time.Sleep(time.Hour)
	}
}

// A server whose go command hangs ends when its editor says so, goes away or kills it, and takes
// the go command along.
func TestHangingGoEndsWithTheServer(t *testing.T) {
	if goruntime.GOOS != "linux" {
		t.Skip("processes are looked up in /proc")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		end  func(f *flooder) error
	}{
		{"exit", func(f *flooder) error {
			f.ask("shutdown", "null")
			return errors.Join(f.send(`{"jsonrpc":"2.0","method":"exit"}`), f.in.Flush())
		}},
		{"end of input", func(f *flooder) error { return f.pipe.Close() }},
		{"SIGTERM", func(f *flooder) error { return f.cmd.Process.Signal(syscall.SIGTERM) }},
		{"SIGKILL", func(f *flooder) error { return f.cmd.Process.Kill() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			bin, note := t.TempDir(), filepath.Join(t.TempDir(), "pid")
			if err := os.Symlink(self, filepath.Join(bin, "go")); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", bin)
			t.Setenv(fakeGoEnv, note)
			f := startFlooder(t)
			pid := ""
			for pid == "" {
				if text, err := os.ReadFile(note); err == nil {
					pid = string(text)
				} else if t.Context().Err() != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Millisecond)
			}
			if err := c.end(f); err != nil {
				t.Fatal(err)
			}
			go func() {
				for { // what is said at the end is read, as an editor would
					if _, err := f.next(); err != nil {
						return
					}
				}
			}()
			_, _ = f.cmd.Process.Wait() // how it ends is another test's business
			for {
				stat, err := os.ReadFile("/proc/" + pid + "/stat")
				if _, state, _ := strings.Cut(string(stat), ") "); err != nil || strings.HasPrefix(state, "Z") || strings.HasPrefix(state, "X") {
					return
				}
				time.Sleep(time.Millisecond) // the deadline of the test ends this
			}
		})
	}
}
