// Package queries plays random histories to an engine and to a plain interpreter of the same
// programs. After each step every answer must be that of the interpreter, and no query may have run
// that need not.
//
//	go test ./runtime -run '^TestOracle$'                                 20,000 steps
//	go test ./runtime -run '^TestOracle$' -oracle.steps=1 -oracle.seed=N  one history again
//	make oracle                                                           1,000,000 steps
//	make mistakes                                                         are planted mistakes found?
//
// # Histories
//
// A History is data: a setting, programs, and steps. A seed makes it (Generate), Play plays it, and
// Shrink makes one with a fault smaller, as long as the fault breaks the same rule. It reads as a
// program.
//
// A Program is twelve queries over four partitions: one volatile, one of dependencies. Queries read
// partitions in every form (keys, presence, hashes, batches, patterns, limits, pages, counts, scans
// that break off) and each other, one or all keys at once. What a query reads depends on what it
// has read before; its result is one of very few, so that early cut-off is common. Queries fail,
// panic, go on after errors, are unstable, look at something outside of all partitions, yield,
// refer to blobs, and in some histories need themselves. Every third is a table, which others read
// by name, by names or whole, or whole and unrecorded, for a name that they record. In half of all
// histories some say what is to become of their answers (Policy): errors are kept, or answers not
// stored, or said to be cheap, or more or fewer of them kept. In one of three some may need
// themselves and each other, and have values then (fixed.go): their cycles come and go with what
// the partitions say, fail, are unstable, or grow without end. A further form of query is a flag of
// Query and, where it is read in a way of its own, a ReadKind: call and the two worlds say what it
// means.
//
// A step is a commit (plain, bulk, update, replacement of a prefix, undo of an earlier state), a
// batch of actors who ask in and outside of tasks, peek, commit and cancel each other at the same
// time, in the newest generation or in one of three snapshots; a watch of a partition, with and
// without a condition, or of a query; a checkpoint, a collection, or an end: closed, killed, or by
// a power cut, and opened again, maybe as another build of the program, in which queries have other
// versions and other functions. For some steps in a row one cell is asked for again and again while
// little else happens: what a run takes over from the one before needs that to be wrong. And there
// is a warm start: all is asked for, the engine closed and opened, a key or two changed, and all
// asked for again.
//
// Workers are one to three, and mostly a simulation, which the seed orders; in one of eight
// histories they are threads. In one of five a stack holds two to five queries that are nested, and
// deeper ones leave it. In one of four the clock goes by chance, so that any query may be measured
// to be cheap at any time, or no more. In one of three the heap has room for some of it all, or for
// nothing, and what it has no room for is forgotten. The disk is in memory.
//
// # What must run
//
// A query is a pure function, so what it reads in a state, in order and with what it is told, is
// determined: its trace in that state. The interpreter says what it is. That makes the rules plain.
//
//   - Q1: an answer is that of the interpreter, in a generation that was asked about. So is what a
//     run saw, and what it came to.
//   - Q2: an answer that is kept rests on runs: of each query that the interpreter needs for it,
//     the engine has made one with the trace that the query has in that generation.
//   - Q3: a run is needless if the engine must still know one of the same query, key and version
//     with the same trace. There are no needless runs.
//   - Q4: a question runs a query whose outcome is not kept (an error, what rests on one, what is
//     unstable) at most once for each key.
//   - Q5: an answer that is not kept is known to no Peek. One that is kept is known to Peek until a
//     commit changes a key, a presence or a range that a run of it, or of a query below it, has
//     ever read: as finely as that, and not by partition.
//   - Q6: a watch is told of all that changed, each run of what the runs before it were not told,
//     in order. After one commit it is told at most once, and exactly of what that commit changed
//     and what it watches. The last told answer of a watched query is the one of the newest
//     generation.
//   - Q7: the state after an end is that after a prefix of the commits: all of them after a close
//     and a kill, after a power cut at least those that were on the disk.
//   - Q8: as many calls are counted as there were; a store of which nothing was lost is clean.
//   - Q9: what runs for a question is needed for it: the cell, what that reads in this generation,
//     and so on. So by Q3 and Q4 no history has an answer cost more runs than it would cost an
//     engine that knows nothing, and of a warm start that is counted, too.
//   - Q10: in a warm start the reads of an answer are verified only if something that it rests on
//     has changed since it was computed, and then at most those of each of its traces; nothing
//     below an answer is looked at of which that is not so.
//
// Of a query that may need itself the interpreter says which cycle a cell is in, if any. What the
// functions of a cycle read on the way depends on their order, and what they come to does not. So a
// run is that of the interpreter (Q1) also if it read values of other cells that are no more than
// theirs in the end, and nothing else that is not so. The trace of a cell in a cycle (Q3) is all
// that the cycle may read, in any order, and it is known if that of each cell of the cycle is, and
// no cell that it needs has ever been in another cycle. In a generation a cell runs once, and once
// more for each time that a value may have grown; where outcomes are not kept, or several strands
// close cycles, each does as much for each cell. If several functions of a cycle fail, the error is
// one of these.
//
// The engine must still know a trace (Q3) unless so many others of its key may have been used after
// it: four in memory, or as many as the query says; two if it was stored in between, because the
// engine was opened again or the heap is small; one if a collection came in between, which takes
// the results of older traces. Which others may have been used is what the interpreter says of the
// generations asked about since. Of a query that may need itself it is two. What is not stored is
// not known after the end of the engine, nor where the heap is small; if it is not to be stored at
// all, it must run again after the end. After a power cut that is so only of what was on the disk,
// and of keys of which nothing was asked between that and the cut: stored again, a trace may be
// lost.
//
// Where commits do not wait for the disk, the power is cut only while at most the newest checkpoint
// is not on the disk: with two that are not, the engine may open with what is damaged, by key, and
// not with an earlier state.
//
// Several questions at the same time have this slack: a run counts as needless only if it is so in
// every generation that they are about; what one has computed is known to the next batch, and not
// surely to the others; a trace is computed once for each generation, and what is not kept once for
// each question, twice where one is cancelled. With a small heap a trace that is not stored may be
// forgotten each time that it is asked for, so it is computed as often: by a question, by what
// ran, and where a read was verified. That is not counted in several generations at once, which
// compare each other's reads, nor where stacks unwind, which call functions again. Cells of cycles
// run as often as they like. Where workers are threads a watch may be late, so its questions count
// for the step after, too. Only Q5 asks that Peek knows something, and only of a heap that has
// room, in an engine that was opened once, of which nothing was asked before the first commit, and
// that was given no bulk: of these no change is told by key, and stamps of partitions, which are
// coarser, stand in. Nor is it asked where marks stop at walls: what rests on an answer is marked
// once more than need be when that becomes one. Nor is it asked of what rests on a cell that
// strayed: since that ran last, a change was told to it only because of what an earlier run had
// read, as links stay (memo, R9). No partition of its trace has changed then, so it is answered by
// its stamps, without links from then on (memo, R1).
//
// Where there are several workers, one strand may close a cycle of which another one takes a cell's
// final value, and closes the rest (memo, "Fixpoints"). When the cell is out of the cycle and comes
// to the same value, the rest holds without a run, so of a cell that has been in another cycle Q2
// asks only that it ran and read itself what it reads in this generation.
//
// Q9 is asked where no query may need itself, and one question is asked at a time; runs are
// compared with those of an engine that knows nothing where the heap has room. Q10 is asked of
// answers that need no cell that has ever been in a cycle: that cell may have the trace of a
// member, which is verified by its head's, and the cell may not need the head in this generation,
// as where it fails before it comes to what was the cycle. What has changed is told by key over a
// restart (Q10) only as long as each end was a Close and there was no bulk; a range counts as its
// partition, and what another build has computed may be verified. So may be an answer that reads
// no query: what it reads is all there is to look at.
//
// # Where what is
//
// program.go is the language and its interpreter, fixed.go what it does for queries that may need
// themselves, plain.go the world of plain maps and subject.go the engine as a world; history.go the
// steps, generate.go the generator, trial.go and actor.go the playing, judge.go, known.go,
// warm.go and watching.go the rules, shrink.go the shrinker.
package queries
