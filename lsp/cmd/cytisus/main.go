// Command cytisus indexes Go code into a store that survives restarts and answers questions about
// it: from the shell, or from an editor through the Language Server Protocol.
//
// Exit codes:
//
//	0  answered
//	1  answered, and the answer is bad news: check found errors, verify found damage, index could not read all
//	2  the command line is wrong
//	3  nothing there: no symbol at the position, no such file in the workspace
//	4  the store cannot be used: held by another process, of a newer format, no space, not writable
//	5  anything else went wrong
//
// Environment:
//
//	CYTISUS_GO_TIMEOUT  how long one run of the go command may take, such as 15m (5m)
package main

import (
	"context"
	"os"
	"os/signal"
	goruntime "runtime"
	"syscall"
)

func main() { os.Exit(start()) }

// start runs the process' command line.
func start() int {
	// Nothing here shows a profile of the heap, and what the runtime keeps for one is megabytes.
	goruntime.MemProfileRate = 0
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
