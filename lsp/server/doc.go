// Package server speaks the Language Server Protocol 3.18 for a language that knows
// nothing of it.
//
// # Terms
//
//   - A [Host] is an engine with the workspaces that are open in it. It serves any number
//     of clients.
//   - A session is one client's connection: its open documents, its position encoding, its
//     capabilities, its progress tokens. Nothing of a session is seen by another, except
//     through the engine.
//   - A root is a directory that is open as a workspace. Sessions share it.
//
// # How a request is answered
//
// In its turn (see package dispatch) a request finds the document it is about, converts
// its position with the text of that moment and takes a snapshot of the engine. The rest
// runs as a task on a request lane, on that snapshot, beside later edits and ahead of
// indexing. Positions in the answer are converted with the texts of the same snapshot.
//
// A language that has what it answers worked out elsewhere may be behind its texts
// (lsp.ErrBehind). The question then waits until the workspace has settled and is asked in the
// newest snapshot, about the same text of the client.
//
// A language may also have to bring in what a question is about, and answer from the state that
// follows. Such a question is asked again in that state, so that an answer and the texts that its
// positions are of agree. Before an unopened file is asked about, what it is answered from is
// brought in, since already the position of the question is one of the file's text.
//
// The outline of an open document needs neither task nor snapshot: a language that can outlines the
// client's text (documentsymbol.go). So it is there before the workspace has been read, and does
// not queue behind what an edit has set off.
//
// # Texts of several clients
//
// A workspace has one text per file. Of the clients that have a file open with different
// unsaved texts, the one that wrote last wins; the others are told ContentModified when
// they ask about a position in it, because the answer would be about another text.
//
// A text that the engine could not take is its client's alone: that client is told, once by a
// message and then by each question about the file, until a later edit is taken. The others
// have the text that counted before.
//
// # When the store fails
//
// A session is never refused because of its workspace: folders that cannot be opened are told
// of, and what lies in them is not answered. An error that says that the store is of no use
// any more (Options.StoreFailed) is not told to clients at all. The owner of the host ends
// all sessions, and each client's bridge repeats at another host what was left unanswered.
//
// # Diagnostics
//
// A language writes diagnostics to their standard partition, and for each open document which text
// they are about (package partition, "Judgements"). The watchers on these publish, and nothing else
// does: what is known of a file when it is closed, or a folder when it is opened, is read from the
// same partitions. A document's diagnostics are published when its text is the one that was judged,
// with the version that has this text; a later version that has it, too, has them published again.
// Nothing is computed for it. What a client was told last of a file is kept once (publisher.sent),
// so that it is told again only of something else. Three modes:
//
//	push    everything is published: clients without pull diagnostics
//	mixed   open documents are pulled, all other files are published; nothing is shown twice
//	pull    everything is pulled
//
// mixed is the default for clients that can pull and refresh; a client picks another one with
// the initialization option {"diagnostics": "push" | "mixed" | "pull"}.
//
// A client that pulls is asked to pull again when the language has written other diagnostics of a
// file. The language passes over states that are replaced before it gets to them, such as one
// between another document's edit and its undo: what was pulled in such a state no change of the
// partition takes back. So an answer to a pull is compared with what there is to tell when the
// workspace has settled (pulled.go), and the client is asked to pull again if that differs.
// A client that cannot be asked waits for what the language would else tell later
// (lsp.FullDiagnoser).
//
// # Files that change
//
// The client is asked to report changes in its folders of what the language cares for, and
// the deletion of anything: editors report a directory that goes instead of its files. What
// a workspace reads elsewhere it writes to the partition of watches; a watcher on it has the
// client asked anew. An event goes to every root of the session, because a file may matter
// to several. cytisus/settle is answered when all this has had its effect.
//
// Of the files that are to be looked at, so many names are kept as changedMax says. More of them
// are a change of the root: the workspace compares all that it reads with the disk, once.
//
// # Settings
//
// A language that is an lsp.Configurable has a section in the settings of its users. A client that
// can be asked for it is, for each of its folders, at the beginning and whenever it says that
// something has changed; another one says it in the initialization option "settings" and with
// workspace/didChangeConfiguration. A root that several clients or folders share has the settings
// that came last; a client that has never set anything changes nothing.
//
// # Commands and changes
//
// A command of a language (lsp.Commander) runs on the snapshot of its turn. What it has come to
// is a value, a change that the client is asked to make, a place that it is asked to show. A
// change is converted as a whole or refused, and names the version of each open document, so that
// the client refuses it if the user has typed on. What has to change in texts when files are
// renamed is asked before they are (lsp.FileRenamer); what the client has created, renamed or
// deleted is looked at.
//
// # Long work and long answers
//
// A request with a token for its progress shows it, and ends when the client cancels that. A
// request with a token for its parts gets a list that is longer than partialMax in parts, and an
// empty answer.
//
// # Asking again
//
// What a client keeps beside a document, such as tokens or hints, may become something else
// although the document does not. After an index, a look at changed files and new settings the
// clients of the root are told to ask again, as far as they can and at intervals.
//
// # Limits
//
// What a connection may hold is said in package dispatch. Beside that, each an option or a
// constant:
//
//	text of an open document          Options.MaxDocumentBytes   16 MiB
//	texts of a client's documents     16 times that             256 MiB
//	a URI, and the path in it         maxURIBytes, maxPathBytes  12 KiB, 4 KiB
//
// A document over a limit is open, without a text: the client is told, its diagnostics say so, and
// a question about it is answered with the reason. Changes that wait for their turn are committed
// together, so a flood of them keeps no more texts than there is time for.
//
// Every URI comes through one door (uri.go), which gives a document one name however it is written.
// Documents of other schemes than file: are followed, and questions about them have empty answers.
//
// # Invariants
//
//   - V0: an answer describes the text the client had when it asked: the edits before it
//     in the stream, and none after it. Where that cannot be kept (another client's text, or
//     an edit while the very first scan of the workspace was going on) the answer is
//     ContentModified.
//   - V1: nothing waits for a client: requests to it run on goroutines of their own, and
//     notifications are queued.
//   - V2: what a session put into the engine (overlays) is gone when it ends.
//   - V3: a diagnostic list is never published over a newer one of the same file.
//   - V4: no message of a client crashes the process or another session.
//
// # Lock order
//
// overlays.mu before everything else; Host.mu before root.mu; indexer.mu before publisher.mu,
// pulling.mu and progress.mu, and these before session.mu. Locks are held for a few
// instructions, with two exceptions: overlays.mu while an overlay is committed, so that commits and
// its table have one order, and Host.mu while a workspace is opened, so that none is opened twice.
// No goroutine waits for a client, or for a computation, with a lock held.
package server
