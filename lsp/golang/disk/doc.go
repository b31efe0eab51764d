// Package disk is what the machine says of a build: which files there are, what the environment is,
// and what the go command knows. It finds out and tells; it keeps nothing, and commits nothing. The
// workspace of package golang calls it, while it brings inputs in, and one query does, that of the
// metadata.
//
// # What it gives
//
//   - [Scan], [StatFile] and [ReadInput] look at files; package files opens them.
//   - A [Definition] says what one question to the go command is about, and which files belong to
//     it.
//   - [ReadEnvironment] and [List] ask the go command; [Assemble] makes metadata of what it said,
//     and [Fallback] makes metadata where it said nothing. A [Placer] finds the line of a module
//     file that a message is about.
//   - [MatchEmbed] says what a go:embed pattern matches. A [Target] is a platform with build tags.
//   - [Tidied], [ModulesBelow] and what an [Environment] says of the module cache are for who edits
//     a module file.
//
// # The go command
//
// It runs in a group of its own and is ended with all that it started when the question or the
// process ends, when it prints without end, and after five minutes; the setting [TimeoutSetting],
// such as "15m", allows another time. A run without an answer is a [CommandError], which says why.
// A FIFO or a device that has the name of a Go file is hidden from it; one that comes when it is at
// work already is found after a second or more, and ends it ([LookAfter]).
//
// # Invariants
//
//   - D1: what cannot be read is a [Problem], not an error: an error means that the question cannot
//     be answered at all, as when descriptors have run out.
//   - D2: what a scan finds is told by names and depths alone, so that one file can be judged
//     without a scan ([ScanFinds]).
//   - D3: equal stats mean equal contents, but for a file that is young (package golang, G6).
//
// It imports no engine: what is found becomes inputs elsewhere.
package disk
