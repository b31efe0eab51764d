package dispatch

import (
	"testing"
	"testing/synctest"
)

// alone says that each message has a turn of its own.
func alone(_, _ *Request) bool { return false }

// fullInbox returns an inbox with room for two messages that has them, and a reader who waits to
// put a third one: put tells whether it has.
func fullInbox(t *testing.T) (b *inbox, put func() bool) {
	t.Helper()
	b = newInbox(20)
	b.put(&Request{Method: "edit", size: 10})
	b.put(&Request{Method: "edit", size: 10})
	put = begun(func() { b.put(&Request{Method: "last", size: 10}) })
	if put() {
		t.Fatal("T1: the reader does not wait although MaxQueueBytes of messages wait for their turn")
	}
	t.Cleanup(func() { // a reader that nothing has woken ends with the test all the same
		b.mu.Lock()
		defer b.mu.Unlock()
		b.max = 1 << 20
		b.change.Broadcast()
	})
	return b, put
}

func TestReaderGoesOnWhenATurnEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, put := fullInbox(t)
		b.take(nil, alone)
		if !put() {
			t.Error("T1: a turn has made room, and the reader still waits")
		}
	})
}

func TestReaderGoesOnWhenTheInboxIsHalted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, put := fullInbox(t)
		b.halt()
		if !put() {
			t.Error("the inbox is halted, no turn makes room any more, and the reader still waits")
		}
		if run := b.take(nil, alone); len(run) != 0 {
			t.Errorf("%d messages are served after the inbox was halted", len(run))
		}
	})
}

// However many messages belong together, one turn takes runMax of them and leaves the others, in
// order, for the next: so an edit that waits takes effect in bounded time.
func TestRunIsBounded(t *testing.T) {
	b := newInbox(1 << 20)
	for i := range runMax + 1 {
		b.put(&Request{Method: "edit", Ticket: Ticket(i), size: 1})
	}
	all := func(_, _ *Request) bool { return true }
	if run := b.take(nil, all); len(run) != runMax {
		t.Errorf("a run has %d messages, the bound is %d", len(run), runMax)
	}
	if b.depth() != 1 || b.bytes != 1 {
		t.Fatalf("%d messages of %d bytes are left behind a full run, want one", b.depth(), b.bytes)
	}
	if next := b.take(nil, all); next[0].Ticket != runMax {
		t.Errorf("T0: behind a full run comes ticket %d, want %d", next[0].Ticket, runMax)
	}
}
