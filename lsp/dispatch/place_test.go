package dispatch

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.lsp.dev/protocol"
)

// busy is how many requests hold one of MaxRequests places.
func busy(c *Conn) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy
}

// A client that has its answer may send the next request at once, also where MaxRequests are open.
func TestPlaceIsFreeBeforeTheAnswer(t *testing.T) {
	var c atomic.Pointer[Conn]
	held := make(chan int, 1)
	w := start(t, map[string]Handler{"echo": echo}, Options{MaxRequests: 1, OnAnswer: func(string, time.Duration) {
		held <- busy(c.Load())
	}})
	c.Store(w.conn)
	w.send(call(1, "echo", "1"))
	if n := <-held; n != 0 {
		t.Errorf("%d places are held when a request is answered, want none", n)
	}
	w.want(result(1, "1"))
}

// A request that is cancelled while it waits for its turn gives its place back in that turn.
func TestCancelledBeforeItsTurnGivesItsPlaceBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		w := start(t, map[string]Handler{"echo": echo, "edit": func(context.Context, *Request) (Outcome, error) {
			<-gate
			return Done, nil
		}}, Options{MaxRequests: 1})
		w.send(note("edit", ""), call(1, "echo", "1"), note("$/cancelRequest", `{"id":1}`))
		w.wantCode("1", int(protocol.CodeRequestCancelled))
		close(gate)
		synctest.Wait()
		if n := busy(w.conn); n != 0 {
			t.Errorf("%d places are held after the turn of a request that was cancelled before, want none", n)
		}
		w.send(call(2, "echo", "2"))
		w.want(result(2, "2"))
	})
}

// A call that could not be sent is not waited for.
func TestUnsentCallIsForgotten(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	c := New(server, nil, Options{MaxOutboundBytes: 1})
	if err := c.Notify("note", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Start("ask", nil); !errors.Is(err, ErrSlowClient) {
		t.Fatalf("a call beyond MaxOutboundBytes: %v, want ErrSlowClient", err)
	}
	if n := len(c.calls); n != 0 {
		t.Errorf("%d calls wait for an answer, although none was sent", n)
	}
}
