package main

import (
	"os"
	"os/signal"
	"syscall"
)

// surviveBrokenPipes has writes to a standard output or standard error that nobody reads fail,
// instead of ending the process: one that serves others goes on. It is undone by the function
// that it returns. The signal is caught and not ignored, because the go commands that are run
// would inherit that.
func surviveBrokenPipes() (undo func()) {
	never := make(chan os.Signal, 1)
	signal.Notify(never, syscall.SIGPIPE)
	return func() { signal.Stop(never) }
}
