// Package memo keeps the answers of memoised queries and decides when they still hold.
//
// # Terms
//
// A query is a named, versioned, pure function of a key and of what it reads. Each run leaves a
// trace: the list of everything it read (records, absent records, key ranges, other queries), each
// with the hash seen, in the order of reading, and the hash of the result. A trace holds in a
// snapshot when every read still has the hash it had: this is the verifying trace of "Build Systems
// à la Carte" (Mokhov, Mitchell, Peyton Jones, 2018), on top of a content-addressed store that
// still has the result. Several recent traces are kept for each key, so that an edit and its undo
// cost no run.
//
// # Order of verification
//
// Reads are verified in the order in which they were made, and the first difference ends the walk.
// That order matters: what a query reads later depends on what it read before, so a later read may
// make no sense (a file that is gone, a package that is no more) once an earlier one differs. A
// read of another query brings that query up to date first and compares hashes: when its result is
// the same, all above it stays valid although something below changed (early cut-off).
//
// # Not walking at all
//
// A trace remembers intervals of generations in which it is known to hold. One that contains the
// snapshot's generation answers at once. One that ends before may reach on, for one of two reasons.
//
// Changes: nothing told the entry of a change since the interval's end. See "Changes".
//
// Stamps: a trace remembers the set of partitions that it read, its own reads and those of the
// queries below, at the run and at every walk since: a query below may give the same result from
// other reads later (a text that was unsaved is on disk now). When none of these partitions changed
// after the interval's end (Snapshot.LastChanged), the interval grows to the snapshot's generation.
// The interval and the set are stored with the trace, so a restart on unchanged inputs walks
// nothing either. Partitions that seldom change (Steady) are asked together first, so traces that
// read nothing else cost one comparison after a commit elsewhere.
//
// Several intervals are kept for each trace, since tasks read older generations beside the newest.
// An interval only ever grows by such an argument; a successful walk adds the single generation
// that it looked at: equality at both ends of an interval says nothing about its middle (A, then B,
// then A).
//
// # Changes
//
// Everything that answers rest on is a source: the entry of a query's key, and a node for each key
// and each range of a partition that was read, absent keys and empty ranges included. A source
// knows its dependents. Commits leave what they changed in a journal (db.Journal); the first
// question of a newer generation takes it, finds the nodes that it touches, and marks them and all
// that rests on them. What is not marked after the end of an interval holds on, without a walk.
//
// A mark is one number, the generation of the newest change that may touch the source (changed). It
// only grows: nothing is cleared, so questions about older and newer generations use the same
// number, and an undo needs no case of its own.
//
// The state: an entry has changed, told (the newest generation that its dependents were told of),
// seen (the newest in which a walk or run of it was published), and dependents; a node has changed
// and dependents. An interval has links, if a walk or run made it that linked every read: the
// source of each read, with the entry among the dependents of each; and stamps, the partitions that
// some of the reads rest on for another reason. The table has taken, marked and floor, generations
// that only grow, with marked <= taken, and one mark lock.
//
//   - R1, reuse in a snapshot of generation s: (a) an interval contains s; or (b) an interval with
//     links ends at t < s, marked >= s, max(changed, floor) <= t, and no partition of its stamps
//     changed in (t, s]; or (c) no partition of the trace's set did. By (c) the interval grows, and
//     has no links then. By (b) nothing is written: it would hold at the next question as well.
//   - R2: what a commit changed is in the journal before its generation can be seen (db, J1).
//     Changed means that another record is at the key; one created or removed is.
//   - R3: a question for a generation beyond marked takes the mark lock, empties the journal,
//     writes taken, marks, and writes marked last. Others wait at the lock; no interval ends after
//     marked.
//   - R4, marking x with g: a node: if changed was less than g, it becomes g, and the dependents
//     are marked; else each was told, or has pulled as much. An entry: changed does, too; if told >
//     seen, or if it is a wall, that is all, else told does, and its dependents are marked.
//     Stopping is right: the dependents were told of a generation newer than any answer they can
//     have got, and later readers find changed (R5).
//   - R5, after a walk or run in s, before its answer counts: for each read, in this order, link
//     (put the entry among the source's dependents) and pull (take up the source's changed). Then
//     at once: raise changed to what was pulled and seen to s, and add the interval [s, s].
//   - R6: a read vouches if the interval that answered it had links and its source was there still
//     when it was linked to; the reader's stamps get the interval's stamps then. An answer without
//     links gives all partitions of its trace to the reader's stamps. If a source is gone when it
//     is to be linked to, the interval that is made has no links.
//   - R7: a node enters the index with changed = never, the greatest number; the first to link to
//     it makes that taken, at once with linking. So a commit that was taken before the node could
//     be found is pulled, and a later one finds the dependent.
//   - R8: an entry that is forgotten gets changed = never, so it answers for no later generation,
//     and lets go of its dependents, which are marked with marked+1 as if the next generation had
//     changed it; all under the mark lock. The next walk links them to the entry that comes then.
//   - R9: from lists of dependents only entries that are gone are cut: when one goes (unlink), when
//     a list grows, and by sweep. A node without dependents is taken out of the index under the
//     mark lock, and its changed is never for good; a strand that is about to link to it looks the
//     key up once more. Links that a trace no longer has stay: they cost walks, never answers.
//   - R10: where the journal has dropped what changed up to g, floor becomes g before marked does.
//   - R11: what is tainted is not kept, makes no links and no interval, and taints what is built on
//     it.
//   - R12, reads that a walk in s passes over: if the trace has an interval with links that ends at
//     t < s, floor <= t, and no partition of its stamps changed in (t, s], then a read is as it
//     was if the source in the interval's own links has changed <= t. It is neither asked nor
//     linked again. The stamps go over to the new interval.
//
// Why R12 takes the interval's own links: an entry that was forgotten and came back may be linked
// for an older generation, in which its query read something else.
//
// A restart finds no links. Stamps answer while nothing of a partition changed, the ledger while
// nothing changed that may be below a trace (R13); the first walk of an entry links it. A part that
// stamps or the ledger keep answering for is never loaded: what is above has its partitions in its
// stamps.
//
// Marking ends: each mark raises told of an entry, or goes no further. It has a list of work and
// not a stack, and holds one source's lock at a time, so it cannot wait in a circle with links.
//
// What it costs: a commit pays nothing for its keys, as the journal holds the list that the commit
// made anyway, and nothing at all before the first question. A journal that nobody empties is
// bounded (R10). Marking costs for each change a look into the index, and some 20 ns for each entry
// that was not told yet. A walk costs some nanoseconds for each read that it passes over. A link is
// a pointer in the source's list and one in the trace's.
//
// # Walls
//
// Where much rests on one answer that seldom changes, as all packages do on the list of packages,
// each change below it would mark everything, and everything would be walked to find that the
// answer is as it was. Marks stop at such an answer: it is a wall (the firewall of other engines).
// An entry becomes one when it is marked with at least WallFrom dependents, which are marked this
// once. A wall has a bit, which stands for its key, and a claim, from and to and a trace: in each
// generation from from on in which it was asked, its result was that of the trace; to is the newest
// of these.
//
//   - W1: an interval with links has walls, those that it rests on: each wall that is the source of
//     a read, noted when that is linked to or passed over, and the walls of answers that are none
//     themselves. A wall is noted in place of the stamps and walls that it rests on itself.
//   - W2: when a wall publishes an answer in s (R5): with s after to, the same result moves to, and
//     another begins a claim at s. Of the head of a cycle, which members read too, the trace has to
//     be the same. The first claim of an entry begins with an answer that is newer
//     than all before. The claim goes with its entry.
//   - W3: what R1 (b) and R12 say of an interval that ends at t they say only if each of its walls
//     stands in s: its claim has from <= t, and the trace of the claim is known to hold in s by R1
//     (a) or (b), which may ask about other walls. By R12, where a wall does not stand, nodes are
//     still passed over, and answers are not.
//   - W4: an answer that reaches s over walls gets the partitions of the traces of their claims:
//     they may have come to the same result by other reads. One that is written gets their bases,
//     too, if they are known to stand where its newest interval ends, and all of its partitions
//     else: it may have read an answer that reached over them. What is written of one that reaches
//     on over walls is s alone: between, a wall may have answered something else. The traces of
//     claims get the same of the walls that they reach over in s, once in a generation, so an
//     answer takes it from those that it rests on itself.
//   - W5: an entry becomes a wall under the mark lock, and its dependents are marked with a
//     generation after marked. So a walk or run that has not noted the wall is marked, and one that
//     links to it later notes it.
//
// Why W3: at t the wall had the result of the claim, as its answer was published or reached over
// from one that was, in a generation from from on. In s it has it, too. What is between the wall
// and the interval is marked as ever.
//
// An edit then costs the path from it to the wall, once, and each answer above a look at the walls
// that it rests on, whose outcome is kept for a generation. If the wall has another result, what is
// above it is walked, as if it had been marked. At most 64 keys become walls in the life of a
// table.
//
// A bit is of one key for good. Intervals name walls by their bits, also in strands that are about
// to publish one and in traces of older generations, so with a bit that is given on the claims of
// one key would vouch for what rests on another. A key that was forgotten and is a wall again has
// its bit again. The 65th key becomes none: marks go on above it as above any answer, so a change
// below it costs what it costs without walls, a walk of what rests on it, and no answer is other.
//
// Package marks has these rules as a model, which is searched; each rule left out gives a wrong
// answer there.
//
// # Many keys at once
//
// A run that asks for many keys at once (All) mostly asks for those that the run before asked for,
// of which few have changed. A trace may have batches: what its run asked for in one All, and was
// given. A run that follows the trace, and asks the same query at the same place, is handed the
// batch (Repeat). The caller compares the keys, and takes the answers that it has; what it asks for
// again is what is new among the keys, and what may have changed.
//
//   - R14: a run in s may take a read of the trace before over, with its hash and its source, where
//     a walk in s could pass over it (R12, W3). It is not linked again. What the batch rests on,
//     its partitions and basis, and the stamps and walls of the interval, go over to the new trace.
//
// Why: the read has in s the hash that it had at the end of the interval, so it is what the run
// would have been told. The entry is among the dependents of the source already.
//
// That the sources need not be looked at for walls: a source that became one after the interval's
// walk began was marked then with a newer generation, so it counts as changed.
//
// Only a run that has read nothing but what the one before did, up to there, takes a batch over, so
// none of its reads is there twice. Results that may refer to records are in no batch, since what
// they refer to may have been collected where an answer is not its key's first. After a Distrust
// batches are not used. The cache holds them, and drops them like results (M7).
//
// # Parts of an answer
//
// The result of a query may be a table, from names to values. A table is read by name, as the set
// of its names, or whole, and each is a read like any other: a line in the trace of the reader,
// with the hash that was seen (readPart, readNames, readQuery). An answer that read the part "a"
// holds on when the table has been computed again and "a" is equal. Several names that were read
// are several reads.
//
// Stored: a table is one record (KindParts, type Parts): its names in ascending order, where each
// name and value ends, the hash of each value, and the hash of all names. To compare a part is a
// binary search in the record, in place: nothing is decoded, and nothing is copied.
//
// Hashes: that of the whole is the name of the record, as for any result. The form is canonical, so
// it is equal exactly if the names and all parts are. The hash of a part is that of its value's
// bytes. A name that is not there has the zero hash, so one that was absent and still is has not
// changed; one whose value is empty has another.
//
// Marks: the source of a part read is the entry of the table, as for the whole. There is no node
// for a name. A mark is set when something below the table changes, before the table is computed
// again, and at that time nothing says which names that will touch; so a mark reaches those who
// read any part, and each is walked when it is asked for, which is one comparison for each of its
// reads. Rules R1 to R12 speak of sources and answers, and hold as they are, since to say "changed"
// of a part is only ever too cautious. What they ask of a read of an answer a part asks, too: an
// equal part brings the partitions and stamps of the answer that it was found in (R6), for an equal
// part may rest on other reads than before. Many parts of one table are linked once.
//
// In every other way the read of a part is that of the whole. If the table fails, or its answer is
// tainted, a walk finds a difference without looking at the part: the reader runs again and meets
// the error, or is tainted (K1). The part is looked up in the result of the trace that holds, which
// after an undo is an older one. If the record is lost, damaged, or no table (the query gave
// something else under the same version once), that is a difference, and costs a run of the reader
// and then one of the table. A table that was evicted, and any after a restart, is found by its
// traces in the store.
//
// # What is read and not recorded
//
// A function may work on whole answers of which a few parts decide what comes out, and know which
// parts those are only when it is done. It reads such an answer unrecorded (Frame.Unrecorded), and
// then those parts, which are recorded as ever.
//
//   - L1, what the function promises: where the reads that it recorded have the hashes that they
//     had, it gives the result that it gave.
//   - L2: what is read unrecorded is answered in the snapshot of the run, and brought up to date in
//     it, as any other read. So it fits what is recorded.
//   - L3: an error, a taint, a provisional value that is met unrecorded counts as one of any read
//     (K1, F1).
//   - L4: for the rest there was no such read. The trace, its links, stamps, partitions, basis and
//     batches, and what the run shows to others, are those of the recorded reads.
//
// Why it is enough: L1 is what all queries promise, that they are functions of what their traces
// name. All rules by which a trace is reused say no more than that each of its reads has in the
// snapshot the hash that it had (R1, R12 to R14; a walk looks). Where an interval grows since
// nothing changed that the trace rests on, its partitions and basis are those of the recorded
// reads, and of the queries below these: what answers them is as it was, so their hashes are. A
// flight that joined a run, which has worked on other answers than its own run would, looks at the
// trace when the run has ended.
//
// A promise that is not kept is found by audits (see below). A trace holds in the snapshot of an
// audit, and the function is given there what is to be had there of all that its trace does not
// name.
//
// # After a restart
//
// Two things are stored so that a process need not walk what the one before it knew, and what has
// not changed since: with each trace its basis, and beside the traces the ledger.
//
// The basis of a trace is for keys what its set of partitions is for partitions: all that it rests
// on, by its own reads and by those of the queries below, at the run and at every walk since; it
// only grows. A trace that reads no query has none: its reads are it. The record at a key, and
// whether the key is there, are prints of 32 bits each; up to 256 are listed, more are bits in a
// map of 4,096, which tells keys only, and where half of these are set the partitions stand for
// them. Of a range it knows the partition, and whether the records count or only the keys. So it
// may say too much, which costs a walk, and never too little.
//
// The ledger says which keys changed: of each the newest generation in which it did, and the newest
// in which it came or went. It has all changes after its beginning (from) and up to the newest
// generation marked. It is filled from the journal, as marks are. Where the journal has dropped
// changes, or there are too many, it begins later.
//
//   - R13: an interval without links that ends at t < s, with from <= t, reaches to s if no change
//     after t touches the basis. The single generation s is added then: what was between is not
//     known, as a process may have ended in between.
//
// Why: by the induction of K1 the basis of a kept trace holds each key that a computation from
// scratch at the interval's end would read, or says its partition. If none of them has changed,
// such a computation reads what it read then, and gives what it gave.
//
//   - R15: where the ledger has answered for a trace in this process already, and R16 does not link
//     it, one time in 64 the trace is walked all the same, and linked, and so is what it reads.
//
// Why: whatever reads an answer without links has its partitions for stamps, so it is walked in
// each generation that changes one of them, which while somebody types is every one. All that the
// ledger goes on answering for would have all above it walked behind each edit for as long as the
// process lives. At once it would be a walk of everything, loads from the store included; so it
// comes in portions. Traces with very many reads are left out: whoever reads one is walked anyway,
// or is one of few.
//
//   - R16: where the ledger has answered for a trace in this process already, and answers again in
//     s, and the basis lists at most 16 prints and nothing else, the entry is linked to a node of
//     each of these prints, and pulls (R5). The interval [s, s] is added as one with links. It says
//     nothing of single reads, so R12 and R14 pass over none by it. A change touches the node of
//     the print of its record, and where the key came or went that of its presence.
//
// Why: in s the trace holds by R13. From s on each change of a key of the basis marks the entry, as
// a change of what it reads would (R3 to R5, R7), so R1 (b) may say that it reaches on. Nothing
// below the trace is loaded, and what reads it has no stamps for it. Most leaves of a large graph
// are of this kind, so behind the second edit after a restart all that is above them is linked.
//
// What is stored of the ledger is what it said at a generation, its last word, and the trace may be
// newer or older than that. The next process (Resume) puts the two together before anything is
// asked or committed. A partition whose newest change is not after the last word has no other
// change than those told. Any other counts as changed as a whole in that generation (LastChanged),
// with one exception: of an unlogged partition the last word says what was in it, which is gone,
// and nothing else is, if the trace is not newer than the last word. A gap says that for a trace
// that is newer the whole partition counts.
//
// So nothing has to be durable before anything else, and what is missing costs walks: a last word
// that is old, as after a crash, makes partitions count as changed as a whole, without any the
// ledger begins with the first question, and a trace whose interval does not count (K1) is walked.
//
// Snapshots of generations before the process began are not answered so, since the ledger does not
// say what is in them.
//
// # Without a task
//
// What is known to hold in a generation by R1 is known to any goroutine (Known, Peek): intervals,
// changed, floor and the stamps of a published generation are read without a strand, and no flight
// is joined. The generation need not be held. It was published when it was looked up, the answer
// was right in it, and what a trace claims of it stays true when its trees are gone. The value is
// in memory, or is read from the store by its name, which finds it or not. Nothing is recorded, so
// no query may ask in this way. False means that a strand has to find out: by verifying, by
// running, or by looking at what was found damaged (Distrust).
//
// # One computation per key and generation
//
// Whoever needs a key that is not answered joins its flight, a computation for one generation. A
// flight is claimed by at most one task (state, by compare-and-swap), which evaluates it on its own
// stack; all others wait for it. A flight that nobody claimed yet is evaluated by whoever needs it:
// nobody waits for a queue, so an urgent task is never behind idle work that has not begun.
//
// A run goes on as long as any task wants it. The strand that evaluates counts the strands that
// wait for its flights, and the outermost run on its stack is shielded (sched.Task.Shield): when
// its own task is cancelled, the run notices only once no strand waits for any flight on the stack.
// So a result that two asked for is computed once although the one of them that runs it goes away,
// and nothing is computed that no task wants. Verifying is not shielded: a strand that takes over
// verifies again and finds the results of the runs that were made. A task that is cancelled begins
// no run, unless another waits for one of its flights.
//
// # Two generations at once
//
// A key may be run for several generations at the same time. A flight that would run it looks at
// the runs that go on for older generations, the newest first. It joins one, that is, waits for it,
// as long as that run is known to do what the flight's own run would do: a run shows what it has
// read so far (type shown), and all of that has in the flight's snapshot the hash that was seen. A
// query is a function of what it reads, so up to there the two are the same run, of which one is
// ahead. With the first read that differs the flight goes its own way, at once and not when the run
// ends: the next read of a run that is joined wakes whoever has joined it. When the run ends, the
// flight looks at its trace as at any other. A run that leaves none (it failed, is tainted, was
// given up) is of no use to another generation, and the flight runs the query.
//
// So an answer waits for no run that has read what is different now. What waiting for an equal run
// can cost is the time between joining and the first read that differs. The flight's own run would
// have needed as much to get there, so an answer is later by no more than what a run of its own
// takes. A run that has read nothing yet shows nothing, and is not joined: most begin
// with a read, and one that computes first, or is held, would keep a newer answer waiting without a
// reason. Two that begin in the same moment both run then, and the traces, which have the same
// reads, become one.
//
// To see whether what was shown is as it was is a walk (firstDifference) in the order of reading.
// It brings up to date, in the flight's generation, only what its own run would ask for as well.
//
// Only older runs are joined. A strand is in one generation, and waits for others in the same one
// or for an older one, so waiting over generations closes no circle. A question about an older
// generation that meets a newer run runs the query itself.
//
// A strand that has joined a run wants it, as if it waited for its answer: the run goes on when its
// own task is cancelled, and stops when the last of them leaves.
//
// # Cycles
//
// A strand is a task with the stack of flights that it evaluates; it waits for at most one flight
// at a time. Before it waits, it publishes this under one lock and follows flight -> strand ->
// flight it waits for. The chain leads back to the strand itself exactly when waiting would close a
// cycle, and the last strand to wait sees it. It does not wait then, but evaluates the key itself,
// in a flight that no other strand finds (Strand.lone). So a strand comes to a flight of its own in
// the end, and a cycle is only ever found on one stack: the read that closes it gets a CycleError
// with the path. What it finds does not depend on other strands.
//
// What rests on a cycle depends on what is on the stack: it is for the strand that has found it.
// Those who wait for such a flight try again, on their own account (flight.usable); so does a task
// whose helper has found one.
//
// That ends: each strand evaluates a key at most once on its stack, and those who try again wait
// for strands that each do a bounded amount of work.
//
// # Fixpoints
//
// A cycle whose queries all are declared (Query.Fixpoint) is no error: its keys have the least
// values that satisfy all their functions. That needs values with an order, of which Initial gives
// the least and Join the least that is no less than two; functions that are monotone, giving no
// less where they read no less; and chains that end. The least values are then the same in
// whichever order they are approached (Kleene; Cousot and Cousot, 1977), and the same for a part of
// the cycle when the rest has them (Bekić). Functions that are not monotone may give what depends
// on the order.
//
// A strand closes a cycle alone. A read of a key that is on its stack, or on its path, is given the
// key's provisional value, at first the initial one. Flights that rest on provisional values are
// ordered by index, and each knows the lowest that it rests on (low), as in Tarjan's algorithm
// (1972). One that rests on one below it completes when its function returns: it leaves the stack,
// keeps its provisional value, joined with what the function gave, and its flight stays claimed.
// One that rests on none below it is the head of what has completed above it. It runs the members
// again whose last run read what is another value now, each time joining what they give, until
// there are none (goRound). A run may complete more members, or rest on a flight below the head:
// then the head is a member too, and leaves what it has to that one.
//
// An error of a member adds nothing to its value. If the last run of a member failed, which had
// read final values, the head fails, with the first such error in the order of keys, and the
// members are abandoned. More than StepsMax steps of one value are a DivergenceError. Each run but
// the last of a member follows such a step, and each adds at most one, so it ends.
//
// Nothing provisional is kept, or vouches (F1): the trace of a provisional value is tainted, is in
// no entry, and is given to the strand itself only. A walk that is given one finds a difference.
// What it was evaluated for and did not need in the end is abandoned: what the last runs of the
// head and of those it rests on read, directly or not, is the cycle.
//
// What the head publishes: a trace of itself with all that all runs of its members have read
// elsewhere, in the order in which these began, and with the results and query versions of the
// members (type group). Reads of all runs, as a value may rest on what only an early one has read;
// the last runs would hold each other up without it. And for each member a trace with one read, of
// what the head came to for it (readMember). So traces are verified without a cycle: a member
// brings the head up to date, whose trace reads nothing of the cycle. If the head is recomputed and
// gives the member the same value, the member's trace holds. Of the traces of a key that was both a
// head and a member those of the head are verified first: where one holds, nothing of the cycle
// runs. Links and stamps are those of any trace.
//
// A member that is recomputed alone, since its result was lost, reads the others' final values, and
// gets the same (Bekić). Traces that read each other in this way vouch for each other in no walk:
// the second read of one finds its flight on the stack. Along links they do no harm, as each entry
// was linked to the head before, and links go only when an entry does (R8, R9).
//
// A query that is not declared and has read a provisional value is in a cycle that is an error: its
// outcome is a CycleError, whatever its function returned.
//
// Other strands wait for members as for any flight, until the head is done. Where that would close
// a cycle over strands, one of them evaluates the members alone ("Cycles"). Both come to the same
// values.
//
// # Depth
//
// Queries may be nested as deep as memory allows, in a stack of levelsMax levels. Climbing is
// evaluating flights within each other on one stack. Where one more would be too deep the strand
// unwinds: everything on its stack returns, and what it was about is taken up from an empty stack.
//
// Unwinding: the strand's mark (Strand.unwinding) is set, and says from then on what is so; errors
// and panics only carry it. Walks return errUnwound. A query function is left by a panic of type
// unwound, which Query.eval catches; what the function makes of that panic, and what it returns, is
// discarded as long as the mark is set, and each read that would evaluate panics again. So an
// unwound walk or run leaves nothing: no trace, no interval, no outcome, no count, no reason. Its
// flight stays claimed and is suspended, onto the strand's path (descent).
//
// Landing: the frame of the task itself, below which there is no flight, evaluates the last flight
// of the path, as if nothing had been computed; but what the unwound runs had asked for is answered
// by now. When it is done, the one before it is evaluated, which finds its answer, and so on: it
// mostly asks for that first, so the strand remembers the entry (descent.done). Any
// may unwind again, and is then followed on the path by what was suspended above it.
//
// The stack of a strand that has unwound is levelsAfter levels: what is deeper than one stack is
// probably deeper than many, and a stack that the processor's cache holds is used again quicker
// than a long one.
//
// Of two flights on the path, or on the stack under which the path is, the later is needed by the
// earlier. So a strand that meets a claimed flight of its own meets one that waits for what it
// does: a cycle, as on one stack, and its path leads over the suspended flights (Strand.above).
// Others wait for a suspended flight as for any. When the strand ends before its path does (its
// task is cancelled, Goexit, the pool is closed), all that is suspended is abandoned (M1). Landing
// is shielded, so that does not happen while others wait for it.
//
// A flight finds the outcomes of those above it when it is evaluated again: kept ones in their
// entries, others with the question (type unkept). What rests on a cycle is given to the one
// flight in whose place it was found, and to no other (flight.given): below that flight stood the
// same path then as now.
//
// What it costs: an unwinding takes as many flights off the stack as fit, at least levelsAfter, and
// suspends all of them, of which one at most, the lowest, was suspended before. A suspended flight
// stays so until it is done. So n flights are unwound at most n*levelsAfter/(levelsAfter-1) times
// in all, and a function is called twice, and once more for each further read of it that is deeper
// than levelsAfter. For the same reason it ends: each unwinding suspends a flight that was not, or
// there is no room for one.
//
// Helpers of All evaluate on stacks of their own, and the strand that waits for them keeps its
// stack meanwhile. A strand that is hopsMax helpers away from the task that asked takes none.
//
// Nothing else in this package, and nothing in the collector, recurses by the depth of queries.
//
// # What is kept, and what may vouch
//
// An outcome is an error or an answer. An answer is kept when its run met no taint; it then has a
// trace in its entry, and is written by Flush. A taint is anything that the function could see and
// that its trace cannot name: an error of a read (of the snapshot, of the store, of another query),
// a tainted answer of another query, the end of the run's context, Frame.Taint. Errors, and answers
// with a taint, are not kept: they go to the strands that ask at the time and are gone.
//
// Only what is kept may be a reason to keep something (K1). The interval of a trace T, or its set
// of partitions, rests on the reads of T in the snapshot of the interval and on kept traces that
// hold there, and on nothing else. That asks four things:
//
//   - A run with a taint adds no trace (Table.run).
//   - A walk that reads a query whose outcome in the snapshot is not kept finds a difference, also
//     when the answer's hash is the recorded one (Table.unchanged).
//   - A stored interval counts only in a program with the same queries of the same versions as the
//     one that wrote it (Options.Program): a trace of another version is not kept. The reads of the
//     trace are then walked once (Table.load).
//   - An audit is compared with what is kept only if it would be kept itself (Table.replay).
//
// Why the hash alone does not do: an interval grows over every generation in which no partition of
// the trace's set changed, so the set must hold each partition that a computation from scratch at
// the interval's end would read. By induction over the queries below, the set of a kept trace does:
// its run and each of its walks added the partitions of its own reads, and the sets of the kept
// traces with which the queries below answered. An answer with a taint breaks the induction. What
// it read up to the error below it is in no set, so a commit there, which may well turn the error
// into another answer, would be skipped.
//
// What is not kept is shared for as long as one question of a task is being answered (type unkept):
// the walk that met the outcome, the run that follows it, and all other runs of the question, get
// it from there. Without that, each level of queries above an error would compute it twice, once to
// verify and once to run, and the work would double with each level. All of it happens in one
// snapshot, where one run of a pure function is as good as another. An outcome that rests on a
// CycleError depends on who asked whom, and is not shared. It is found by the key, and not by the
// entry, which may be forgotten while the question goes on.
//
// The strands of a question share it without a gap: whoever evaluates a flight puts it into the
// unkept before the flight leaves its entry, and whoever has just got a flight of its own looks
// there once more. The second of two strands then finds the first one's flight, or its outcome.
//
// # Audits
//
// That a query is pure is what its author promises. An audit looks: it computes a reused answer
// again and compares. Table.Audit is called by tasks that have time; whoever reuses an answer only
// counts it.
//
// Which answers: of each query those whose number is due by a schedule, the ones that were known to
// hold and the ones that a walk verified each by their own. The gap to the next is chance, by a
// seed, from 1 to twice its mean; the mean is an eighth of the number at first, and grows to
// 1/share. So of the first reuses of a query most are audited, and later one of 2/share in a row is
// for certain. What is impure from the start is found soon, though a run shows it only now and
// then, and what becomes impure later by the first audit of a key that has. On the hit path an
// audit costs a comparison of the counter with a word beside it. Samples wait in a list of bounded
// length for each query; queries take turns. A sample that is not an answer of its key any more, or
// not known to hold in the snapshot of the audit, is passed over.
//
// What is computed: the function is called in the snapshot of the audit. What it reads of
// partitions it reads there. A query that the trace has read gives what the trace says, by its
// hash, and is not evaluated: so an audit is one function call, holds no flight, and no other
// strand can wait for it. Where it reads a query that the trace has not, that is asked as by any
// run.
//
//   - U1: an audit publishes nothing. It has no flight, and leaves no trace, no interval, no links,
//     no outcome, no reason, and no count but its own. What its function puts into the store is as
//     from a run that failed.
//   - U2: it is evidence only if it saw what its trace names and nothing else: neither a taint, nor
//     an error of a read, nor the end of its task.
//   - U3: by U2 another result is the fault of the function, or of a claim that the trace holds.
//     The latter is told apart: a read that gives another hash than in the trace, in a snapshot in
//     which both are said to hold.
//
// A result that differs is computed once more, to say what is likely: the same again (something
// that was not read), the bytes of the kept one in another order (as of a map), yet another (time,
// chance). The first of each query is logged and remembered (Impurities), all are counted. The
// answer is given on as before: which of the two is right nothing can say.
//
// # Causes
//
// Prove says which changes a run is due to. A set of changes is the cause if with them undone, and
// all else as it is, the run before would be reused, and with any of them not undone it would not.
// That is found by trying: in a supposition, a snapshot in which some keys have the records that
// they had (db.Snapshot.Supposing), answers are looked for as an evaluation would, by the traces
// that hold there and else by calling functions. So a change below that makes no difference is
// no cause, and a cause that is told has been replayed.
//
// What to undo is what the traces of the run before, and of the queries below it, say was there: a
// read names the record that it saw. Of a range, or where a trace is not known any more, it is what
// the history of the last changes says, which begins with the process. Of what comes out the fewest
// changes that suffice are the cause, as far as there are not too many sets to try.
//
// Of a supposition nothing is kept (U1). It works on one stack, to a depth, and calls functions to
// a number; beyond them no cause is told. A function that says that its answer is not to be kept,
// or fails, gives none.
//
// # Telling what happens
//
// Options.Trace is told of each run that returned, each reuse, each verification that found all as
// it was (one that did not is the cause of a run), each computation that was given up, each key
// that was forgotten and each audit. It is called by the strand or the caller that it happened to,
// so by several at once, after what it tells of has been published. No lock is held but that of
// Flush, when a key is forgotten. It must not ask the table, and the strand does not go on before
// it returns. A run that was unwound is not told of, as it is none. Without a hook the hit path has
// nothing more to do: it compares the number of the reuse anyway (see "Audits"), and with one each
// is due.
//
// # What fails
//
// A panic of a query function is an error of the query that names it and its key, and wraps the
// sched.PanicError; so is a panic of its decoder. Goexit, and the panic by which a pool ends a
// task, go on up; the error of a task that Goexit ends names the query and its key.
//
// A result that cannot be read back costs a run once. When the result of a run that began after
// the question cannot be read back either, that is the answer: an error (Table.answer). So a
// question ends after at most one run for each trace that was there, and one more.
//
// A key that is too long to be a key of the trace partition is refused where the query is asked
// (db.ErrKeyTooLong).
//
// # What survives
//
// Traces are records (KindTrace) in a side partition keyed by query name and key; results are
// records of their own, but for tiny ones, whose name says what they are (tiny.go), so that they
// need no record, no look into the store, and no collector. A tiny result refers to nothing. Traces
// are written by Flush, results by runs; losing them costs runs, never a wrong answer. A result
// that is missing or damaged in the store drops its trace and the query runs again.
//
// A trace that the store refuses for what it is (its key, its size) is set aside: it stays in
// memory, where it answers as any other, and keeps no other trace from being written. Its result is
// reached from no root, so each Flush shades it: the collector flushes with its barrier on before
// it takes its roots. An error of the store as a whole (no space, closed) leaves all traces of the
// batch dirty, and the next Flush tries them again.
//
// # What is not worth storing
//
// The result of a query that is in memory only, or is quicker to compute than to load (type costs),
// is in no store: its trace has the value, which is not dropped, counts with the trace's bytes, and
// goes with it. Flush passes it over; older traces of the key that are stored stay so, and hold or
// not as ever. Its hash is that of any result, so what reads it is stored and verified as ever:
// after a restart it runs once, and what it gives is compared. What refers to records is stored in
// any case, since a collection follows only what is in the store.
//
// Which is quicker is measured for each query, by running means: of a run, the function's own work,
// and what it takes to bring back the answers that it reads, which is their loading, or their
// computing if they are cheap themselves; and of loading, with traces, some answers that a Flush
// has just written, or that were brought back from the store since the last one, so that a process
// that has all that it needs there knows it, too. Without the second, a query whose own work is
// little would count as cheap although a restart would have to bring back all that is below it for
// each answer. All of it is what this process has measured.
//
//   - C1: a query of which nothing is said counts as cheap once it has run MeasuredFrom times and
//     computing takes less than a quarter of loading, and then until it takes more than half. Of a
//     query that is said to be Cheap only its own work counts: it is stored when that takes longer
//     than loading, and then until it takes less than half.
//   - C2: a measurement counts as at most four times the mean, so one in which the thread was
//     preempted decides nothing. Among the first there is no mean yet: of loads the quickest
//     counts, of runs all. Waiting counts as work, and what is loaded to see what that takes is in
//     memory. All of that is in favour of storing.
//   - C3: only results that are so small that they stay with their traces in memory anyway are left
//     out of the store unasked. So they take no memory that the cache could have had.
//   - C4: the measure decides where a result is when it is made, and nothing else: no trace, hash
//     or mark depends on it. What was stored stays stored.
//
// What a restart loses by it: an answer that is in no store is computed where it is asked for,
// which C1 says is quicker. What rests on it is answered without it where R13 or stamps say that it
// holds, and computes it where its reads are verified. The queries of cycles are stored, since
// computing one computes others.
//
// # A store that takes nothing
//
// A full disk, or one that fails, is no reason to refuse an answer. A record of an answer (the
// result of a run, and what the result refers to) that the store cannot take is held in memory
// (Keep), and is found there by its name as if it were in the store (View). The trace is as any
// other. Only a closed store, and a record that is too large for any, fail the query.
//
// Flush puts what is held before it writes a trace that leads there (Settle), so no record in the
// store names one that is in memory only; what cannot be put yet leaves its trace dirty. Whoever
// else wants to refer to a record of an answer calls Settle first. A record is in the store before
// it is held no longer, and readers look at what is held first, so they find it all along.
//
// What is held is bounded by Options.CacheBytes, and the dirty entries by Options.TraceBytes.
// Beyond that the oldest records, and traces that were not written, are forgotten; results that
// referred to the records are found unsound and computed again. After a Flush that leaves nothing
// dirty, while nothing runs, all that is held still was replaced meanwhile, and is forgotten.
//
// When the trace partition itself is damaged it counts as empty. The database empties it, and at
// the next Flush all traces in memory are dirty again.
//
// # What the collector is told
//
// With its barrier on, a collector frees what it has not marked, so memo shades each reference that
// it makes, inside a session that began before the record was put: what the result of a run refers
// to, when the result was put; the result that a trace record refers to (Refs), before the record
// is committed; the record itself; and the results of traces that are set aside, at each Flush.
//
// # What stays in memory
//
// Two clocks (Corbató, 1968) bound it: one the decoded results, at each result; one the keys with
// their traces, and the values that stay with a trace (tiny ones, and those in no store), at each
// Flush. A key that is forgotten costs a look into the store when it is asked again, not a run,
// unless what it needs is older than the traces that are stored. What rests on it is walked once
// (R8). What is evicted is memory for others at once, but for entries that a trace in memory is
// linked to, and for those on long lists of dependents, which the next sweep cuts.
//
// # Invariants
//
//   - M1: a flight leaves state claimed only by finish, exactly once, on every path (return, panic,
//     Goexit). Unwinding leaves it claimed and on the path of its strand; it is on the stack or on
//     the path, and not on both.
//   - M2: a trace is immutable after publication but for its intervals, its cached value, and its
//     set of partitions and its basis, which only grow.
//   - M3: entry.traces holds at most Query.tracesMax traces, most recently used first, no two with
//     the same reads. The collector may take the result of any but entry.kept, the first: whoever
//     finds it gone runs the query again.
//   - M4: the reads of a frame are recorded by the strand that owns the frame only.
//   - M5: a shield gives in at most once in an outermost run, and only at a moment when its task is
//     cancelled and no strand waits for a flight of its strand.
//   - M6: an entry that is evicted has no flight and, unless the store takes nothing, nothing that
//     is not written, and gets neither any more: at most one entry of a key is not dead.
//   - M7: the cache holds values and batches of traces only that are in the entry of their key.
//   - K1: only what is kept may be a reason to keep something; see above.
//   - F1: a provisional value is in members of its strand only. No member is left when the flight
//     at the bottom of the stack and the path has ended, however it has.
//   - K2: a flight that ended without being kept is in an unkept of the strands that asked, and in
//     nothing that outlives their question.
package memo
