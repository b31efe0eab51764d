package gc

import (
	"errors"
	"time"
)

// An errand is what a cycle has to have done before the next step, and what may wait for the disk,
// or for a lock that is held while somebody waits for the disk. It is done without stepMu, and
// nobody makes a step meanwhile: see "Steps and errands" in the package comment.
type errand struct {
	do     func() error
	then   func() error // with stepMu held, if do had no error; nil: nothing
	leaves string       // if not empty, what a check looks at after that
	begins bool         // a cycle
	ended  bool         // the cycle has ended with it
	taken  bool         // guarded by stepMu: somebody does it
	done   chan struct{}
}

func newErrand(do func() error) *errand { return &errand{do: do, done: make(chan struct{})} }

// await waits until the errand is done, but no longer than limit. It reports whether it is done.
func (e *errand) await(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-e.done:
		return true
	case <-timer.C:
		return false
	}
}

// run does an errand, on the goroutine that was sent.
func (c *Collector) run(e *errand) (err error) {
	c.stepMu.Lock()
	e.taken = true
	short := c.short
	c.stepMu.Unlock()
	err = errPanic // until it has ended
	defer func() {
		c.stepMu.Lock()
		if err == errPanic {
			c.abort()
		}
		c.errand = nil
		c.stepMu.Unlock()
		if err != nil || e.ended {
			c.tell(short, err)
		}
		close(e.done)
	}()
	return c.takeOver(e, e.do())
}

// takeOver ends what the errand has done, with an error or none.
func (c *Collector) takeOver(e *errand, err error) error {
	c.stepMu.Lock()
	if err == nil && e.then != nil {
		err = e.then()
	}
	if err != nil {
		err = c.giveUp(err)
	}
	c.stepMu.Unlock()
	if err == nil && e.leaves != "" {
		c.checked(e.leaves, e.ended)
	}
	return err
}

// errPanic stands for the error of an errand that has none since it panics.
var errPanic = errors.New("gc: panic")

// dropped ends an errand for which nobody could be sent; of others it returns the error.
func (c *Collector) dropped(e *errand, err error) error {
	c.stepMu.Lock()
	taken := e.taken
	if !taken {
		err = c.giveUp(err)
		c.errand = nil
		close(e.done)
	}
	c.stepMu.Unlock()
	return err
}

// tell calls Options.Over.
func (c *Collector) tell(short bool, err error) {
	if c.o.Over != nil {
		c.o.Over(short, err)
	}
}

// lockBetween takes stepMu while no errand is out, and waits for one that is.
func (c *Collector) lockBetween() {
	for {
		c.stepMu.Lock()
		e := c.errand
		if e == nil {
			return
		}
		c.stepMu.Unlock()
		<-e.done
	}
}
