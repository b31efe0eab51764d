package dispatch

import (
	"log/slog"
	"time"
)

// Options of a connection. The zero value is right for tests and for the client's
// end; a server sets Lifecycle.
type Options struct {
	// Lifecycle makes the connection enforce the protocol's lifecycle on the other end.
	Lifecycle bool

	// HangUp leaves requests without an answer that are open when the context of [Conn.Run]
	// ends, and failures of notifications without a report. It is for a client whose messages
	// are carried by a process that asks another server then (see package daemon); any other
	// one is told that its requests were given up.
	HangUp bool

	// MaxMessageBytes is the largest message body read. A longer one ends the connection
	// before any of it is read. Zero means 128 MiB.
	MaxMessageBytes int

	// MaxQueueBytes is how many bytes of messages may wait for their turn before the
	// reader stops reading, one message apart. Zero means 32 MiB.
	MaxQueueBytes int

	// MaxRequests is how many requests may be open at once; those that were cancelled count
	// until their work has ended. Zero means 1024.
	MaxRequests int

	// FullOutboundBytes is how many bytes may wait to be written before the reader stops
	// reading. Zero means 32 MiB.
	FullOutboundBytes int

	// MaxOutboundBytes is how many bytes may wait to be written before the client
	// counts as gone: answers to what was read before, and notifications, may gather behind
	// a full outbox. Zero means 256 MiB.
	MaxOutboundBytes int

	// FlushTimeout is how long the end of a connection waits for a client to read what
	// was written for it. Zero means 2 seconds.
	FlushTimeout time.Duration

	// StuckAfter is how long a turn may take before it is reported in the log. Zero
	// means 5 seconds.
	StuckAfter time.Duration

	// Runs are handlers of notifications that are served several in one turn, by method; none
	// of them is a request's.
	Runs map[string]RunHandler

	// Logger receives what the client is not told. Nil discards.
	Logger *slog.Logger

	// OnAnswer, if set, is told of each request that was answered, with a result or an error,
	// and how long after it was read its answer was ready to be written. It is called from the
	// turn or the work concerned, by many goroutines at once, and must not wait.
	OnAnswer func(method string, took time.Duration)

	// OnError, if set, is told of notifications that failed and of every panic. It is
	// called from the turn or the work concerned and must not wait.
	OnError func(method string, err error)
}

func (o Options) filled() Options {
	if o.MaxMessageBytes <= 0 {
		o.MaxMessageBytes = 128 << 20
	}
	if o.MaxQueueBytes <= 0 {
		o.MaxQueueBytes = 32 << 20
	}
	if o.FullOutboundBytes <= 0 {
		o.FullOutboundBytes = 32 << 20
	}
	if o.MaxRequests <= 0 {
		o.MaxRequests = 1024
	}
	if o.MaxOutboundBytes <= 0 {
		o.MaxOutboundBytes = 256 << 20
	}
	if o.FlushTimeout <= 0 {
		o.FlushTimeout = 2 * time.Second
	}
	if o.StuckAfter <= 0 {
		o.StuckAfter = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
