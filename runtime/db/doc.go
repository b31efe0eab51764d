// Package db keeps named, ordered maps from keys to records: partitions. They change in chunks, all
// or nothing, and are read through snapshots.
//
// # Terms
//
// A partition maps keys (byte strings of at most MaxKeyBytes, in byte order) to the hashes of
// records in a content-addressed store. A chunk is the list of operations of one Commit. A
// generation is the number of the newest chunk that changed a versioned partition; a Snapshot reads
// one generation. A side partition has no generations: it is read as it is now (Latest), its
// changes are told to nobody. A checkpoint writes the trees to the store; between two checkpoints
// the chunk records (the log) say what happened.
//
// # Unlogged partitions
//
// A versioned partition can be unlogged (SetUnlogged, OpenUnlogged): its changes are part of
// chunks, generations and snapshots as any others, and neither the log nor a checkpoint has them. A
// chunk that changes nothing else writes nothing at all. Its tree stays in memory, whatever
// Options.CacheBytes says. After Open the partition is empty. On disk an unlogged partition is one
// that happens to be empty, so the format knows nothing of it.
//
// Generations that changed nothing but unlogged partitions leave no trace unless something is
// logged later: after Open the number may be lower than it was, but never lower than one that a
// record in the store can have been told.
//
// # Trees
//
// A partition is a copy-on-write B+tree. Nodes are immutable. Trees and inner nodes hold links: a
// link leads to a node by pointer once the node is in memory, and by hash before. What a link leads
// to never changes, but how it does may, and readers cannot tell: a node that was not loaded yet is
// filled in, a link that a checkpoint has written is marked clean and told its hash, and when
// memory is short a parent gives way to an equal one with links to children that are not loaded. A
// leaf that is not in memory is searched in its record, in place, the first time that a key is
// looked up in it, and loaded the second time. A leaf in memory is the payload of its record, so
// that writing it costs a hash and a copy, and the garbage collector has nothing to follow in it.
// Nodes are hashed when a checkpoint writes them, not when a commit makes them. The record of an
// inner node holds the hashes of its children: the hash of a root names the whole content of a
// partition (a Merkle tree, 1979). Opening loads the root node of each partition and nothing else.
//
// Applying a chunk to a tree takes the chunk's edits in key order through one descent and copies
// each node that it touches once. Where keys stay and only records change, which is most of what an
// edit to a file does, a leaf is copied and patched, and inner nodes share the bytes of their keys
// with what they were.
//
//   - T1: keys in a node, and over the leaves of a tree, strictly ascend.
//   - T2: an inner node's key i is the first key under child i, and its count i the number of
//     entries under it.
//   - T3: all leaves are on one level; a child's level is its parent's less one.
//   - T4: no node but an absent root is empty; an inner root has two children or more; a node has
//     at most fanMax entries and, beyond two, at most textMax bytes of keys. Small nodes are merged
//     when the node was touched and its neighbour can be read: a lower bound on the filling is an
//     aim, not an invariant.
//   - T5: a dirty link has dirty ancestors only, so a walk that stops at clean ones finds all dirty
//     ones. What a dirty link leads to is in memory.
//   - T6: a link's hash is read only when the link is not dirty, and it stops being dirty only
//     after the hash was set. A link that leads to a node in memory goes on leading to that node or
//     an equal one.
//
// # Commits
//
// Whoever wants to commit queues its chunk and takes the commit turn; whoever holds the turn
// applies all that is queued, in order, and most of the others find themselves answered when their
// turn comes. For each chunk: the operations are reduced to what differs (the record at a key
// before is not the record after: "new to the store" plays no part), every record that the chunk
// newly names must be in the store (which was looked up before the turn, all at once; only if one
// is missing it is looked up again), the differences are appended to the log, and only then is the
// chunk part of the state. When all are through, the state is published with one store of a
// pointer, so chunks that touch several partitions appear at once.
//
//   - C1: a chunk that differs in nothing writes nothing and keeps the generation.
//   - C2: but for unlogged partitions the log is never behind what readers can see: a chunk record
//     is in the store before its generation is published.
//   - C3: each chunk record names the one before it by hash. What a recovery gives up is a lost
//     future: chunks that are known to have been, and that the state does not rest on any more. It
//     stays lost, also when it can be read again and what came instead of it cannot. The numbers of
//     its chunks are written down (gone), in the note and in each root: none of them is replayed,
//     and no root among them is begun with. What no trace was left of has no known numbers. So a
//     recovery that found anything behind the newest root ends with a chunk that carries a random
//     number: a record from before, which may become readable again, cannot name one that is behind
//     that chunk. Of several that name the same chunk before them one that a recovery wrote counts,
//     else one that leads to the chunks of the note, else the newest (by seq, which only grows).
//   - C4: observers are called in generation order, in the turn, after publication. They must not
//     commit.
//   - C5: a chunk that gives a partition another tree (a graft) is written after that tree, all of
//     it, was made durable as the store is set to.
//   - C7: a panic that leaves a turn takes nobody's commit along unsaid: each chunk that the turn
//     took on is answered, with an error unless it was published and answered before. The log may
//     be ahead of what readers see then, so no chunk is written behind that: commits are refused
//     until the database is opened again.
//
// # Bulks
//
// A Bulk is a commit that does not fit into memory. Its operations come in key order and are
// applied in batches to a tree of its own, which shares with the partition's tree what is equal.
// The nodes of each batch go to the store at once; in memory stays the path to where the next batch
// goes on. Committing makes that tree durable and hangs it into the partition in one small chunk (a
// graft), with operations on other partitions if there are any. If the partition has changed since
// the bulk began, what changed is brought into the bulk's tree first, outside of the turn; after
// bulkTries times, in it. Recovery reads the top of the tree and hangs it in again: what is below
// was durable before (C5).
//
// What a bulk changed is not listed but found: Graft.Each and DB.Diff walk two trees at once and
// pass over what is equal by hash. Replaced gets no notes of it.
//
// # Snapshots
//
// Each state (the trees of one generation) counts its snapshots. Whoever takes one loads the
// current state, counts itself there, and looks whether the state is current still; if not it takes
// itself off and begins again. A commit makes another state current first and looks at the counters
// of the one before then. So either the commit sees the counter, or the reader sees that the state
// is not current any more. States that are held, those of Options.History, and the current one
// stand in a list, which is what a collector and OldestSnapshot look at; SnapshotAt finds past
// generations in it. A state leaves the list with its last snapshot, from wherever in the list.
//
// OldestSnapshot reads the current generation first: a snapshot that it does not see took its state
// later and is of that generation or a newer one. Readers take no lock, and no commit waits for a
// reader.
//
// # Reading
//
// A Span says which keys, in which direction, and how many. Scan calls a function for each, Cursor
// hands them out one by one, Page in slices with the span of what is left. Span.After is how paging
// goes on after a key, in the same snapshot or in a later one. Count reads the paths to the bounds
// only.
//
// # The point cache
//
// An exact read in a large tree is a chain of cache misses. What such reads find is kept in a table
// beside the trees: a print of 128 bits that stands for partition and key, the record (none, if
// there was none), and the generation that was read. The table is bounded, lies off the Go heap,
// forgets what is in the way, and is empty after Open. Two keys with one print would be taken for
// one another; with the two seeds that each database draws, this is as likely as two records of one
// name.
//
// Nothing is taken out of the table when a key changes. There is a second table, of stamps: a stamp
// is the newest generation that changed any of the keys that share it.
//
//   - P1: before a generation can be seen, the stamps of the keys that it changed are at least that
//     generation. Stamps only grow.
//   - P2: an entry that was read in generation e answers for a snapshot of generation s if e <= s
//     and the key's stamp is at most e.
//
// Why P2 is right: had the key changed in a generation r with e < r <= s, then its stamp was at
// least r before r was published (P1), which was before the snapshot was taken; and stamps only
// grow. Splits, merges, trees that are loaded, trimmed or unloaded play no part, and what holds for
// a record holds for its absence. It does not matter either when and through which snapshot an
// entry was made, or how late. That another key with the same stamp changed costs a read of the
// tree.
//
// Not every change comes with a list of keys: Reset does not, nor did those before Open. So a tree
// knows the generation since which all of its changes had their stamps (tree.noted), and an entry
// that is older counts for nothing. A tree that says nothing is taken at its newest change. Where a
// tree has not changed since e its stamps need not be asked. Only versioned partitions are cached;
// side partitions have no generations.
//
// A bucket is two cache lines: a count of its changes and three entries. Whoever enters something
// makes the count odd with a compare-and-swap and even again when it is done; if the count is odd
// already it leaves it at that. A reader looks at the count before and after; if it is odd or has
// moved the reader has learnt nothing and asks the tree. Nobody waits. All words are atomic, so in
// the one order of all of them either the reader's loads lie between the two changes of the count
// by the same writer, or it sees that they do not; the processor's memory model plays no part.
//
// The table grows by doubling, when live entries have made room for others often enough, by a part
// that is as large as all before: an entry of bucket b stays there or goes to bucket b of the new
// part, as one more bit of its print says. A goroutine copies those that go before anybody looks
// there.
//
// # The log, checkpoints, recovery
//
// Open reads the root that the store's newest note names and replays the chunk records behind it:
// those of the crash tail, and those that a link reaches from there or from the note. Where a
// damaged one ends such a way before the root is reached, all of the store is searched for chunks:
// those before it are whole. A chunk counts only if it is whole and every record that it names is
// there, but for those that a collection may have taken (see "Collection"); replay stops at the
// first that does not. So the state after Open is the state after some prefix of the chunks, and
// after a process crash (kill -9) it is all of them.
//
// A power cut may leave a chunk and the values that it names, and take what those refer to
// (Options.Refs). So of a chunk behind the note's head, which no Commit of the store has made
// durable, every value must be there with all that it refers to, and so on (R1). A chunk up to the
// head was covered together with what was put before it, which is all of that; damage which strikes
// that later is met by those who come to it. A side partition is a cache of its owner's: where a
// record named there is not whole, the key counts as absent, and the replay goes on (R2).
// After a power cut it is at least what was durable: with Options.Durable
// everything that was acknowledged, otherwise what the newest checkpoint wrote. Where chunks are
// known to be lost, the generation goes on beyond every number that is still known; a number of
// which no trace is left may be given out again.
//
// A chunk that is damaged costs those behind it as well, also where they are whole: they may rest
// on it (who commits has read before), and a state without it is one that never was.
// Stats.LostChunks tells how many are known to be lost so.
//
// If the root, or the top of one of its trees, is damaged, the root before it is tried, with the
// log from there. If neither can be read, or the note that names them is gone, the newest root in
// the crash tail is; without any the database begins empty. A note that is older than the newest
// root, since the newest notes are damaged, leads to less than that root may: where the log behind
// the note does not get that far, the newest root is taken whose trees are whole. Each of these is
// logged.
//
// # Damage
//
// A node that cannot be read is a DamagedError for those who come to it, and for no others. A
// versioned partition never shows a key as absent because its leaf cannot be read:
//
//   - D1: a key that is not in a partition's tree is absent if it lies outside of all lost ranges
//     of the tree (lost.go), and unknown inside. Get, Scan, Cursor, Count and Diff are errors where
//     they would have to know.
//
//   - D2: a commit is never refused because of damage. Where it comes to a node that cannot be
//     read, that node is given up: the keys from its first one up to the next node's are lost, and
//     what the commit puts there is put. Readers alone give up nothing, since what cannot be read
//     now may be readable later.
//
//   - D3: what is deleted, and what lies under a cleared prefix, is known again. So ClearPrefix,
//     with what belongs there put in the same chunk, ends a loss for good. So does Reset.
//
//   - D4: what was at a key that is unknown is no part of a Change: one that is put there is told
//     as an insertion, and one that is deleted there is not told at all. Who keeps what observers
//     told has to look anew after a loss (Stats.Damaged grows).
//
// Beside a node that cannot be read keys may count as unknown that are not in it, as its last key
// is not known: never the other way round. A root says what is lost of its partitions; the log does
// not, so a commit that changes it makes a checkpoint before it returns. Replay gives up nodes as
// commits do. A partition whose tree cannot be read at all is lost as a whole.
//
// Side partitions have no lost ranges: a damaged one is reset, without being asked, and its owner
// fills it again.
//
// Once the store has met damage anywhere, the next checkpoint, which then comes soon and at the
// latest at Close, puts all nodes again that are in memory, and a new root. So the log before it,
// which may be damaged, is not needed any more.
//
// # Collection
//
// Roots gives a collector what the database needs. It is taken while no chunk is being applied and
// no checkpoint is being written. Records that are written later are new or put again, which the
// store tells a running cycle. Replaced hands out notes of what commits replaced.
//
// What readers see, the current trees and those of snapshots, is needed with all that it names.
// What recovery begins with, the two newest roots and the log since the older one, is needed bare:
// nodes, chunks and pieces, but none of the values that they name. For replaying all of the log
// leads to the current trees, from whichever root, and a value that is not in those has had its
// place taken by a later chunk. So a text that was replaced is garbage at once, whether a
// checkpoint was made since or not.
//
//   - C6: the chunks up to note.bare are replayed whether the values that they name are there or
//     not, and a collector frees nothing before the note says so of the newest chunk in its roots,
//     and names a head that is at least as new (Settle). Values that later chunks name are there:
//     those in the trees were reachable when the roots were taken, and the others were put after.
//
// Why this loses nothing: what the note covers is durable as the store makes things durable, so
// every state that a recovery can end in is that after a chunk no older than the newest one in the
// roots (or the log is damaged as well as cut short, and a value that is missing is reported when
// it is read). What such a state names was reachable when the roots were taken, or was put after.
// An older program, which would stop at a value that is gone, refuses the note (formatV3).
//
// # What false and zero mean
//
// Get's false means that the key is absent in that generation; damage is always an error. A Change
// with a zero Old is an insertion, with a zero New a deletion. OldestSnapshot without snapshots is
// the current generation, not zero.
//
// Lock order: checkpoint, turn, queue | note | list of states. Observers run with the turn held.
package db
