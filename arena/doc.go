// Package arena gives out memory that never moves: append-only segments, mapped at fixed places of
// one reservation of address space, so that a place in it is a number which stays true for as long
// as the segment lives.
//
// # Terms
//
//   - Unit: 32 bytes. Everything is aligned to it and counted in it.
//   - Addr: a place, in units from the start of the reservation. It has AddrBits bits. Addr 0 is
//     nil.
//   - Slot: one stride of SegmentBytes in the reservation. A segment takes one slot, or several in
//     a row when it is larger.
//   - Length: how many bytes at the start of a segment are committed, that is, final.
//   - Ready: how many bytes of a segment have disk space and page tables; never less than Length.
//
// # Two forms of translation
//
// In the reserved form (linux, darwin) the address of a byte is base + offset: one addition. In the
// table form the slot's segment is looked up first. The table form serves systems without mapping
// at a chosen place, where segments come from mmap-go, and memory on Go's heap, which is what the
// race detector can see. Everything above is the same code over both.
//
// # Pages of files
//
// The first store into a page of a mapped file is a fault, in which the file system finds a page,
// clears it, and notes that it is dirty: 3.5 us a page on Linux 6.18 with ext4, where a record of
// 128 bytes takes a 25th of a page. An Appender has that done ahead, for up to 1 MiB at once: it
// writes zeros by one call, for which the file system takes few large pages, and has the page
// tables set up then: 0.6 us a page for both.
//
// Why the write changes nothing: it begins at the page after all that was handed out or committed,
// so all of it is the appender's and zero (A1), and its disk space was allocated (A2). It ends
// inside the file as its size was found just before. If another program has cut the file nothing is
// written, so the store behind the end faults as ever.
//
// A large page is dirty as a whole: a sync after one store into it writes all of it. Files that are
// synced after little (Spec.Piece) get smaller ones, by a call for each. What was written ahead
// and synced once has its place on the disk, so that later syncs of it write bytes alone, and no
// journal of the file system.
//
// A sync takes back the leave to store into each page that it writes, and has every processor
// forget that page, one page after the other. Segment.Flush, before it, has all of them forgotten
// at once, which is safe at any time: the bytes are the file's, and whoever looks or stores there
// next gets the page back by a fault. For the same reason the page tables of such a segment are set
// up for 64 KiB ahead and no more.
//
// # While memory is short
//
// A load from a page of a mapped file brings in up to 64 KiB around it. These pages stay until
// DropPages: a reader of random records fills a GiB in 20 ms, between two looks of the arena's
// owner at what is held. A frugal arena (SetFrugal) reads without, so that what its files have in
// memory has a bound, however quick readers are and however late the owner looks:
//
//   - F1: Who reads takes a copy (Arena.Read), by a call of the system that leaves the mapping
//     alone. Where that fails the reader looks in place, so that a fault is found out about as
//     ever.
//   - F2: An appender that makes pages ready for more gives back those behind it, but for the last
//     few, which are read in place: what was just written is asked for most. What a segment has so
//     is a constant, which SetFrugal is told.
//   - F3: A walk over a segment, which looks in place all the same, gives pages back as it goes
//     (DropPages).
//
// Pages may go at any time, without an agreement among threads: they are the file's, what was
// stored into them included, and a reader in the middle of one gets it back by a fault. Memory that
// no file has (on Go's heap, of another owner) is copied by Read, and stays.
//
// # Who owns what
//
// One Appender at a time owns an open segment's bytes from Length on. Reserve hands out a range,
// then either Commit makes it part of the segment for ever or Rollback takes it back and clears it.
// Bytes below Length are never written again, so readers need no lock; they need a reason to
// believe that the segment is still mapped, which is a pin of the epoch domain that Retire goes
// through, and inside of that pin either an address that is in use or Segment.Stays.
//
// # Invariants
//
//   - A0: a committed byte never changes.
//   - A1: bytes at or above Length are zero unless an appender holds them reserved; after a crash
//     whoever maps the segment again re-establishes this before it appends.
//   - A2: a byte is touched only after its disk space was allocated. A sparse file on a full disk
//     would answer the first store with a signal instead of an error.
//   - A3: a mapped file is never truncated.
//   - A4: a segment's slots are given out again only after it was unmapped, and it is unmapped only
//     two epochs after Retire.
//   - A5: mapped memory holds offsets and bytes, never Go pointers: the collector does not look
//     there.
//
// # What an error means
//
// Reserve fails with ErrFull when the rest of the segment is too small: take another segment. Any
// other error is the operating system's and comes wrapped, so that errors.Is(err, syscall.ENOSPC)
// and the like work; the segment is as it was before the call.
//
// A fault on mapped memory (a disk that cannot read a page, a file truncated by somebody else) is
// turned into a *FaultError for code that runs inside Confine. Outside Confine it kills the
// process.
package arena
