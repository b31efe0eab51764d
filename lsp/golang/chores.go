package golang

import (
	"context"
	"sync"

	"github.com/cytisus/cytisus/lsp"
)

// A chore is something that the workspace does because a question needs it: inputs are brought in,
// or what is damaged is given up. The question waits and commits nothing itself (G8).
type chore struct {
	done chan struct{}
	err  error // set before done is closed
}

// Chores are those of a workspace that are under way.
type chores struct {
	tasks sync.WaitGroup

	mu     sync.Mutex
	under  map[string]*chore // guarded by mu: by name
	closed bool              // guarded by mu: no more begin
}

// await has a chore done in the background, unless it is under way, and waits for it. One who stops
// waiting does not end it: others may wait, and the next question needs the same.
func (c *chores) await(ctx, background context.Context, name string, do func(context.Context) error) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return lsp.ErrClosed
	}
	one := c.under[name]
	if one == nil {
		one = &chore{done: make(chan struct{})}
		if c.under == nil {
			c.under = map[string]*chore{}
		}
		c.under[name] = one
		c.tasks.Go(func() {
			one.err = do(background)
			c.mu.Lock()
			delete(c.under, name)
			c.mu.Unlock()
			close(one.done)
		})
	}
	c.mu.Unlock()
	select {
	case <-one.done:
		return one.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// end waits for those that are under way, after which none begins.
func (c *chores) end() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.tasks.Wait()
}
