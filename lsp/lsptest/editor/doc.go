// Package editor is the client's side of the protocol for tests: it opens and changes documents,
// asks, and keeps what the server says of its own accord.
//
// # Terms
//
// An [Editor] speaks over any connection: to a server in the same process, or to the standard
// streams of another one. Files are named by absolute paths. A document that is open has a text of
// its own, and a version that grows by one with every change.
//
// # What it answers
//
// A server asks its client, too. The editor says yes to all that needs no answer, gives what
// [Editor.Configure] and [Editor.Answer] have set, and applies the edits that the server wants
// applied, to open documents and to files on the disk.
//
// # Failing
//
// What can only go wrong if the test or the server is broken ends the test. Only Ask returns the
// error of the server.
package editor
