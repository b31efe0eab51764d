// Package syntax is what one text of a Go file says by itself: its tree, outline, header, face text
// and what stands in its comments. Nothing in it depends on another file, on the disk or on the
// engine, so each answer is a function of the text, and of the file's name where messages show it.
//
// # What it gives
//
//   - [Parse] makes a [Tree]: the syntax, its errors, and what these errors leave open ([Doubt]).
//     It never fails. [Trees] keeps the trees that were parsed last.
//   - [Outline] and [DocText] are what editors show of a file.
//   - [HeaderText] is what the go command looks at, [FaceText] what other packages see: equal texts
//     mean equal packages, so that edits elsewhere in a file end there.
//   - [ImportOf], [ImportAround], [EmbedPatterns], [DocLinkAt] and [LinknameAt] find places.
//
// # Invariants
//
//   - S1: a Tree is immutable, and go/types may read it from several goroutines at once. It crosses
//     no query: whoever needs it parses, or finds it in the cache.
//   - S2: every offset is one of the text as it was given, whatever the parser was shown instead
//     (halftyped.go).
//   - S3: syntax nested deeper than [MaxDepth], and binary text, is never walked: Tree.Unfit.
//   - S4: equal texts give equal header texts, face texts and outlines.
//
// The queries of package golang and the checks of package check call it. It imports no engine and
// no go/types.
package syntax
