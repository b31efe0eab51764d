package dispatch

import (
	"io"
	"sync"
)

// An outbox holds what is to be written, in order. Queueing never waits: when too
// much has gathered, the client counts as gone. Long before that the outbox is full: the
// reader then waits for room (T1), so that no more answers come about.
type outbox struct {
	max, full int // immutable: bytes

	mu     sync.Mutex
	ready  sync.Cond          // signalled for the writer when queue or closed changes
	room   sync.Cond          // broadcast when the outbox is not full any more, or is closed
	queue  []*parcel          // guarded by mu
	bytes  int                // guarded by mu: of queue, parcelOverhead included
	latest map[string]*parcel // guarded by mu: waiting parcels that a newer one may replace
	closed bool               // guarded by mu: nothing more is taken
}

// A parcel is one message body on its way out.
type parcel struct {
	body []byte
	key  string // "" or what it is the latest of
}

const (
	// writeStep is about how many bytes are gathered for one write.
	writeStep = 64 << 10

	// parcelOverhead is about what a body that waits costs beside its bytes.
	parcelOverhead = 128
)

func newOutbox(limit, full int) *outbox {
	o := &outbox{max: limit, full: min(full, limit), latest: make(map[string]*parcel)}
	o.ready.L, o.room.L = &o.mu, &o.mu
	return o
}

// put queues a body. With a key, it takes the place of one of that key that is still
// waiting: an outdated state is not worth sending.
func (o *outbox) put(body []byte, key string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return ErrClosed
	}
	if old := o.latest[key]; key != "" && old != nil {
		more := len(body) - len(old.body)
		if more > 0 && o.bytes+more > o.max && len(o.queue) > 1 {
			return ErrSlowClient
		}
		o.bytes += more
		old.body = body
		return nil
	}
	if o.bytes+len(body) > o.max && len(o.queue) > 0 {
		return ErrSlowClient
	}
	p := &parcel{body: body, key: key}
	if key != "" {
		o.latest[key] = p
	}
	o.queue = append(o.queue, p)
	o.bytes += len(body) + parcelOverhead
	o.ready.Signal()
	return nil
}

// waitForRoom waits while the outbox is full and open. It calls begin first if it has to.
func (o *outbox) waitForRoom(begin func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for begun := false; o.bytes >= o.full && !o.closed; begun = true {
		if !begun {
			begin()
		}
		o.room.Wait()
	}
}

// close lets the writer end once everything queued is written.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.ready.Signal()
	o.room.Broadcast()
}

// take waits for parcels and appends the bodies of the first to bodies: about as many as one
// write takes, so that what waits stays where it is counted. It returns none at the end.
func (o *outbox) take(bodies [][]byte) [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == 0 && !o.closed {
		o.ready.Wait()
	}
	was := o.bytes
	n, size := 0, 0
	for n < len(o.queue) && size < writeStep {
		p := o.queue[n]
		bodies = append(bodies, p.body)
		size += len(p.body)
		o.bytes -= len(p.body) + parcelOverhead
		if p.key != "" {
			delete(o.latest, p.key)
		}
		o.queue[n] = nil
		n++
	}
	if o.queue = o.queue[n:]; len(o.queue) == 0 {
		o.queue = nil // the array behind it may have become long
	}
	if was >= o.full && o.bytes < o.full {
		o.room.Broadcast()
	}
	return bodies
}

// write writes what is queued until the outbox is closed and empty, or until writing
// fails; from then on it only takes, so that nobody's memory fills up.
func (o *outbox) write(w io.Writer) error {
	var (
		bodies [][]byte
		buf    []byte
		failed error
	)
	for {
		bodies = o.take(bodies[:0])
		if len(bodies) == 0 {
			return failed
		}
		for _, body := range bodies {
			buf = appendFrame(buf, body)
		}
		clear(bodies)
		if failed == nil {
			if _, failed = w.Write(buf); failed != nil {
				o.close()
			}
		}
		buf = buf[:0]
		if cap(buf) > 4*writeStep {
			buf = nil // one large reply must not be kept for ever
		}
	}
}
