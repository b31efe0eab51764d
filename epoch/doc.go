// Package epoch decides when memory that readers may still look at can be given back.
//
// Go's collector frees heap objects by itself. This package is for what it cannot see: mapped
// segments to unmap and unlink, index tables off the heap, pooled blocks to hand out again. Readers
// announce themselves, writers unlink an object and then retire it, and its free function runs once
// no reader that could have found the object is still inside.
//
// # Terms
//
// The global epoch is a counter that only grows. A slot is one reader's announcement: a word that
// is zero (outside) or epoch<<1|1 (inside since that epoch). Pinned means inside. A retired object
// carries the epoch that was current when it was retired. The epoch is a clock of microseconds; it
// has nothing to do with the generations of the database.
//
// # Slots
//
// A [Participant] owns one slot and is used by one thread at a time: a store enters, a store
// leaves, and nesting costs a plain counter. [Domain.Pin] serves everybody else: the address of the
// caller's stack picks a slot, a compare-and-swap takes it, and the [Guard] remembers which one it
// was, so a goroutine that moves to another thread or gets another stack in between stays correct.
// When the probed slots are taken, overflow slots are chained on and kept. Slots are 128 bytes
// apart, because the prefetcher of the processors we run on pulls cache lines in pairs.
//
// # Safety
//
// The steps, each atomic (entering may be less than that; see "Fences"):
//
//	                                       W1  a writer unlinks the object
//	R1  a reader stores its slot           W2  the writer loads the global epoch: the stamp
//	R2  the reader loads a shared pointer  W3  somebody loads the epoch, scans the slots and advances
//
// The word of R1 is an epoch that the reader loaded before. An object with stamp s is freed when
// the epoch is at least s+2. Let F be the scan whose advance took the epoch from s+1 to s+2. It
// loaded the epoch, s+1, at its start, so after W2 and W1.
//
//   - E-see: F sees what R1 stored, or R2 comes after W1. For if F's load of the slot misses R1, it
//     precedes R1 and thus R2, and W1 precedes F.
//   - E-hold: if F sees the slot pinned, it is in epoch s+1, or F would not have advanced. That
//     epoch was loaded after W2 had loaded s, and before R2; so R2 comes after W1.
//   - E-free: in both cases the reader does not find the object, unless it has left before F looked
//     at its slot.
//
// W2 must come after W1: call [Domain.Retire] after the last store that made the object
// unreachable, never before. A slot that joins late (a new participant, an overflow slot) is
// published before its first R2, and a scan loads the lists after it has loaded the epoch; so E-see
// holds for a slot that F does not know.
//
// The free function runs after the readers' last use in the sense of the memory model as well: a
// reader's leaving store is seen by the scan, the scan by the advance, the advance by
// [Domain.Collect].
//
// # Fences
//
// An atomic store is what makes R1 precede R2 for everybody; it costs as much as all the rest of a
// pin, on some processors several times as much, and readers are many while scans are few. So on
// amd64 under Linux a participant's R1 is a plain store, which may be on its way while R2 runs, and
// the scan has every thread of the process pass a fence (membarrier) between its load of the epoch
// and its look at the slots. The kernel needs to be told beforehand and may refuse; until it has
// agreed, R1 is atomic. E-see then reads:
//
//   - F had the fence: on the reader's thread it lies after R1, and F sees the slot; or before R1
//     and R2, and R2 comes after W1. A goroutine that moves to another thread passes through the
//     locked instructions of the Go scheduler.
//   - F was not told that readers do without: a reader that was told, was told after F loaded the
//     epoch. It looks (affinity.RemoteFences) before R2, which thus comes after W1.
//
// Leaving is a plain store on amd64 everywhere: the processor lets a store become visible only
// after the loads and stores before it. Under the race detector and on other processors all of
// these are atomic stores.
//
// # Invariants
//
//   - E0: the global epoch only grows, one step at a time.
//   - E1: a retired object is freed exactly once, and not before the epoch is two past its stamp.
//   - E2: stamps in one retire list never decrease, so the free ones are a prefix.
//   - E3: a participant's slot is written only by the thread that owns it.
//   - E4: free functions run with no lock of this package held; they may retire more.
//
// # What false means
//
// [Domain.TryAdvance] says false when some slot is still in an older epoch, or when another call
// advanced meanwhile. Either way there is nothing to repeat at once. A reader that never leaves
// stops all freeing: [Domain.Stalled] names it.
package epoch
