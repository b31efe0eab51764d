// Package disk runs a store on a disk that fails and loses power, and checks what
// docs/DURABILITY.md promises.
//
// A life is a chain of sessions over one disk. A session opens the store, does a few things chosen
// by a seed (puts of new and of known records, batches, commits, collections, checks), and ends: it
// is closed, or killed, or the power goes, at the end or in the midst of a call. During a session
// calls to the file system may fail, every one of them: opening, reading, closing, asking for a
// size, mapping and unmapping included (Faulty).
//
// A model (ledger) knows of each record what it was promised: to be there after anything, to be
// there unless the power goes, or nothing. After each session a healthy process opens what is left
// and checks it against the ledger; the next session then begins with the same remains, so
// recoveries are interrupted and fail as well.
//
// The same sessions also run as scripts, with each single call failing in turn, and the power going
// at each.
//
// After a power cut each 512-byte sector that was not synced is old or new, at random. Of the names
// changed in a directory since its sync a prefix of the changes survives, as with a journal, or any
// part of them (vfs.Mem). All of it is in memory: what is tested is the store, not the system under
// it. Package crash kills a process on a real disk.
package disk
