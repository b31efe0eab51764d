// Package memo keeps the answers of memoised queries and decides when they still hold.
//
// # Terms
//
// A query is a named, versioned, pure function of a key and of what it reads. Each run leaves a trace:
// the list of everything it read (records, absent records, key ranges, other queries), each with the
// hash seen, in the order of reading, and the hash of the result. A trace holds in a snapshot when every
// read still has the hash it had: this is the verifying trace of "Build Systems à la Carte" (Mokhov,
// Mitchell, Peyton Jones, 2018), on top of a content-addressed store that still has the result.
// Several recent traces are kept for each key, so that an edit and its undo cost no run.
//
// # Order of verification
//
// Reads are verified in the order in which they were made, and the first difference ends the walk. That
// order matters: what a query reads later depends on what it read before, so a later read may make no
// sense (a file that is gone, a package that is no more) once an earlier one differs. A read of another
// query brings that query up to date first and compares hashes: when its result is the same, all above it
// stays valid although something below changed (early cut-off).
//
// # Not walking at all
//
// A trace remembers an interval of generations in which it is known to hold and the set of partitions
// that it read, its own reads and those of the queries below, at the run and at every walk since: a query below may give the same result
// from other reads later (a text that was unsaved is on disk now). When none of these partitions changed after the
// interval's end (Snapshot.LastChanged), the interval grows to the snapshot's generation without a walk. The interval is
// stored with the trace, so a restart on unchanged inputs walks nothing either.
//
// Partitions that seldom change (Durable) are asked together first, so traces that read nothing else cost one comparison after a commit elsewhere.
//
// Several intervals are kept for each trace, since tasks read older generations beside the newest. An interval only ever grows by such an argument; a
// successful walk adds the single generation that it looked at: equality at both ends of an interval says nothing about its middle (A, then B, then A).
//
// # One computation per key and generation
//
// Whoever needs a key that is not answered joins its flight, a computation for one generation. A flight is claimed by
// at most one task (state, by compare-and-swap), which evaluates it on its own stack; all others wait for it. A flight that nobody claimed yet is
// evaluated by whoever needs it: nobody waits for a queue, so an urgent task is never behind idle work that
// has not begun.
//
// A run goes on as long as anybody wants it. The strand that evaluates counts the strands that wait for its flights, and the outermost run on its stack is
// shielded (sched.Task.Shield): when its own task is cancelled, the run notices only once nobody waits for any flight on the stack. So a result
// that two asked for is computed once although the one of them that runs it goes away, and nothing is computed for nobody. Verifying is not
// shielded: whoever takes over verifies again and finds the results of the runs that were made.
//
// A flight that finds the key being computed for another generation waits for that first: an edit elsewhere made the new generation,
// and what comes out mostly holds in both.
//
// # Cycles
//
// A strand is a task with the stack of flights that it evaluates; it waits for at most one flight at a time. Before it
// waits, it publishes this under one lock and follows flight -> strand -> flight it waits for. The chain leads back to the
// strand itself exactly when waiting would close a cycle, and the last strand to wait sees it: the query that
// would have closed the cycle returns a CycleError with the path.
//
// # What is not memoised
//
// An error of a query function is returned to whoever asked and not kept; queries above it that return
// normally in spite of it are not kept either (they are tainted), because a trace cannot name an error.
//
// # What survives
//
// Traces are records (KindTrace) in a side partition keyed by query name and key; results are records
// of their own. Both are written by Flush; losing them costs runs, never a wrong answer. A result that
// is missing or damaged in the store drops its trace and the query runs again.
//
// # What stays in memory
//
// Two clocks (Corbató, 1968) bound it: one the decoded results, at each result; one the keys with their traces, at each Flush. A key that is forgotten
// costs a look into the store when it is asked again, not a run, unless what it needs is older than the traces that are stored.
//
// # Invariants
//
//   - M1: a flight leaves state claimed only by finish, exactly once, on every path (return, panic, Goexit).
//   - M2: a trace is immutable after publication but for its intervals, its cached value, and its set of partitions, which only grows.
//   - M3: entry.traces holds at most tracesKept traces, most recently used first, no two with the same reads. The collector may take the
//     result of any but entry.kept, the first: whoever finds it gone runs the query again.
//   - M4: the reads of a frame are recorded by the strand that owns the frame only.
//   - M5: a want ends at most once, and only at a moment when its task is cancelled and no strand waits for a flight of its strand.
//   - M6: an entry that is evicted has no flight and nothing that is not written, and gets neither any more: at most one entry of a key
//     is not dead.
package memo
