// Package dispatch runs one end of a Language Server Protocol connection: it reads
// the wire, keeps the order that the protocol demands and nothing more, and writes
// what handlers have to say.
//
// It takes message syntax, ids and error objects from go.lsp.dev/jsonrpc2. The
// connection state machine is its own, because order is the point:
//
// # Who does what
//
//	reader   one goroutine. Reads a message, gives it its ticket, and goes on. It never
//	         waits for a handler, for the client, or for room on the way out. Replies to
//	         our own calls and $/cancelRequest take effect right here, out of band.
//	turn     one goroutine. Takes messages in the order of their tickets and calls their
//	         handlers. A handler's turn is short: it applies an edit, or takes the
//	         snapshot that the request is about, and hands back the rest as work.
//	work     one goroutine per request under way: computes the reply. Any order.
//	writer   one goroutine. Writes messages in the order in which they were queued.
//
// # Invariants
//
//   - T0: handlers' turns happen one at a time, in wire order. A request therefore sees
//     exactly the edits that came before it, and none that came after.
//   - T1: the reader waits for nothing but the wire, with one exception: when more than
//     Options.MaxQueueBytes of messages wait for their turn, it waits until a turn ends.
//     That cannot deadlock, because of T2.
//   - T2: a turn waits for nothing that the client has to do. [Conn.Call] refuses to be
//     called from a turn, and queueing a message to the client never waits.
//   - T3: every request is answered exactly once: by its handler, by its cancellation or
//     by the end of the connection, whichever comes first. Its work, once handed back,
//     runs exactly once even if the request is answered already, so that it can let go
//     of what it holds; its context has ended then.
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
// # What a broken client gets
//
//	bytes that are no JSON        ParseError with a null id; the connection goes on
//	JSON that is no message       InvalidRequest with a null id; goes on
//	a batch                       InvalidRequest with a null id; goes on: the protocol has none
//	a message over the limit      ParseError with a null id; its bytes are skipped; goes on
//	a charset other than UTF-8    ParseError with a null id; goes on
//	a header without a usable     ParseError with a null id; the connection ends, since
//	Content-Length                nobody knows where the next message begins
//	an id that is in use          InvalidRequest
//	too many open requests        RequestFailed, at once
//	a client that does not read   the connection ends when Options.MaxOutboundBytes wait
package dispatch
