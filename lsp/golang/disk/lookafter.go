package disk

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A go command that still runs is looked after at these intervals, which double.
const (
	lookAfterFirst = time.Second
	lookAfterLast  = 30 * time.Second
)

// An OddFileError ends a go command that may wait for a file without an end.
type OddFileError struct{ Path, why string }

func (e *OddFileError) Error() string {
	return fmt.Sprintf("%s: %s: the go command was ended", e.Path, e.why)
}

// LookAfter returns a context for a go command, which ends with an *OddFileError if there is a Go
// file in some directories that the go command might never come to the end of. Before the command
// began there was none but those that are hidden from it. The caller must call end.
func LookAfter(ctx context.Context, dirs []string, hidden map[string][]byte) (running context.Context, end func()) {
	running, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for wait := lookAfterFirst; ; wait = min(2*wait, lookAfterLast) {
			select {
			case <-running.Done():
				return
			case <-time.After(wait):
			}
			if odd := oddFileIn(dirs, hidden); odd != nil {
				cancel(odd)
				return
			}
		}
	}()
	return running, func() {
		cancel(nil)
		<-done
	}
}

// oddFileIn finds a file for LookAfter; nil if there is none.
func oddFileIn(dirs []string, hidden map[string][]byte) *OddFileError {
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // it is gone, or the scan tells
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if _, ok := hidden[path]; ok || e.Type().IsRegular() || !syntax.IsGoFile(e.Name()) || !IsInput(e.Name()) {
				continue
			}
			if p, ok := ProblemAt(path); ok && p.Hide {
				return &OddFileError{path, p.Message}
			}
		}
	}
	return nil
}

// DirectoriesOf are the directories of files, sorted.
func DirectoriesOf(uris []string) []string {
	var dirs []string
	for _, uri := range uris {
		if path, ok := files.Path(uri); ok {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
