package dispatch

import (
	"errors"
	"testing"
	"testing/synctest"
)

// A state that takes the place of an older one is counted with its own bytes, in both directions:
// else a state that grows while the client does not read would pass every limit.
func TestReplacedStateIsCounted(t *testing.T) {
	o := newOutbox(1<<20, 1<<20)
	for _, size := range []int{10, 1000, 1} {
		if err := o.put(make([]byte, size), "state"); err != nil {
			t.Fatal(err)
		}
		if want := size + parcelOverhead; o.bytes != want {
			t.Errorf("a state of %d bytes waits, counted are %d, want %d", size, o.bytes, want)
		}
	}
	if o.take(nil); o.bytes != 0 {
		t.Errorf("%d bytes are counted of an empty outbox", o.bytes)
	}
}

// A state that takes the place of a smaller one keeps to MaxOutboundBytes as any message does. One
// that waits alone may be as large as it likes.
func TestReplacedStateIsBounded(t *testing.T) {
	o := newOutbox(1000, 1000)
	put := func(size int, key string) error { return o.put(make([]byte, size), key) }
	if err := errors.Join(put(100, "state"), put(5000, "state"), put(100, "state"), put(100, "")); err != nil {
		t.Fatal(err)
	}
	if err := put(5000, "state"); !errors.Is(err, ErrSlowClient) {
		t.Errorf("a state that grows beyond MaxOutboundBytes while others wait: %v, want ErrSlowClient", err)
	}
	if err := put(10, "state"); err != nil {
		t.Errorf("a state that shrinks is refused: %v", err)
	}
}

// roomWaiter returns an outbox that is full with exactly one parcel, and whether a reader who waits
// for room there goes on.
func roomWaiter(t *testing.T) (o *outbox, gone func() bool) {
	t.Helper()
	o = newOutbox(1<<20, 100+parcelOverhead)
	if err := o.put(make([]byte, 100), ""); err != nil {
		t.Fatal(err)
	}
	gone = begun(func() { o.waitForRoom(func() {}) })
	if gone() {
		t.Fatal("T1: the reader does not wait although FullOutboundBytes wait to be written")
	}
	t.Cleanup(func() { // a reader that nothing has woken ends with the test all the same
		o.mu.Lock()
		defer o.mu.Unlock()
		o.closed = true
		o.room.Broadcast()
	})
	return o, gone
}

func TestReaderGoesOnWhenTheClientReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, gone := roomWaiter(t)
		o.take(nil)
		if !gone() {
			t.Error("T1: the client has read what waited, and the reader still waits for room")
		}
	})
}

func TestReaderGoesOnWhenTheOutboxIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, gone := roomWaiter(t)
		o.close()
		if !gone() {
			t.Error("the outbox is closed, nothing makes room any more, and the reader still waits")
		}
		if err := o.put([]byte("late"), ""); !errors.Is(err, ErrClosed) {
			t.Errorf("a message that comes after the end: %v, want ErrClosed", err)
		}
	})
}
