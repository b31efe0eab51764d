// Command crash kills a process that writes to a store, again and again, and checks what it left.
// See package crash.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"

	"github.com/cytisus/cytisus/fuzz/crash"
)

func main() {
	var (
		cycles = flag.Int("cycles", 100, "how often to kill")
		seed   = flag.Uint64("seed", rand.Uint64(), "seed of the moments")
		dir    = flag.String("dir", "", "directory of the store (default: a temporary one)")
		write  = flag.Bool("write", false, "be the process that is killed")
	)
	flag.Parse()
	if err := run(*dir, *seed, *cycles, *write); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func run(dir string, seed uint64, cycles int, write bool) error {
	if write {
		return crash.Write(context.Background(), dir, os.Stdout)
	}
	if dir == "" {
		tmp, err := os.MkdirTemp("", "cytisus-crash-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		dir = tmp
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	fmt.Printf("%d cycles, seed %d\n", cycles, seed)
	return crash.Drive(context.Background(), dir, seed, cycles, func(dir string) *exec.Cmd {
		return exec.Command(self, "-write", "-dir", dir)
	}, func(format string, args ...any) { fmt.Printf(format+"\n", args...) })
}
