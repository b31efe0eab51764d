// Package gc finds the records that nothing refers to any more and gives their space back: a concurrent, incremental tri-colour collector
// (Dijkstra, Lamport, Martin, Scholten and Steffens, 1978) over the content-addressed store, and a reaper that estimates how much there is to collect.
//
// # Colours
//
// White records have no mark bit. Grey ones are marked and in the queue, black ones are marked and their references were followed. The mark
// bits lie off heap in the store (mmapcas.Cycle). The roots are what the database can reach: current trees, snapshots,
// the last durable root, commits since (db.Roots). Traces are records of a side partition, so they and their results are reached from there.
//
// # Phases
//
//	idle      no cycle
//	draining  the barrier is on; sessions that began before are still open; nothing is marked yet
//	marking   roots were taken after the drain; grey records are followed, in slices
//	sweeping  no grey record is left; the store frees and compacts, in slices
//
// # Sessions and the barrier
//
// Whoever puts records and refers to them later (a commit, a query run, the writing of traces) holds a session from its first put until what it
// put is referred to, or abandoned. With the cycle on, three things happen on their behalf:
//
//   - a fresh record is born black, a duplicate of a white one is shaded (mmapcas does both);
//   - Shade is called for every hash that a new record or a commit refers to (the insertion barrier), so a reference moved
//     from an unvisited place to a visited one is not missed;
//   - a session from before the cycle knew of no barrier: the cycle takes no roots until the last of them has ended (draining), and by then
//     everything they referred to is reachable from the roots.
//
// A session must not wait for the collector.
//
// # Why nothing live is freed
//
// The roots are taken at one moment as immutable trees, so everything that was reachable then is marked, whatever commits do
// afterwards (a snapshot at the beginning, as in Yuasa, 1990). Everything put since the barrier went on is black. A record
// from before that was not reachable from the roots can become live again in two ways only: somebody puts the same content again, which
// the store sees and shades; or a session that held its hash refers to it. A session from before the barrier ended before the roots were
// taken, so its references are among them. A later session got the hash by reading something reachable (marked) or by a put
// (black or shaded). Shade on top of this costs little and keeps the argument local to each reference.
//
// # Why it ends
//
// Marking visits each record once; the barrier only adds records that exist, and those born during the cycle are born black. The number of white
// records falls with each step.
//
// # The reaper
//
// A commit that replaces a record leaves a note (db.Replaced) stamped with its generation. When no snapshot older than that remains, the reaper counts the
// record's bytes, and those of what only it referred to, as garbage. This estimate decides when a cycle is worth its
// cost; whether a record is free is decided by marking alone, so a wrong estimate costs time, never data.
package gc
