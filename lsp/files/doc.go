// Package files is the one door through which the files of a workspace are read, and the one place
// that knows how their paths and URIs belong together ([URI], [Path], [CanonicalURI]).
//
// A workspace is made by other people: a name in it may lead to a FIFO, a device, a socket, a
// file that the kernel makes up while it is read, or one that grows. [Read] gives the content
// of a regular file that is within a limit, or an error; it never waits for another process,
// and never takes more than the limit.
//
// # Invariants
//
//   - F0: what is opened is what was judged. The name is looked at before, so that no device is
//     opened, and the open file once more, so that a name that changed in between is no way in.
//   - F1: opening does not wait (O_NONBLOCK), takes no terminal (O_NOCTTY) and is not inherited
//     by a child (O_CLOEXEC).
//   - F2: at most one byte more than the limit is read, whatever size the file claims.
//   - F3: a regular file of a file system that the kernel makes up (/proc, /sys and their like)
//     is refused, through a symbolic link too.
//
// # Elsewhere than on Linux
//
// F3 needs a file system that says what it is. Elsewhere only names are looked at: whatever lies
// below /proc, /sys or /dev once symbolic links are followed is refused. A file system of that
// kind that is mounted in another place is read there, within the limit.
package files
