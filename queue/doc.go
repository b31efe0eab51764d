// Package queue provides what workers need to hand each other work without locks: bounded rings, a
// set of 31 priority lanes that is polled with one load, and a way to sleep when there is nothing
// to do.
//
//	MPMC[T]    ring for any number of producers and consumers; TryPopSC for a single consumer
//	SPSC[T]    ring for one producer and one consumer
//	Lanes[T]   31 FIFO lanes behind an occupancy word; pushes never wait, bounded pushes give back-pressure
//	Parker     puts one goroutine to sleep until it is unparked; a futex on Linux, else a ChanParker
//	Idle       puts workers to sleep and wakes exactly as many as the work needs
//
// sync/atomic is sequentially consistent: all atomic operations of a program happen in one total
// order, and one that sees the effect of another happens after it. The arguments below use nothing
// else. Letters with numbers name the invariants; comments and panics cite them. The build tag
// check turns the ownership rules into panics.
//
// # Ring
//
// Two counters that only grow hand out tickets: tail to producers, head to consumers. Ticket t
// belongs to cell t&mask. Its lap is t&^mask, and the cell's turn says who may touch the cell's
// value:
//
//	turn == lap        free: the producer that claims push ticket t owns val
//	turn == lap+1      full: the consumer that claims pop ticket t owns val
//	turn == lap+cap    free for the next lap
//
// A producer claims ticket t by moving tail from t to t+1 with a compare-and-swap, after it saw
// turn == lap; it then stores val, and stores turn = lap+1. A consumer does the same with head,
// lap+1 and lap+cap. A zero cell is a free cell of lap 0, so a new ring needs no initialisation.
//
//   - R0: the capacity is a power of two, at least 2. With one cell, lap+1 and lap+cap would be the
//     same.
//   - R1: tail-head is in [0, cap], as a wrapped distance.
//   - R2: a cell's turn only grows (wrapping), and each store of it hands val to the other side.
//   - R3: val is touched only by the owner, so it is plain memory, and the race detector checks
//     this claim. The owner's store of turn is seen by the load with which the next owner's claim
//     begins.
//   - R4: a cell seen free (or full) for a ticket stays so until that ticket is claimed. Tickets
//     are claimed in order, so if tail is still t, all the cells that were seen free from t on are
//     free, and one compare-and-swap may claim them together. PushN and PopN rest on this; they
//     never wait for a neighbour to finish.
//   - R5: a claim is a sequentially consistent step, a turn need not be. Of a turn's store, R3 asks
//     only that what its owner did to val comes before it, and of its load, that what the next
//     owner does comes after. So on amd64 the store is a plain one; see turn_tso.go. It may then
//     become visible a moment after the call has returned, but not after anything that the caller
//     does to tell another thread. Whoever draws conclusions from two words, having written one
//     before reading the other, must look at the counters (Empty, Len), which claims move.
//   - R6: a push calls nothing between claim and turn, and waits for no page there. In the first
//     lap of a ring the kernel may not have given the pages of its cells yet, so pushes touch them
//     before they claim: by adding 0 to a turn, which anybody may do, as it changes nothing that an
//     owner stores.
//
// Counters and turns may wrap: all comparisons are of differences. Whoever loses a ticket to
// another pauses before it tries again, longer each time: the winner then does many operations
// while it has the cache lines. Two cores that do nothing but push and pop on one ring get four
// times as much done as when they retry at once.
//
// TryPopSC moves head with an atomic store, before it frees the cell. It may be mixed with any
// pushes, but no other pop may run at the same time; check builds panic when one does.
//
// In memory, cells of 16 bytes would put four tickets on one cache line, and where one thread
// pushes what another one pops at once, each would take the line from the other for every item. So
// the cells of a ring of up to 1024 places are a line and a cell apart. Larger rings, a lane's
// among them, pack their cells: they would cost five times the memory, and batches, which fill
// whole lines, are quicker there. A batch fills or frees its cells from the last to the first. The
// other side waits for the first one, and finds all of them once it looks past it, instead of
// taking line after line from an owner who is still at work.
//
// # SPSC ring
//
// The same two counters without turns: with one thread on each side, the counters alone say who
// owns a place.
//
//   - S1: place t&mask belongs to the consumer if head <= t < tail, and to the producer otherwise.
//     The store of tail hands places to the consumer, the store of head hands them back.
//   - S2: each side remembers the other's counter and looks again only when the remembered one
//     leaves it nothing to do. Counters only grow, so a remembered one errs on the side of "full"
//     and "empty", and the second look corrects it: false is exact at the moment of that look.
//
// # Occupancy
//
// Bit i of the occupancy word is set if lane i may hold items. Popping takes the lowest set bit of
// the mask it is given, and clears the bit only when it finds the lane empty. Pusher and popper
// cross safely because each writes its own word before it reads the other's:
//
//	push                                 pop that found the lane empty
//	O1  make the item visible            O3  clear the bit
//	O2  load the bit; set it if clear    O4  look at the lane again; if it is not empty, set the bit and pop
//
// If O2 sees the bit still set, it precedes O3 in the total order; then O1 precedes O4, and O4 sees
// the item. If O2 sees it clear, it sets it. Without O4 items are lost: the pusher relies on a bit
// that the popper is about to clear. "Visible" means claimed: Empty compares the counters, so a
// push that has its ticket and has not yet filled its cell makes O4 set the bit. That bit is set
// for a lane from which nothing can be popped yet; this costs a turn of the worker's loop and no
// more.
//
//   - O5: whenever no push to a lane is under way and no pop is between O3 and O4, a non-empty lane
//     has its bit set.
//   - O6: between O3 and O4 the bit of a non-empty lane may be clear, and the one popper that will
//     see to it goes on to run what it popped. A worker must not go to sleep on the word alone,
//     therefore, or finished items may wait for that popper although others sleep. Any looks at the
//     lanes themselves.
//
// Priority is as of the moment of the load: an item that arrives on a more urgent lane during a Pop
// is found by the next.
//
// # Overflow
//
// A worker that waited for room in a lane could be the very one that makes room. So lanes are
// unbounded for Push: what does not fit into the ring goes to a list under the lane's lock. From
// then on all pushes go to the list, until it has drained; pops take from the ring until it is
// empty and then from the list, moving up to 64 items on to the ring while they have the lock.
//
//   - V1: the counter of the list is stored after what it describes: after an item is in the list,
//     and after an item that left the list is in the ring. Whoever reads 0 may push to the ring,
//     and lands behind everything that was in the list; an emptiness check that reads the counter
//     and then the ring misses no item on its way.
//   - V2: a pop takes from the list only if the ring is empty by its counters. That its TryPop says
//     false is not enough: an unfinished push at the head of the ring may hide finished ones, which
//     are older than the list.
//
// So the order of a lane is that of a queue. A pusher that read 0, and then claims a ticket of the
// ring when the list holds items again, is the one case that looks wrong: but all those items were
// pushed after its read, so its push overlaps theirs and may be ordered before them.
//
// # Room
//
// PushWait waits in a crowd, one per lane, when a bounded push finds no room. Every pop ends with a
// look at the crowded word, and calls waiters once the lane has drained to half its capacity.
//
//   - W1: a waiter's channel is sent to only by whoever takes it off the crowd, under the lane's
//     lock; it goes back on only after it has received. So a send finds the channel empty.
//   - W2: a waiter joins the crowd and sets the crowded bit before it tries once more, and sleeps
//     only if the lane is then full by its counters, which is what a bounded push means by full
//     (Q3).
//   - W3: a pop claims its place, which moves a counter, before it loads the crowded bit. So either
//     the pop sees the waiter, or the waiter sees the room. The pop that leaves a lane empty always
//     calls, so nobody waits for an empty lane.
//   - W4: a call is never lost: a waiter that leaves without using it passes it on.
//
// # Parker
//
// One word, and the moves that are allowed:
//
//	from      to        by           meaning
//	running   asleep    owner        Park found no token
//	running   token     anybody      Unpark before Park; the next Park returns at once
//	asleep    token     anybody      Unpark, which must now wake the owner
//	asleep    running   owner        the deadline has passed
//	token     running   owner        Park returns true
//	token     token     anybody      Unpark once more; the two are one
//
// The kernel sleeps only if the word still says asleep when it looks, and a wake comes after the
// word has changed: so no wake is missed. The channel twin remembers one wake in its buffer, to the
// same end.
//
//   - P1: at most one token exists. Posting and taking are swaps, so the owner synchronises with
//     every poster.
//   - P2: only the owner leaves token.
//   - P3: wake-ups may come late, or without a token (a wake whose sleep ended at its deadline; a
//     signal). The owner believes only the word.
//
// # Idle
//
// One bit per worker that is asleep or about to be, and one count of searchers: workers that look
// for work, and tokens on their way to sleepers who will. While the count is not zero, a push wakes
// nobody; the searchers answer for it.
//
//	push (Notify)                             worker without work (Rest)
//	   make the work visible                     count as a searcher; spin while there is no work
//	   no idle bit: done                         set my idle bit
//	   searchers: done                           leave the count
//	   count 0 -> 1; lost it: done               look for work
//	   clear an idle bit                         none: park
//	   post that worker's token                  some: clear my bit; somebody else did: take the token
//
// Own work, which only one worker can take, wakes just that worker, by the same claim of its bit
// (Wake).
//
//   - I1: a worker looks for work after it has set its bit and left the count. A push that wakes
//     nobody because it saw the worker as a searcher thus precedes that look; and so does a push
//     that saw no bit. Looking before leaving the count loses a push in between. The bit comes
//     before the count only to save a wake-up: otherwise a push in between would see neither, and
//     wake somebody else.
//   - I2: a token is posted only by whoever cleared the worker's idle bit, exactly one for each
//     clear, and the worker takes it before it goes on. A token posted without the claim would end
//     a later sleep with the bit still set; the next push would then wake a worker that is awake,
//     and the count would never come right again.
//   - I3: whoever takes the last searcher off the count looks for shared work afterwards, and
//     notifies again if there is some. Otherwise a burst of pushes during one search would wake one
//     worker only. A worker that sees work in its last look before sleeping counts as a searcher
//     again, for the same reason.
//   - I4: Notify that counted itself as a searcher and found nobody to wake starts over, because
//     somebody may have relied on the count while a worker went to sleep.
//
// # Overtaking
//
// A stopped push hides what is behind it in its lane (Q1). In the lanes named to Lanes.Overtake it
// does so for some microseconds only: when pops have been denied a ticket for longer than
// overtakeAfter, the next one gives up on it and goes on behind it. The push finds out when it goes
// on, and pushes its item once more.
//
//	push                                      pop that has been denied ticket h for long
//	T1  claim t; store val, turn = full       T4  add 1 to the alarms
//	T2  load the alarms; if 0, done           T5  fence
//	T3  under the lock: if t is late, take    T6  under the lock: if h is claimed and its turn still
//	    val back, free the cell for the           says free, move head from h to h+1 with a
//	    next lap, take 1 off the alarms,          compare-and-swap; if that was done, h is late,
//	    push val                                  otherwise take 1 off the alarms
//
// The compare-and-swap of head decides a ticket, as it does for every pop: the pop that moves head
// past it has it, to take its item or to give it up. So pops look at nothing new, and pushes load
// one word more.
//
//   - T7: a push whose ticket is given up learns of it. T1 comes before T2 and T4 before T6, a
//     crossing: if T6 sees the turn free, T2 sees an alarm. With turns that are stored atomically
//     that is all. A plain store (R5) may be on its way during T2; so T5 has every thread of the
//     process pass a fence (membarrier). On the pusher's thread the fence lies after T1, and T6
//     sees the item; or before it, and T2 comes after T4.
//   - T8: there is an alarm as long as a pop decides or a ticket is late: a late ticket keeps the 1
//     of its pop until its push has taken notice. Meanwhile every push to that lane takes the lock
//     for a moment, and finds nothing.
//   - T9: the cell of a late ticket belongs to its push, as before. Its turn stays behind, so a
//     push that comes to it one lap later finds the ring full, which a lane gets round (Q3), and no
//     pop can come to it. The push frees it as a pop would have done.
//   - T10: under the lock pushes need no T2, because T6 needs the lock.
//   - T11: items of one push do not change places: a lane that overtakes is given batches one by
//     one. An item that is pushed again comes behind others, whose pushes all overlap its own,
//     which has not returned; so the order of the lane is still that of a queue.
//
// The bound is overtakeAfter and a fence, 0.3 to 10 us, for each stopped thread that is met, as
// long as a pop looks: of a push that sleeps for 5 ms the item behind came out after 27 us, 50 at
// most in 100 tries (BenchmarkStoppedPush). A thread that is stopped while it holds the lane's lock
// is not overtaken: in the list, in T3, in T6. Pops that find the lock taken do not wait to decide.
// Without a fence to ask for where T5 needs one (amd64 but under Linux, and where the kernel
// refuses), nothing is overtaken.
//
// # What false means
//
// MPMC.TryPush may say false although the ring is not full: while a pop of the previous lap is
// between its claim and its release of the very next cell, the ring is "full, or about to have
// room" behind it, whatever other pops have finished. TryPop may say false while the push of the
// very next ticket has not filled its cell, even if later pushes have returned. In both cases some
// other call was under way during this one, where a call counts as under way until its turn is
// visible (R5): a push that happens before a TryPop, in the sense of the Go memory model, is always
// seen. SPSC's true and false are exact. A batch may be cut short for the same reasons, and, in
// both rings, because what the other side did meanwhile came too late for it.
//
// Lanes.Pop looks at one lane after the other, so its false is about several moments; see there.
// Lanes.TryPushBounded says ErrFull only if the lane's counters do. Parker.Park says false only at
// its deadline, and then has taken no token.
//
// # A stopped thread
//
// Between the claim of a ticket and the store of the turn lies the claim window. It takes a few
// nanoseconds, unless the thread loses its processor there, or the goroutine its thread. Others do
// not wait in it for anything, but they see what it leaves undone:
//
//   - Q1: a thread that is stopped inside a push delays the items behind it in its lane, those of
//     the ring and those of the list, by as long as it is stopped, or by microseconds if the lane
//     overtakes (below). Pushes succeed meanwhile, and Any says true.
//   - Q2: it delays nothing in any other lane. Pop and PopN pass over a lane that denies its items,
//     at the price of three loads, and leave its bit set.
//   - Q3: a thread that is stopped inside a pop holds one cell. A ring of capacity n takes n-1
//     pushes more and then refuses, even if all of them are popped at once. A lane does not: a
//     bounded push that is refused by a ring which has room by its counters tries again for about a
//     microsecond, and then goes to the list. So the lane takes as many items as ever, from then on
//     under its lock.
//   - Q4: a consumer that is denied everywhere should give the processor away (affinity.Yield), not
//     poll, as the stopped thread may be waiting for it. Package sched's workers do.
//
// In numbers, of 16 threads on two processors that do nothing but push and pop: 1 item in 2,500 was
// hidden at all, and of 10,000 items one by a microsecond or more. The longest time that a lane was
// denied was 36 to 81 ms when consumers polled, and 8 ms, a time slice of the kernel, when they
// yielded.
//
// # Speed of instances
//
// A package that instantiates these types should import sync/atomic, if only as _. Where it does
// not, Go 1.26 compiles the atomic operations of the instance as calls, which every push and pop
// then pays for.
//
// # What is not here
//
// A fetch-and-add queue of linked segments: in a prototype it won a little when two threads did
// nothing but push and pop, and lost more when they did something else between; and it allocates.
// Moving aged items between lanes under a lock: callers rotate which lane they call what.
package queue
