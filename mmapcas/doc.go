// Package mmapcas is a content-addressed store in memory-mapped, append-only files.
//
// A record is a kind and a payload, and its name is the hash of both. Records never change, so a
// name that was once answered is answered with the same bytes for ever, by every process and on
// every machine, or not at all.
//
// # Terms
//
//   - Record: 32 bytes of header and the payload, padded to units of 32 bytes.
//   - Segment: a file of records in the order they were appended. One appender at a time writes to
//     it.
//   - Index: hash table from name to address, off the Go heap (package index); saved now and then
//     (saved.go), else rebuilt at opening.
//   - Manifest: a log of statements "everything up to these lengths is complete", each with a note
//     of the caller.
//   - Tail: what lies beyond the lengths of the newest manifest record.
//   - Cycle: one run of the caller's collector over the store.
//
// # Putting
//
// The payload and the header without its first word, then the first word, which publishes the
// record on disk, then the index entry, which publishes it to readers, then the segment's length.
// Of two goroutines that put the same record one enters it (S1); the other finds the winner's
// record in the index, and takes its bytes back.
//
// A record can be found before its segment's length covers it. Commit and BeginCycle, which speak
// about lengths, first take all appenders, and so wait for puts that are between the two steps.
//
// A put that finds its record in the store checks the record found. If it is damaged, its entry is
// dropped and the record is written again.
//
// # Committing
//
// A commit makes a statement: up to these lengths everything is complete, and this is the note.
// With SyncNone it is a manifest record, and no more. Otherwise the statement is to be durable with
// all that it covers, in one flush of the device where that can be: it is put into one of the
// segments that are synced (statement.go), with a proof, and the manifest has it afterwards,
// unsynced.
//
//   - D1: a proof is a digest of the names of all records that the statement covers and that were
//     not known to be durable before, and the sequence number of the newest statement that was.
//
//   - D2: a statement comes into the manifest only when all that it covers is synced. So what the
//     manifest says needs no proof, whether it was synced or not.
//
//   - D3: a commit returns nil only when all parts of its statement are synced. So when a statement
//     tells of one before it (D1), that one and all it covers are durable.
//
// An Open looks for statements in the tails that are newer than the manifest's. Only of the newest
// it is unknown whether its commit came to its end: it counts if each part of it is there, records
// whole and names as the digest says. Otherwise the statement counts that it names as the one
// before, for which its existence is proof enough.
//
// A flush costs more than the device takes if the file system has to write its journal, too: after
// disk space was taken, and when bytes reach space for the first time. So synced stores take space
// by the MiB, and zeros are written over it before records are (package arena, "Pages of files"):
// the first flush after that writes the journal, and those up to the next MiB do not.
//
// Why a torn group is not taken for whole: each byte of its parts belongs to a record that passes
// both checksums, and these have the names that were there, in that order; old bytes at the same
// place would have to be the same records. Why a group once acknowledged is not given up: by D3 it
// is on the disk, so it is proven, or a later one names it.
//
// A statement that could not be proven is given up for good: the Open that gives it up makes it a
// record like others, so that what is put later cannot complete it, and numbers its own statements
// beyond all that an earlier process may have made, seen or not.
//
// The first statement of a process, one that covers a segment which no synced manifest record
// lists, and one that covers much, where the proof would take longer than a flush, is made as ever:
// segments synced, then the manifest written and synced. So is one after a failed sync. A segment
// that cannot be read at Open, if the manifest does not list it, has nothing in it that a commit
// acknowledged.
//
// # Reading
//
// View and Get pin an epoch, probe the index, check both checksums of the record and hand out its
// bytes. The checksum of a payload is computed at every read: what was right once may be read from
// a failing disk again later, since the pages are the system's. A record that fails is dropped from
// the index and reported as *CorruptError: the caller computes it again and puts it again. Nothing
// that fails a check is ever handed out.
//
// A read waits for memory twice, for the bucket and for the record, and a processor waits for as
// many reads at once as fit on its list of pending instructions. So the way to a record that is
// simply there is short (Index.Glance), and what a call does around it counts: Reader.Visit does
// that once for many reads, Reader.View for each, and Store.View has to find a Reader first.
//
// A read of mapped memory brings in up to 64 KiB around it. While memory is short (SetFrugal)
// nobody reads so who looks at records in no order: names are compared, and records copied, by a
// call that reads the file (frugal.go; package arena, "While memory is short"), 0.5 us for each of
// the two or three that a read takes. So View hands out a copy, which ends with it as a view does,
// and what is not whole in the copy is looked at in place before it is said to be damaged. Walks
// over segments look in place, and give pages back each MiB; appenders do so behind themselves.
// Readers that began before memory was short, and who reads damaged records, bring in pages that
// nobody gives back but DropPages.
//
// # What survives
//
// After the process was killed: everything that was put.
//
// After a power cut, with SyncGroup or SyncEvery: everything put before a Commit that returned nil;
// with SyncEvery also every record whose Put returned nil. Of the rest any part may be there; what
// is there is whole. With SyncNone nothing is certain except that nothing wrong is ever answered.
//
// A failed sync is not tried again on its file: the system may have dropped the pages it could not
// write, so that could report a success that never was. The segment is sealed, and the Commit
// fails. The next one copies what is alive in it, which is still in memory, to fresh segments, and
// goes on with these (rescue.go), unless a collection is under way. If a record is found not to be
// in memory any more, or if the sync was of the manifest or of the directory, the failure is final:
// every later Commit fails with the first error, the store stays readable, and the next Open finds
// out what is there.
//
// # Opening
//
// Up to the manifest's lengths the headers are walked, each protected by a checksum of its own; a
// damaged one is reported and the walk finds the next record that is whole. Beyond these lengths
// records count as long as both checksums hold. One that fails there costs itself if a whole one
// follows: the bytes between the two are made a record of their own, under a name that no caller
// has. Behind the last whole record the segment is cleared before anything is appended, so that old
// bytes never look like records.
//
// A walk that has lost its way may take it up again inside the payload of a record whose header is
// damaged, where bytes may be made up to look like a record. From there on a record counts if its
// name is the hash of its content.
//
// There may be several copies of a record: one was damaged and put again, or a collection ended
// between copy and removal. The first that is whole counts, in the order manifest before tail and
// then by segment and place; so it is wherever two are met: at opening, when the table of a shard
// is read, in a sweep, in Repair.
//
// A segment file whose number is below the manifest's next number but which the manifest does not
// list was dropped by a collection that crashed before it could remove the file; Open removes it.
//
// # Collecting
//
// The caller knows what records refer to and which are roots; this package knows where they are.
// BeginCycle, Mark for everything reachable, Sweep until done.
//
//   - G0: the caller of a put has put, or holds live, everything the record refers to. "Has put"
//     includes a put that found the record there: fresh=false says nothing about the records it
//     refers to. "Holds live" means reachable from a root that this cycle marks.
//
//   - G1: a record put while a cycle runs survives the cycle (it is born black). So does an older
//     one that was put again meanwhile (shaded).
//
//   - G2: the handshake. BeginCycle says nothing about puts that returned before it. Whoever calls
//     it must, before taking the roots, wait until every writer that was at work then has either
//     linked its records under a root or forgotten them.
//
//   - G3: an unmarked record is condemned in one atomic step with the test that it is unmarked;
//     after that a put of the same content writes a new copy. So a put either saves the record or
//     replaces it.
//
//   - G4: a segment file goes only after everything marked in it was copied, the copies are
//     durable, a manifest record without it is durable, and two epochs have passed.
//
//   - G5: a pinned record (Pin) is shaded in every cycle, so it survives it, and so does what the
//     caller finds it to refer to. Pins are the process's own.
//
//   - G6: a record that a put has marked is in Shaded before anybody who has seen the mark can find
//     Shaded empty. So once nothing is left to be traced and Shaded is empty, all that is marked
//     has been traced: what is reachable is told from what is not, and a caller that marks more
//     records then, without tracing them, cannot cut a way off.
//
// Together: a record reachable from a root at any moment is readable at that moment, and after a
// crash.
//
// Records born black carry no mark of their own, so Mark says first for each of them once as well:
// what they refer to must be traced like everything else.
//
// Which segments are emptied is decided when everything is marked: those with the largest share of
// garbage, until what the others hold is a tenth of what is live. After a cycle the store is
// therefore no larger than 1.1 times what is live, and what was put during the cycle, unless the
// disk was full. Open segments count like others: they are taken from the appenders, sealed, and
// emptied with all that was put there since.
//
// While a cycle runs, emptied segments lie beside the copies: one, or as many as an eighth of what
// is live, 8 at most. Before they go, what the newest commit covers is synced, with SyncNone too,
// since what goes may be what an older note needs.
//
// A full disk is a state to get out of: a reserve of disk space (reserve.go) is there for the small
// records that deleting takes, and for the copies of a sweep.
//
// # Compressing
//
// Put compresses a payload of a kind in Options.Compress that has 512 bytes to 8 MiB, if that saves
// an eighth, before it takes a pin. The record's name is that of the payload; a flag in its header
// says that what is stored, and has the checksum, is a frame of zstd. Collections move it as it is.
//
// A read finds it as any other and unpacks it into memory of the reader, after it has copied what
// is stored and compared the checksum once more: so a view of it is not of mapped memory. Nothing
// of it is kept. What does not unpack to the length that is stored before it is damage.
//
// # Disk space
//
// Files are given disk space ahead of their appender, an eighth of what they have, 64 KiB at least
// and 16 MiB at most; in a store that is synced as much again as they have, up to 1 MiB. Close cuts
// them at the page in which their last record ends; a process that is killed leaves that to the
// next one.
//
// Dropping is not recorded on disk. Records that a sweep dropped from the index without removing
// their segment come back as unmarked records when the store is opened; the next cycle drops them
// again.
//
// # Invariants
//
//   - S0 to S2 are the index's (package index): how slots change, that a name has one entry, where
//     an entry leads.
//   - S3: the record's first word is stored after all its other bytes and before the index entry.
//   - S4: the manifest never claims bytes that were not synced before (with SyncNone: not stored
//     before).
//   - S5: every use of mapped bytes lies inside an epoch pin, and inside arena.Confine or what
//     stands for it. Inside of that pin they were found in the index, or their segment in the list
//     of segments, or not to be retired (mapped). Who holds commitMu needs no pin for a segment in
//     the list that has records: only its holder retires one. A sweep has its segments to itself.
//
// # Lock order
//
// Cycle.sweepMu, commitMu, the appenders, segMu, then one of Cycle.mu, a segment's syncMu, a
// shard's mu, those of pins and of the block cache. The epoch domain's Collect, which runs free
// functions, is called without segMu, since they take that one (trim), and no other of them.
//
// # Files
//
// Each rests on those before it, but for a few names (fuzz/layout counts them):
//
//	bytes       format.go manifest.go
//	words       errors.go options.go
//	tools       lease.go
//	state       marks.go segment.go elders.go store.go reserve.go
//	reading     damage.go frugal.go lookup.go reader.go read.go scan.go
//	writing     cycle.go files.go sync.go spares.go put.go pin.go
//	looking     verify.go iterate.go stats.go memory.go
//	committing  saved.go saving.go rescue.go statement.go commit.go
//	collecting  short.go colour.go plan.go sweep.go
//	opening     superblock.go recover.go close.go open.go repair.go
//
// # Trust
//
// The store is for data of one trust domain. A record constructed to collide in 128 bits of BLAKE3
// takes 2^64 work and would be answered in place of the other.
package mmapcas
