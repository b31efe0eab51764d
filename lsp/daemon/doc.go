// Package daemon lets several processes of one user share one store: the process that
// has the store open is its host and listens on a Unix socket; the others connect.
//
// Nobody has to start a daemon. Whoever opens a store may host it, an editor's server
// as well as a command; whoever finds it locked dials instead ([OpenOrDial]).
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
package daemon
