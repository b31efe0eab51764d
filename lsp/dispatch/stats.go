package dispatch

import "sync/atomic"

// counters are atomic: written by whoever does what they count, read by Stats.
type counters struct {
	received, sent, malformed, refused    atomic.Uint64
	paused                                atomic.Uint64
	answered, failed, cancelled, panicked atomic.Uint64
}

// Stats are a connection's counters since it began.
type Stats struct {
	Received  uint64 `json:"received"`  // messages read
	Sent      uint64 `json:"sent"`      // messages queued for writing
	Malformed uint64 `json:"malformed"` // messages that were none
	Refused   uint64 `json:"refused"`   // requests refused for their id or their number
	Paused    uint64 `json:"paused"`    // times that reading waited for the client to read
	Answered  uint64 `json:"answered"`  // requests answered with a result
	Failed    uint64 `json:"failed"`    // requests and notifications that ended in an error
	Cancelled uint64 `json:"cancelled"` // requests the client cancelled
	Panicked  uint64 `json:"panicked"`  // handlers that panicked
	Open      int    `json:"open"`      // requests not yet answered
	Waiting   int    `json:"waiting"`   // messages waiting for their turn
}

// Stats returns the counters.
func (c *Conn) Stats() Stats {
	c.mu.Lock()
	open := len(c.open)
	c.mu.Unlock()
	n := &c.counts
	return Stats{
		Received: n.received.Load(), Sent: n.sent.Load(), Malformed: n.malformed.Load(), Refused: n.refused.Load(), Paused: n.paused.Load(),
		Answered: n.answered.Load(), Failed: n.failed.Load(), Cancelled: n.cancelled.Load(), Panicked: n.panicked.Load(),
		Open: open, Waiting: c.in.depth(),
	}
}
