// Package epoch decides when memory that readers may still look at can be given back.
//
// Go's collector frees heap objects by itself. This package is for what it cannot see: mapped
// segments to unmap and unlink, index tables off the heap, pooled blocks to hand out again. Readers
// announce themselves, writers unlink an object and then retire it, and its free function runs once
// no reader that could have found the object is still inside.
//
// # Terms
//
// The global epoch is a counter that only grows. A slot is one reader's announcement: a word that is
// zero (outside) or epoch<<1|1 (inside since that epoch). Pinned means inside. A retired object
// carries the epoch that was current when it was retired. The epoch is a clock of microseconds; it
// has nothing to do with the generations of the database.
//
// # Slots
//
// A [Participant] owns one slot and is used by one thread at a time: a store enters, a store leaves,
// and nesting costs a plain counter. [Domain.Pin] serves everybody else: the address of the caller's
// stack picks a slot, a compare-and-swap takes it, and the [Guard] remembers which one it was, so a
// goroutine that moves to another thread or gets another stack in between stays correct. When the
// probed slots are taken, overflow slots are chained on and kept. Slots are 128 bytes apart, because
// the prefetcher of the processors we run on pulls cache lines in pairs.
//
// # Safety
//
// Four steps, all sequentially consistent atomics, hence in one total order:
//
//	E1  a reader stores its slot           W1  a writer unlinks the object
//	E2  the reader loads a shared pointer  W2  the writer loads the global epoch: the stamp
//	                                       W3  somebody scans the slots and advances the epoch
//
// Let G be the global epoch at E1. The slot may hold an older epoch, as the reader loaded it
// earlier; that only makes it hold back more.
//
//   - E-advance: the epoch moves from g to g+1 by a compare-and-swap, after a scan that started
//     when the epoch was g already and found every active slot at g. A scan from G+1 starts after
//     E1 and sees a slot at G or less. So while the reader stays inside the epoch is at most G+1.
//   - E-find: if W1 precedes E2's load, the reader does not find the object. If it finds it, W1
//     comes after E1, so the stamp of W2 is at least G.
//   - E-free: an object with stamp s is freed when the epoch is at least s+2 >= G+2. With E-advance,
//     the reader has left by then.
//
// W2 must come after W1: call [Domain.Retire] after the last store that made the object
// unreachable, never before. A slot that joins late (a new participant, an overflow slot) is
// published before its first E1, and a scan loads the lists after it has loaded g; so the argument
// for E-advance holds for it too.
//
// The free function runs after the readers' last use in the sense of the memory model as well: a
// reader's leaving store is seen by the scan, the scan by the advance, the advance by [Domain.Collect].
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
// advanced meanwhile. Either way there is nothing to repeat at once. A reader that never leaves stops
// all freeing: [Domain.Stalled] names it.
package epoch
