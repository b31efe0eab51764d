// Package grid reads one large partition that was committed as few large or many small chunks.
//
// # The grid
//
// N records in one partition, committed as 1, 2, 128, 2,048 and 10,000 chunks. At 47 % of the data,
// at 60 % with 10,000 chunks:
//
//	first    one key that nobody has read since the load
//	get      the same keys, the third time: what a benchmark that warms up measures
//	prefix   the 100 keys of one prefix
//	range    10,000 keys
//
// each for [Ours], a database on files that was checkpointed, and for [Baseline]. A question is
// asked again and again, each time at another place within one percent of the position, and every
// answer is checked. First gets find most of the leaves that they need unread since they were
// written.
//
// Chunks of Config.BulkFrom records and more are committed as bulks (db.Bulk), which take their
// records from a stream; smaller ones from memory.
//
// # The baseline
//
// What an index does that keeps chunks as they came: every question visits every chunk, and what
// the chunks answer is put in order. A chunk is a sorted array, which is the quickest to search
// that a chunk can be. Three ways to visit them: one after the other, all of them over all CPUs,
// and adaptive: fewer than 10 chunks in sequence, more than 10,000 in parallel, between them the
// quicker one of the first question (in sequence) and the second (in parallel).
//
// # Through the engine's face
//
// [Face] loads a partition of values of 64 bytes, all different, through runtime.Partition.Bulk
// into an engine with a limit on memory, and gets random ones of all its keys. With a store of
// several times the limit most of them are not in memory: what a get takes is a page from the
// system's cache, or from the disk. "cmd/grid -face -limit 256" has a limit of 256 MiB.
//
// # Caveats
//
// Records are 16 bytes, and at most Distinct different ones; their number plays no part in what is
// measured but for the load. Times include the clock, about 40 ns. Ours looks up each record in the
// store, checksum included, which the baseline has in place: 100 to 150 ns for each key of a prefix
// or range. The baseline keeps no generations, no log and no files, and its answers are not
// compared with a snapshot.
package grid
