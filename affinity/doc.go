// Package affinity knows the processors that this process may use: which there are and how they
// hang together, which of them the process was given and for how much of the time, and how to bind
// a thread to one. It also has the small things that code for several processors needs everywhere:
// pads against false sharing, a pause for loops that wait, a fence on the threads of others, and
// the level of vector instructions.
//
// # What counts as ours
//
// Three things bound the processors of a process, and all three are respected:
//
//   - the mask with which it was started (Allowed): set by a parent, by taskset or by a cpuset. It
//     is read before anything can have bound the main thread, and is never widened: Pin refuses
//     what is not in it.
//   - which processors are online (ReadTopology).
//   - the quota of processor time of its control groups (ReadQuota). A quota names no processors,
//     but a process with 64 processors and a quota of two is a small one.
//
// # Reading a machine
//
// ReadTopology and ReadQuota read an fs.FS and do nothing else, so that tests run on machines
// written down as text. What is missing counts as "all alike" or "unlimited"; what is there and
// makes no sense is an error with the name of the file. ReadMachine reads the machine at hand.
//
// # Binding threads
//
// Plan decides, Pin does. Binding is worth something with many processors, where a worker that
// stays keeps its caches and its memory near, and does harm with few, where it keeps the kernel
// from moving a worker away from the work of another program. The mode Auto decides by that.
//
//   - A thread is bound only by its own goroutine, locked to it, and restored before it is
//     unlocked; or it dies locked.
//   - No two workers of a plan share a processor, none gets one that is not ours, and what is left
//     over stays unbound.
//
// Outside Linux ReadMachine, Allowed and Pin return ErrUnsupported; everything else works.
package affinity
