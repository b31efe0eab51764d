// Package partition holds the standard partitions: records that a language writes
// and the server turns into protocol traffic without knowing the language.
//
// # Diagnostics
//
// A producer of diagnostics is named by its source ("syntax", "types", …). What it says
// of one file is one record, under a key of URI and source. A producer replaces or
// clears its own records only, so producers never wipe each other, and a file's
// diagnostics are the union over its sources, read with one prefix scan.
//
// # Judgements
//
// An editor wants to know which version of a document its diagnostics are about. A version is known
// to the server alone, and that diagnostics are what they were is no change of theirs. So of each
// file with an unsaved text the language also says which text it has judged.
//
// # What is known of files
//
// Outlines, names, hovers and links of a file are one record each, with the digest of the text that
// they are about (records.go). A language that has them from elsewhere, such as a tool that runs
// beside it, writes them and answers from them (package lsp/tree). Between an edit and the record
// that follows from it a question finds lsp.ErrBehind, and the server asks again once the workspace
// has settled: no answer is about another text than the client's.
//
// # Invariants
//
//   - S0: no record is an empty list; a producer with nothing to say deletes its record.
//     So "the file has diagnostics" is the same as "the file has keys".
//   - S1: replacing what is said of a file is one prefix clear and its puts in one chunk.
//     A watcher therefore sees only real differences: re-checking a file whose
//     diagnostics stay what they were tells nobody.
//   - S2: where Judgements has a file, a text of the file was such that the diagnostics of the file
//     were those that it stands for; if they are those that are there, they are about this text.
//   - S3: a record of what is known of a file says nothing of any other text of the file.
package partition
