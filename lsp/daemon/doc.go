// Package daemon lets several processes of one user share one store: the process that
// has the store open is its host and listens on a Unix socket; the others connect.
//
// No daemon has to be started. A process that opens a store may host it, an editor's server
// as well as a command; a process that finds a host dials it instead ([OpenOrDial]).
//
// # Where the socket is
//
// The socket's name is made of a hash of the store's canonical path, because a socket's
// path may have 104 bytes or fewer while a store may lie anywhere. It is in
// $XDG_RUNTIME_DIR/cytisus, or else in a directory of the user's own under the system's
// directory for temporary files.
//
// # Who may connect
//
//   - A0: the directory belongs to the user and has mode 0700, the socket 0600. A
//     directory that is another user's, or open to others, is refused and not repaired; so
//     is a symbolic link in its place or in the socket's.
//   - A1: on Linux and macOS each side asks the kernel for the other's user and refuses
//     another one. Elsewhere the directory alone protects.
//   - A2: every directory and every symbolic link on the way to the socket's directory
//     belongs to the user or to root, and others may write only into sticky directories.
//     A candidate for the directory that fails this is passed over.
//
// # Handshake
//
// Each side says one line of JSON, the dialling side first. It names the version of the
// handshake, the build and the store's path, so that a hash collision, a left-over host
// of another build or a foreign program is recognised before anything else is said. A
// host that refuses says why in its line. Behind the lines the connection is what the
// verb asked for: the Language Server Protocol for "serve"; nothing for "status" and
// "stop", which any build may ask.
//
// # Invariants
//
//   - H0: only the holder of the store's lock calls [Listen]. A socket that is already
//     there is therefore left over, unless somebody answers on it.
//   - H1: the socket is gone before the store's lock is: whoever gets the lock finds no
//     host that is still answering.
//   - H2: a connection never keeps a host from ending: its context ends first.
//   - H3: while a client is connected, the host does not end for idleness.
//   - H4: a host knows its socket, its store's directory and the store's lock by what they
//     are, not by their paths. It looks at them at intervals and before it takes a client. A
//     socket that is gone is made again. Without its directory or its lock a host ends
//     ([ErrMoved]): what lies at their paths may be another store, or open to another holder.
//     Its clients then find the store that is there.
//   - H5: a host that answers is the store's host, whatever has become of the lock: it is
//     dialled, and nobody opens the store beside it. A process that holds the lock and finds
//     such a host ([ErrHosted]) gives the store back.
//
// # When the host dies
//
// A host may be killed, told to stop, or crash. Its clients go on: one of them takes the
// store over, the others dial it. An editor is therefore never connected to a host itself.
// Its own process carries the messages, in a [Bridge], and notices the loss.
//
// A bridge is in one of these states:
//
//	linking  it has no host and waits for its [Connector] to dial one or to become one
//	linked   it has a host: it replays to it what that does not know, then carries on
//	down     the client has said shutdown and the host is gone: no other one is needed
//	done     the client has exited or gone away, or no host can be had any more
//
//	linking --connector succeeds--> linked --link breaks--> linking, down or done
//	linking --connector fails-----> done; down --exit, or end of input--> done
//
// What it remembers is a state and a log. The log holds the client's messages in the order
// of the wire. The state is what the messages before the log have left: the parameters of
// initialize, whether initialized was said, the latest settings and trace level, folders
// that were added and removed, and the newest text and version of each open document, made
// with package document as the host makes it. A message leaves the log for the state when
// the link has sent it, if there is one, and when it needs no answer or has it, and when
// that holds for all messages before it. So the state is always that of one moment of the
// wire, and an edit made while there is no host is in the log, in its place.
//
// A new link sends, in this order:
//
//  1. initialize with the parameters of the client, under an id of the bridge's own, and
//     waits for the answer;
//  2. initialized, the trace level, the settings, and the folders added and removed;
//  3. [dispatch.MethodResumed]: which files the client shows diagnostics of, so that the host
//     can take back what does not hold any more. It also has the host look at the disk,
//     because reports of changes may have been lost;
//  4. didOpen for each open document. One that was out of sync is opened with its last
//     good text, followed by the change that did not fit, so that it is out of sync again;
//  5. the log, without requests that have been answered.
//
// Invariants:
//
//   - B0: each request of the client is answered exactly once. It is in the table of open
//     requests from its arrival to its answer; an answer to what is not in the table goes
//     nowhere. The link's end answers those that cannot be repeated (B3); the bridge's end
//     answers the rest.
//   - B1: a request is repeated among the same edits: those before it are in the state or
//     before it in the log, those after it are behind it in the log. Its answer is the one
//     that an undisturbed host would have given.
//   - B2: what belongs to a link ends with it. Answers of the client to a dead host's
//     requests are dropped, and so are cancellations that were meant for it.
//   - B3: a request is not repeated if it was cancelled (the answer is RequestCancelled), if
//     triesMax hosts have died with it (InternalError: it may be what kills them), or if the
//     log would have grown beyond logBytesMax because of it (ContentModified).
//   - B4: an id that the client sees in a request of a host is the bridge's own, so two hosts
//     never use the same one.
//   - B5: a progress token of a dead host has ended for the client, and a new host's tokens
//     have names that no host before it used. A token that came with a request goes on: its
//     second beginning is shown as a report, and its percentage does not go back.
//   - B6: what a client has registered stays registered. A host that asks for the same again
//     is told that it has it; the same id with other options is unregistered first.
//   - B7: the bridge's memory is bounded: what waits for the client, what waits for the host,
//     and the log each have a limit in bytes. The first two make their writer wait.
//
// # How a herd settles
//
// All guests of a dead host call [OpenOrDial] at the same time. The store's lock makes one of
// them the next host, which listens as soon as the store is open. Until then the others ask
// again, at intervals that double up to a bound and have a random part. A guest that finds the
// lock held by a process that does not listen goes on asking until its time is up.
//
// A host that dies while it is replayed to counts as a failure. The connector is told how many
// there were in a row and may fall back on something else: the command serves its editor from
// memory then, and says so. After linksMax of them the bridge gives up; so it does if the
// connector fails. It answers what is open with ServerCancelled, tells the client why, and
// ends with [ErrHostLost].
//
// The process whose editor has left goes on as host while it has guests, because handing the
// store over would cost each of them a pause. It takes no part in the next election.
package daemon
