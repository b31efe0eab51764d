package golang

import (
	"context"
	"errors"
	"path/filepath"
	goruntime "runtime"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

// TestQuestionGivenUpLeavesTheWorkGoing: what questions wait for is done once for all of them, and
// goes on when the one that began it is cancelled.
func TestQuestionGivenUpLeavesTheWorkGoing(t *testing.T) {
	f := newFixture(t, "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n-- a.go --\npackage m\n", lsp.WorkspaceOptions{})
	var times atomic.Int32
	begun, goOn := make(chan struct{}, 2), make(chan struct{})
	work := func(context.Context) error {
		times.Add(1)
		begun <- struct{}{}
		<-goOn
		return nil
	}
	ctx, cancel := context.WithCancel(f.ctx)
	first := make(chan error)
	go func() { first <- f.w.chores.await(ctx, f.w.background, "a chore", work) }()
	<-begun
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the one who gave up: %v", err)
	}
	if err := f.w.chores.await(ctx, f.w.background, "a chore", work); !errors.Is(err, context.Canceled) { // joins the first
		t.Errorf("one who came late: %v", err)
	}
	under := f.w.chores.find("a chore")
	close(goOn)
	if under == nil {
		t.Fatal("the chore ended with the question")
	}
	if <-under.done; under.err != nil || times.Load() != 1 {
		t.Errorf("the chore was done %d times: %v", times.Load(), under.err)
	}
}

// TestCancelledQuestionPrepares: the first question about a workspace, cancelled while the go
// command runs, does not have the next one begin anew.
func TestCancelledQuestionPrepares(t *testing.T) {
	f := newFixture(t, "-- go.mod --\nmodule example.com/m\n\ngo 1.24\n-- a.go --\npackage m\n\nvar A = 1\n", lsp.WorkspaceOptions{})
	uri := f.uri("a.go")
	ctx, cancel := context.WithCancel(f.ctx)
	f.w.turn <- struct{}{} // the preparation waits until the question is gone
	asked := make(chan error)
	go func() {
		asked <- f.eng.Submit(ctx, laneOfOpen, func(t *runtime.Task) error {
			_, err := f.w.Symbols(t, uri)
			_, err2 := f.w.Hover(t, uri, len("package m\n\nvar "))
			return errors.Join(err, err2)
		})
	}()
	for f.w.chores.find("") == nil { // until the chore is under way
		goruntime.Gosched()
	}
	cancel()
	if err := <-asked; !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled question: %v", err)
	}
	under := f.w.chores.find("")
	<-f.w.turn
	if under == nil {
		t.Fatal("the preparation ended with the question")
	}
	<-under.done
	if under.err != nil {
		t.Error(under.err)
	}
	f.w.mu.Lock()
	defer f.w.mu.Unlock()
	if b := f.w.builds; len(b) != 1 || b[0].ready == 0 || b[0].Dir != filepath.Clean(f.root) {
		t.Errorf("the builds are not prepared: %+v", b)
	}
}

// find returns a chore that is under way, nil if none of its name is; of any name if it is empty.
func (c *chores) find(name string) *chore {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, one := range c.under {
		if name == "" || n == name {
			return one
		}
	}
	return nil
}
