// Package epoch compares ways to keep an object alive while it is read, and to learn when it no
// longer is.
//
// # Cases
//
//	pin        one thread: enter, load the shared pointer, read the object, leave
//	pin-2T     two threads do so at once; wall time per pin of either
//	pin-any    as pin, for a goroutine that owns nothing: ours is a guard instead of a participant
//	repin      one thread that stays inside and says now and then that it holds nothing
//	grace      one thread: replace the object with no reader inside, and learn that the old one can go
//	retire     replace the object while a worker reads it in tasks of 1 ms, and wait until the old one can go
//
// The first five are wall time for each operation. retire gives percentiles of single objects, in
// microseconds.
//
// # What is alike
//
// Every contender has its own copy of the reading loop, so calls are direct. All read the same
// object through the same kind of pointer, and whoever frees it checks that no reader is at it.
//
// In retire one goroutine reads: it enters, computes for a millisecond, leaves, and enters again at
// once. Another replaces the object every half a millisecond, and looks every 100 us what can go,
// if that is for it to do. It has a CPU to itself and spins between its looks, because a timer of
// Go that is shorter than a millisecond takes one beside a busy goroutine.
//
// # Caveats
//
// A reference count has no grace period to wait for: the last reader lets go of the object. Its
// cost is at the readers, all of whom write to one cache line. A mutex lets one reader in at a time
// and is here to show what that costs. With a lock, whoever replaces an object waits for the
// readers, and readers wait for it; with ours nobody does.
//
// "xchg-slot" is the floor for a slot made of atomic stores alone, without nesting, domain or scan;
// "load" that of reading a pointer with no protection at all, which is what Go code does that
// leaves everything to the garbage collector.
package epoch
