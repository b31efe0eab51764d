// Package document mirrors the texts a client has open.
//
// The client owns an open text: the server's copy follows it change by change, in
// the order the changes were sent. A [Store] belongs to one client and is meant to
// be written by one goroutine, the one that sees the client's messages in order;
// everybody may read.
//
// # Terms
//
//   - A [Document] is one version of one text. It is immutable: a change makes a new
//     Document, so whoever holds one keeps reading the text of its moment.
//   - A [Change] replaces a range, or the whole text when it names none. Positions of
//     the second change of a list refer to the text the first one left.
//
// # Invariants
//
//   - D0: a list of changes is applied as a whole or not at all.
//   - D1: versions never go back. An equal version is taken (some clients never count),
//     a smaller one means that messages were lost or reordered.
//   - D2: once a change, or a second opening, could not be understood or applied, the text here is
//     not the client's any more. The document is then *out of sync*: it keeps its last good text,
//     [Document.Err] says what happened, and only a change of the whole text, or closing and
//     opening again, ends that. No question about positions may be answered from it.
//   - D3: no text is larger than the store's limit, nor all of them together than 16 times that.
//     A document that would be is open without a text: [Document.Err] says so, its changes are
//     taken and not applied, and a change to a whole text that fits ends that.
//
// # Cost
//
// A list of changes costs one copy of the text, plus what the changes insert, plus the
// distance between neighbouring changes: the text is edited in a buffer with a gap,
// and line starts behind the gap are kept as distances from the end, so that nothing
// is shifted per change. Ten thousand edits of one rename cost about as much as one.
package document
