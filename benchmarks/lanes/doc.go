// Package lanes compares ways to keep work of 31 priorities and to find the most urgent piece of
// it.
//
// # Cases
//
//	empty-poll    one look for work where there is none
//	empty-sleep   the look that a worker takes before it sleeps, which may not miss finished work; ours has one of its
//	              own (Any), the others poll
//	lane-20       one thread, push to lane 20 then pop the most urgent, with other work left in lane 20; "single-ring"
//	              is our ring alone, without lanes
//	lane-20-dry   the same where the lane runs empty every time and the worker notices: push, pop, pop
//	spread        one thread, push to lanes in turn, 8 pieces waiting, pop the most urgent
//	1P1C          one producer to lane 20, one consumer of all
//	batch-16      one thread, 16 pieces in and 16 out of lane 20 at a time where the peer can, else one by one
//
// Figures are wall time per piece that passed, or per poll.
//
// # What is alike
//
// Every contender has 31 queues of 1024 places or what takes their part, carries pointers, and pops
// the oldest piece of the most urgent queue that has one. Rings and channels without an occupancy
// word are looked at one after the other, as one does who has nothing better. The heap is
// container/heap under a mutex: by priority, then by age, unbounded.
//
// # Caveats
//
// Ours does more: lanes never refuse a push (what does not fit goes to a list, in order), can call
// submitters that wait for room, and say no only for reasons that their documentation gives. The
// loops of ours and of single-ring call their queue directly, the peers' through a closure, which
// costs them about 2 ns for each call.
package lanes
