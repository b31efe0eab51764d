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
// # Invariants
//
//   - S0: no record is an empty list; a producer with nothing to say deletes its record.
//     So "the file has diagnostics" is the same as "the file has keys".
//   - S1: replacing what is said of a file is one prefix clear and its puts in one chunk.
//     A watcher therefore sees only real differences: re-checking a file whose
//     diagnostics stay what they were tells nobody.
//   - S2: where Judgements has a file, a text of the file was such that the diagnostics of the file
//     were those that it stands for; if they are those that are there, they are about this text.
package partition
