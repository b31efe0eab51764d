// Package dispatch runs one end of a Language Server Protocol connection: it reads
// the wire, keeps the order that the protocol demands and nothing more, and writes
// what handlers have to say.
//
// It takes message syntax, ids and error objects from go.lsp.dev/jsonrpc2. The
// connection state machine is its own, because order is the point:
//
// # Who does what
//
//	reader   one goroutine. Reads a message, gives it its ticket, and goes on. It waits
//	         for no handler. Replies to our own calls and $/cancelRequest take effect
//	         right here, out of band.
//	turn     one goroutine. Takes messages in the order of their tickets and calls their
//	         handlers. A handler's turn is short: it applies an edit, or takes the
//	         snapshot that the request is about, and hands back the rest as work.
//	         Notifications of a method in Options.Runs that wait one right behind the other
//	         are served together: a flood of edits costs as many commits as there is time for.
//	work     one goroutine per request under way: computes the reply. Any order.
//	writer   one goroutine. Writes messages in the order in which they were queued.
//
// # Invariants
//
//   - T0: handlers' turns happen one at a time, in wire order. A request therefore sees
//     exactly the edits that came before it, and none that came after.
//   - T1: the reader waits for nothing but the wire, with two exceptions. When
//     Options.MaxQueueBytes of messages wait for their turn, it waits until a turn ends: that
//     cannot deadlock, because of T2. When Options.FullOutboundBytes wait to be written, it
//     waits until the client reads: a client that writes on and reads nothing is stopped by
//     its own pipe, and its connection goes on when it reads.
//   - T2: a turn waits for nothing that the client has to do. [Conn.Call] refuses to be
//     called from a turn, and queueing a message to the client never waits.
//   - T3: every request is answered exactly once: by its handler, by its cancellation or by the end
//     of the connection, whichever comes first; with Options.HangUp the end of the context answers
//     nothing. Its work, once handed back, runs exactly once even if the request is answered
//     already, so that it can let go of what it holds; its context has ended then, and so has that
//     of work that a notification's handler hands back.
//   - T4: a panic in a handler answers its request with InternalError, is reported, and
//     touches nothing else.
//
// # Lifecycle
//
// With Options.Lifecycle, until initialize has succeeded every other request is answered
// with ServerNotInitialized and every notification but exit is dropped; after shutdown,
// requests are answered with InvalidRequest and notifications but exit are dropped. exit
// ends the connection, with code 0 if shutdown was received before it and 1 if not. The
// end of the input without exit lets the requests already read be answered.
//
// # Limits
//
// What a connection holds at most, whatever the client does; each is an option:
//
//	one message                      MaxMessageBytes    128 MiB
//	messages that wait for a turn    MaxQueueBytes       32 MiB, one message apart
//	requests open, or still at work  MaxRequests         1024
//	answers that wait, and reading   FullOutboundBytes   32 MiB; reading goes on below it
//	  waits with them
//	all that waits to be written     MaxOutboundBytes   256 MiB; then the connection ends
//
// Both queues count what a message costs beside its bytes. Between the last two lines lie answers
// to requests read before, at most MaxRequests, and notifications. An id may have 1 KiB, a method
// 256 bytes; of an error's text 8 KiB are sent.
//
// # What a broken client gets
//
//	bytes that are no JSON        ParseError with a null id; the connection goes on
//	JSON that is no message       InvalidRequest with a null id; goes on
//	a request with a null id      InvalidRequest with a null id; goes on
//	a batch                       InvalidRequest with a null id; goes on: the protocol has none
//	bytes that are no UTF-8       ParseError, with the id if that can be told; goes on. The
//	                              handler of a notification is called, and told by Decode
//	a charset other than UTF-8    ParseError with a null id; goes on
//	a message over the limit      ParseError with a null id, when its header has come; the
//	                              connection ends, since what follows would be swallowed
//	a header without a usable     ParseError with a null id; the connection ends, since
//	Content-Length                nobody knows where the next message begins
//	an id that is in use          InvalidRequest
//	initialize, shutdown without  nothing: they are dropped
//	an id
//	too many open requests        RequestFailed, at once, with how many may be open
//	a client that does not read   is not read from; the connection ends when
//	                              Options.MaxOutboundBytes wait
package dispatch
