// Package ring compares bounded queues of pointers, capacity 1024.
//
// # Cases
//
//	pair        one thread, push then pop
//	1P1C        one producer, one consumer
//	2P2C        two of each, so four goroutines
//	2T          two threads, each push then pop on the same queue; "2T-share" beside it is the share of the
//	            operations that the slower thread got: 0.5 is fair, and there more is better
//	batch-64    one producer, one consumer, 64 items at a time where the queue can, else one by one
//
// Figures are wall time per item that passed the queue, so one push and one pop.
//
// # What is alike
//
// Every contender has its own copy of the same three loops, so calls are direct and may be inlined,
// as in a user's code. Whoever finds the queue full or empty pauses 16 times 4 instructions and
// then yields, except in queues whose own Push and Pop wait (channel, Workiva). Goroutines are not
// pinned.
//
// # Caveats
//
// moodycamel's queue is a C++ program with the same loops (moodycamel/queue.cpp), built when the
// suite runs, where g++ and the header are installed. It keeps order per producer only and is
// unbounded, so its producers never wait. Its threads are OS threads, and it is used with its
// tokens, as its documentation advises.
//
// A mutex ring does well in 2T by letting one thread keep the lock for long bursts; look at
// 2T-share. On a busy machine everything but pair measures the neighbours.
package ring
