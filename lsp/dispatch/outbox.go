package dispatch

import (
	"io"
	"sync"
)

// An outbox holds what is to be written, in order. Queueing never waits: when too
// much has gathered, the client counts as gone.
type outbox struct {
	max int // immutable

	mu     sync.Mutex
	ready  sync.Cond          // signalled when queue or closed changes
	queue  []*parcel          // guarded by mu
	bytes  int                // guarded by mu: of the bodies in queue
	latest map[string]*parcel // guarded by mu: waiting parcels that a newer one may replace
	closed bool               // guarded by mu: nothing more is taken
}

// A parcel is one message body on its way out.
type parcel struct {
	body []byte
	key  string // "" or what it is the latest of
}

func newOutbox(limit int) *outbox {
	o := &outbox{max: limit, latest: make(map[string]*parcel)}
	o.ready.L = &o.mu
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
		o.bytes += len(body) - len(old.body)
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
	o.bytes += len(body)
	o.ready.Signal()
	return nil
}

// close lets the writer end once everything queued is written.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.ready.Signal()
}

// take waits for parcels and returns all there are, nil at the end.
func (o *outbox) take() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.queue) == 0 && !o.closed {
		o.ready.Wait()
	}
	bodies := make([][]byte, len(o.queue))
	for i, p := range o.queue {
		bodies[i] = p.body
	}
	clear(o.latest)
	clear(o.queue)
	o.queue, o.bytes = o.queue[:0], 0
	return bodies
}

// writeStep is about how many bytes are gathered for one write.
const writeStep = 64 << 10

// write writes what is queued until the outbox is closed and empty, or until writing
// fails; from then on it only takes, so that nobody's memory fills up.
func (o *outbox) write(w io.Writer) error {
	var (
		buf    []byte
		failed error
	)
	for {
		bodies := o.take()
		if len(bodies) == 0 {
			return failed
		}
		for i, body := range bodies {
			buf = appendFrame(buf, body)
			if len(buf) < writeStep && i < len(bodies)-1 {
				continue
			}
			if failed == nil {
				_, failed = w.Write(buf)
			}
			buf = buf[:0]
			if cap(buf) > 4*writeStep {
				buf = nil // one large reply must not be kept for ever
			}
		}
		if failed != nil {
			o.close()
		}
	}
}
