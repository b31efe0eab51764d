package dispatch

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
)

// brokenOut is a connection of which the way out is broken. What it reads comes from a pipe.
type brokenOut struct {
	*io.PipeReader
	err error
}

func (b brokenOut) Write([]byte) (int, error) { return 0, b.err }

// A connection that cannot write ends, though the client writes nothing and does not close.
func TestFailedWriteEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, _ := io.Pipe()
		broken := errors.New("broken pipe")
		c := New(brokenOut{in, broken}, nil, Options{})
		ended := make(chan error, 1)
		go func() { _, err := c.Run(t.Context()); ended <- err }()
		if err := c.Notify("note", nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		select {
		case err := <-ended:
			if !errors.Is(err, broken) {
				t.Errorf("the connection ends with %v, want what broke its way out", err)
			}
			if err := c.Notify("note", nil); !errors.Is(err, ErrClosed) {
				t.Errorf("a message after the end: %v, want ErrClosed", err)
			}
		default:
			t.Error("a write has failed, and the connection goes on")
			c.Abort()
			c.out.close()
			<-ended
		}
	})
}

// What waits for its turn when the connection ends for another reason than exit is not served any
// more: no client is left to see it.
func TestNoTurnAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		var served []Ticket
		w := start(t, map[string]Handler{"edit": func(_ context.Context, r *Request) (Outcome, error) {
			served = append(served, r.Ticket)
			<-gate
			return Done, nil
		}}, Options{})
		w.send(note("edit", ""), note("edit", ""), note("edit", ""))
		synctest.Wait()
		w.conn.Abort()
		synctest.Wait()
		close(gate)
		if _, err := w.end(); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if len(served) != 1 {
			t.Errorf("tickets %v were served, want only the first, whose turn was under way at the end", served)
		}
	})
}

// A call that is waited for with a context of its own fails when the connection ends. Else the
// work that waits would hold up the end for ever.
func TestCallsFailAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := make(chan error, 1)
		var w *wire
		w = start(t, map[string]Handler{"ask": func(context.Context, *Request) (Outcome, error) {
			return Later(func(ctx context.Context) (any, error) {
				err := w.conn.Call(context.WithoutCancel(ctx), "window/showMessageRequest", nil, nil)
				result <- err
				return nil, err
			}), nil
		}}, Options{})
		w.send(call(1, "ask", ""))
		w.want(`{"jsonrpc":"2.0","method":"window/showMessageRequest","id":1}`)
		w.conn.Abort()
		synctest.Wait()
		select {
		case err := <-result:
			if !errors.Is(err, ErrClosed) {
				t.Errorf("the call fails with %v, want ErrClosed", err)
			}
		default:
			t.Error("the connection has ended, no answer can come, and a call still waits")
			w.conn.endCalls()
		}
		_, _ = w.end()
	})
}

// looked is a context that tells when its end is looked at.
type looked struct {
	context.Context
	at func()
}

func (l looked) Err() error {
	l.at()
	return l.Context.Err()
}

// With HangUp a connection falls silent before any of its contexts ends: a handler that sees its
// context end would answer a request that another host is to answer.
func TestSilentBeforeContextsEnd(t *testing.T) {
	outer, end := context.WithCancel(t.Context())
	c := New(nil, nil, Options{HangUp: true})
	checked := make(chan bool, 8)
	// What ended the outer context is looked up before the inner one is ended with it.
	inner, stop := c.hushed(looked{outer, func() {
		if outer.Err() != nil {
			checked <- c.silent.Load()
		}
	}})
	defer stop()
	end()
	<-inner.Done()
	if silent := <-checked; !silent {
		t.Error("contexts end before the connection is silent: a request could be answered that is to stay open")
	}
}
