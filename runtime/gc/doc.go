// Package gc finds the records that nothing refers to any more and gives their space back: a
// concurrent, incremental tri-colour collector (Dijkstra, Lamport, Martin, Scholten and Steffens,
// 1978) over the content-addressed store, and a reaper that estimates how much there is to collect.
//
// # Colours
//
// A record is white while it has no mark, grey once it is marked and what it refers to is still to
// be shaded, black after that. The marks lie off heap in the store (mmapcas.Cycle). What was put
// since the cycle began counts as black without a mark: whoever put it had put, or held, what it
// refers to (G0).
//
// Bare records are marked like others, and of what they refer to only the database's own records
// are shaded, bare again. They are the roots and the log that a recovery begins with, and the nodes
// below (db.Roots). A cycle comes to them when no record is grey, so that what is needed in full is
// black by then.
//
// # Phases
//
//	idle      no cycle
//	draining  the barrier is on; sessions that began before are still open; no root was taken yet
//	marking   roots were taken after the drain; grey records are followed, then bare ones, in slices
//	sweeping  nothing is grey; the database has settled; the store frees and compacts, in slices
//
// # Who publishes what
//
// A cycle begins with three steps, in this order:
//
//   - B1: the store publishes the cycle (BeginCycle), with all appenders held: a record that is put
//     after that is behind the length at which its segment is born black, and a put that finds its
//     record marks it and queues it (Shaded) in one step (mmapcas, G6), or, if it is condemned
//     already, puts another copy.
//     A put that saw no cycle is one of a session from before.
//   - B2: active is set: Shade queues from now on.
//   - B3: the gate turns. A session that enters after that sees B1 and B2 in all that it does.
//
// A session enters in three steps: it loads the phase (E1), counts itself in the counter of that
// phase (E2), loads the phase again and is in if it is the same (E3), else it takes itself off and
// begins again. A cycle begins only when the counter of the phase before the current one is zero;
// those who count themselves there later take themselves off at E3. So a session that is in was
// counted, at E2, in the phase that was current then. If the turn B3 comes after E3, the cycle
// waits for the session, for it looks at that counter after B3, until it is zero (drained); if B3
// comes before E1, the session is a later one. Between E1 and E3 there is no turn, or E3 sees it.
// Without the second look a session could be counted where only the cycle after the next one looks,
// and put records that the next one would know nothing of. With the turn before B1 or B2 there
// would be sessions that no cycle waits for and that know of no barrier.
//
// All these are atomic, and so in one order for everybody.
//
// # Sessions
//
// Whoever puts records and refers to them later (a commit, a query run, the writing of traces)
// holds a session from its first put until what it put is referred to, or abandoned. It puts a
// record after what the record refers to, or while it holds live what the record refers to: by a
// snapshot, or because it has put that itself (G0). It calls Shade for what a new record or a
// commit refers to. A session must not wait for the collector.
//
// # Why nothing live is freed
//
// Call a record needed if it is reached from a tree of the current states, from one that a snapshot
// holds, from a lease (mmapcas.Store.Pin), from what an open session has put, or from a trace that
// is held in memory only.
//
// Invariant, from the moment at which the roots were taken to the end of the cycle: a needed record
// is black, or grey, or is reached from a grey record, or from one that Shade or the store has
// queued.
//
// It holds when the roots are taken. Sessions from before have ended, so what they put is reached
// from the trees, or from a trace, or is needed no more. Options.Flush has written the traces, or
// names their results. What later sessions have put is black or queued. Leases of records that were
// there at B1 are queued by BeginCycle; later ones by Pin.
//
// It stays so whatever happens:
//
//   - Marking shades what a grey record refers to before that record counts as black.
//   - A new record refers to something: that was put in the session that does it, and is black or
//     queued, or the session holds it live until it has called Shade. It needs Shade: the session
//     may have entered while the cycle drained, and what it held may have been replaced, and let
//     go, before the roots were taken. The new record is black and was followed by nobody.
//   - A commit refers to something: that was put, with all it refers to, or was needed already, and
//     keeps its colour. Here Shade is a second line (tricolour, TestSecondLines), which a bulk does
//     without: it may name any number of records, and the queue would hold all of them.
//   - A record from before the cycle is put again. The store marks and queues it in one step with
//     the test that it is not condemned (G3), so it is grey. Its references may be white: the
//     session may have put them before B1 (while the cycle drains for that session); so those that
//     the store has queued are followed like others, while sweeping as well. One that is marked
//     already is grey, black, or bare. It may be bare, with references of which some are white: but
//     bare marking begins when sessions from before B1 are long over, so whoever puts it again has
//     put or holds all of its references since, and these are needed by themselves.
//   - Something stops being needed: that makes fewer of them.
//   - A snapshot is taken: its trees are those of a current state, which are needed.
//   - A lease is taken of a needed record: nothing changes. One of a record that is not needed is
//     queued, or refused as it is condemned; what it refers to may be gone if a sweep is under way.
//
// A sweep frees white records only, and begins when nothing is grey or queued; it condemns a record
// in one step with the test that it is white. So a record that is needed when it is condemned would
// have to be white and reached from nothing grey. What comes in during the sweep is grey or queued,
// and followed before the next slice; by the invariant it reaches white records only if they are
// needed through it alone, and then its session holds them live, or has put them: they are not
// white.
//
// Recovery needs the bare records, and the values that are in the newest trees of the log: these
// are needed anyway. No recovery asks for more once the database has settled, which comes after
// marking and before anything is freed (db.Settle, C6).
//
// # Checks
//
// With the build tag check, and in the tests of this package, each phase of a cycle ends with a
// walk (check.go): all that is needed must be black, grey, or reached from what is grey or queued;
// and at the end of the cycle it must be there. Else the process ends with the way to the record.
//
// Package tricolour has this protocol as a model, in which each part of it is left out once.
//
// # What is freed
//
// What is not needed when the cycle begins is white at its end unless somebody puts it again or
// takes a lease of it, for nothing needed leads to it, and bare records do not lead to values. It
// is freed in this cycle. So one collection that begins after a call frees all that was unreachable
// at the call. What becomes unreachable during the cycle, and all that is put in it, is for the
// next one.
//
// # Why it ends
//
// The drain waits for sessions from before the turn; later ones count elsewhere. Each step of
// marking makes a white record grey or a grey one black. White records are never made: what is put
// is black, or makes a white one grey. So their number falls. The queues of the barriers grow only
// by names of records that exist, and each name is taken out once. The sweep goes once through the
// segments that there were at B1; it waits for queues to be empty, and a record that is shaded
// while it goes on is followed at most once.
//
// # Short cycles
//
// A cycle of what is new (CollectNew) marks and frees only what was put since the cycle before it
// ended, and costs what that costs (mmapcas.BeginShortCycle, with the argument). It begins, drains,
// takes the same roots and settles as others do. Marks stop at elders, but for those that were put
// again since: these are grey from the start. When something needed was not there, or the store met
// damage, there are no elders, and the next cycle is one of everything.
//
// What was said of what is freed is not said of short cycles: garbage among the elders stays.
//
// # Steps and errands
//
// A cycle goes on in steps. Whoever has time makes one: the task of a collection, which is on a
// lane of its own (Pace), and those who commit (Assist). One is made at a time, under stepMu.
//
//   - S1: a step waits for nothing and nobody. It works for about its slice and gives stepMu back.
//     So whoever waits for stepMu waits for one slice. (A walk, which is a check, holds it longer.)
//   - S2: what may wait for the disk, or for a lock that is held while somebody waits for the disk
//     (beginning, taking the roots, settling, disk space for copies, letting segments go), is an
//     errand. A step leaves it; it is done without stepMu, by a goroutine that is not a worker's.
//     So is what takes long by itself and cannot be taken apart: reading all of the reaper's notes,
//     making the pages on which marks lie, walking what a segment has that is to be copied to.
//   - S3: that goroutine also takes over what the errand has found, under stepMu. No task has to
//     get a worker back for the cycle to go on.
//   - S4: while an errand is out no step is made, so the errand has the cycle for itself.
//   - S5: stepMu comes before greyMu and the reaper's mu, and is not held by whoever calls the
//     engine, commits, or has code called that is not the collector's.
//
// The clock is looked at once for so many bytes, and a record with many references is taken apart.
// A single record is not split, and a page that the system has to read from the disk is waited for.
// Stats.SliceMax and Stats.Slices are wall time: on a busy machine they count the time for which
// the worker's thread was off the processor.
//
// # Saturation
//
// A collection has time on the idle lane. While all lanes above have more work than the workers can
// do, that is one pick in some 1,800: the cycle all but stands, and what is overwritten stays. So
// those who make garbage pay, as with Go's own collector.
//
//   - A1, the trigger: commits look whether the collector is behind, once for each 256 KiB that are
//     put. It is behind if twice as much is known to be garbage as makes a collection due, or twice
//     as much as is live is new (package runtime, assist.go). It stays behind until a cycle has
//     ended after which it is not.
//   - A2, the price: while it is behind, each byte that is put owes 8 bytes of work, whoever put
//     it. Work is counted in bytes that were looked at, with RecordWork more for each record, and
//     so is what is put. Whoever does work pays the debt of all.
//   - A3, the share: after each commit the committer pays what is owed, up to what the commit
//     itself has put, or one slice if that is more. A commit that is small is held up for one
//     slice, below a millisecond, and a large one in proportion to itself.
//   - A4: Assist begins a cycle of everything if none runs, makes steps of whatever cycle runs, and
//     sends another goroutine on errands. For one of these, or for another's slice, it waits as
//     long as the work that is owed would take, a tenth of a second at the most; and for no
//     session.
//   - A5: whoever assists has no session open (a commit function, a query), as the drain waits for
//     those, and holds no lock of the engine's.
//
// No deadlock: a step waits for nothing (S1), an errand for the disk and for locks of those who put
// and commit, which an assistant does not hold (A5); and an assistant waits for either with a
// limit. Close waits for the errand that is out, and none is left after it.
//
// It ends: all that was said under "Why it ends" is true whoever makes the steps. Each step of an
// assistant makes some of them; debt grows without end while commits go on, so there are steps.
//
// It is bounded. Let the store have B when a cycle begins for which commits pay. The cycle looks at
// each record of these at most four times (shades, follows, sweeps, copies), 4 B of work, as well
// as at what is shaded of what was put since. With 8 paid for each byte put, the cycle is over when
// B/2 has been put, and D: what is put while a session from before is open, and during errands. As
// what is owed grows then, and commits wait the longer, that is little: of n commits of a size, the
// last waits n times as long as the first, until it is a tenth of a second. The cycle frees all
// that was garbage at its roots. What it leaves are the L that are live, a tenth of that
// (garbageShare in mmapcas), and what was put since, at most B/2 + D, which is garbage for the next
// one.
//
// Where values are overwritten and no snapshot holds them, the collector is behind when L, or 4 MiB
// if that is more, is known to be garbage. So B is 2 L, or L + 4 MiB, and what is not known as
// garbage beside it: headers, chunks of the log, nodes. In all it is at most L + 2 max(L,
// CollectEvery). The store has at most 1.5 B + D, and while segments are emptied an eighth of L
// beside it: 3 to 3.5 times what is live where values are large, or 1.5 L + 6 MiB, and D. Nothing
// on the heap grows with what was overwritten: notes of replaced records are at most 2^20, the
// reaper's counts go with each cycle, and traces are written by the keeper, which is no task.
//
// # The reaper
//
// A commit that replaces a record leaves a note (db.Replaced) stamped with its generation. When no
// snapshot older than that remains, the reaper counts the record's bytes, and those of what only it
// referred to, as garbage. This estimate decides when a cycle is worth its cost; whether a record
// is free is decided by marking alone, so a wrong estimate costs time, never data.
//
// So it need not be exact either. The first notes and references after a cycle of everything count
// one by one: where little goes on the estimate is as good as counts are. After some thousands, a
// part of the records, told by their names, stands for all: the bytes of each count for so many
// like it. Of N records of one size the estimate is then off by some sqrt(N), in records, times
// the root of what each stands for. Who commits pays for a note that does not count with one look
// at a bit. References that were counted before stay, and mean the same, for those records of
// which all changes count.
//
// What is replaced while a cycle runs was reached by its roots, and is freed by the next cycle only
// (floating garbage). So the end of a cycle takes off the estimate what was counted when the roots
// were taken, and not what was counted since: a store in which the edits go on while it is
// collected would else hold more each time, and nothing would tell. After a short cycle no more is
// taken off than it freed.
//
// That counts free nothing is a decision: docs/rfc/0015.
package gc
