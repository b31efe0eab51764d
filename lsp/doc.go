// Package lsp is the language-neutral half of the front end: the words in which a language
// describes a workspace, and the interfaces through which a server, a command or a test asks about
// it.
//
// # Terms
//
// A [Language] knows one language. Opening it over a root directory gives a [Workspace], whose
// knowledge lives in a runtime.Engine: file contents are input records, everything else is computed
// from them by queries. A [Span] is a range of byte offsets into a file's text; offsets rather than
// lines and columns, because every client negotiates its own encoding of columns and because
// offsets are what compilers have. A [Location] is a span in a file named by its file:// URI.
//
// # Ownership
//
// Values that a Workspace returns may be shared with the engine's caches: they are read-only for
// whoever receives them.
//
// # Reading
//
// Methods that take a *runtime.Task read one snapshot: two answers of the same task never describe
// two states of the workspace. They may be called by any number of tasks at once.
//
// # What false and nil mean
//
// A question about a position at which there is nothing to say is answered by [ErrNoSymbol], never
// by an empty answer that could be taken for "no references". An empty list means that the question
// was understood and the list is empty.
//
// # Invariants
//
//   - L0: a span satisfies 0 <= Start <= End <= length of the text it was made from.
//   - L1: URIs are canonical: two spellings of one file never reach a partition or an answer.
//   - L2: no input makes a Workspace panic; bad input is a diagnostic, or an error that names what
//     and where.
package lsp
