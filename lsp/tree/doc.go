// Package tree is what every language of files needs beside the language itself: the tree of a root
// as inputs of an engine.
//
// # Terms
//
// A [Tree] is one root. The files in it that belong to the language are inputs: their content on
// the disk is one record each, and an unsaved text stands in its place. [Text] reads the one that
// counts; a query that does so follows from it. A directory whose name begins with a dot is not
// entered.
//
// # What it is for
//
// A Tree is a lsp.Workspace but for the questions that only the language can answer. A language
// embeds it in its workspace and adds these:
//
//	type workspace struct{ *tree.Tree }
//
//	func (w *workspace) Hover(t *runtime.Task, uri string, offset int) (h *lsp.Hover, err error) {
//		err = w.Ask(t, func(t *runtime.Task) error { h, err = hover(t, uri, offset); return err })
//		return h, err
//	}
//
// Definitions, references, highlights and renames follow from the names that the language finds
// in each file (lsp.Occurrence). The tree scans the root, reads only files whose size or time
// of change differ from those that are recorded, looks again at what is reported, publishes
// what is wrong with each file whenever something has changed, that of open files first, and
// answers searches for symbols. A [Layout] formats parts of a text by what lays out the whole.
//
// # Invariants
//
//   - T0: a question that goes through [Tree.Ask] sees all files of the root: it waits for the
//     first scan.
//   - T1: once Settle returns, what is published follows from all that was set, cleared or reported
//     before.
//   - T2: the text of a judgement and its diagnostics are of one snapshot.
//
// All methods may be called from any goroutine. No question waits for a lock that is held while the
// disk is read, but for the first scan. Close waits for what goes on in the background.
package tree
