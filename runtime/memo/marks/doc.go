// Package marks is the protocol by which memo's answers learn of changes, as a model: what every
// actor does is a sequence of accesses to what all share, and a test lets actors make them in all
// orders (TestAllOrders), or in random ones (TestRandomWorlds), and compares each answer with one
// from scratch. The rules are those of the section "Changes" in the comment of package memo; what a
// step of the model does at once, the engine does under one lock or by one atomic access.
//
// With 800,000 states for each (make marks) all settings are searched to their end.
//
// Each rule is left out once (TestEachMistakeIsFound), in a setting that then gives a wrong answer.
//
// The model has flights, runs of a key for several generations side by side, stamps of partitions,
// ranges, presence, several traces, forgetting, tidying, overflow of the queue, older generations,
// and reads of a part of an answer; restarts after an end and after a kill, with the ledger and the
// keys that a trace rests on (R13), but for partitions without a log. A question that joins an
// older run makes no access of its own while it waits, so it is one of the orders in which actors
// move. The model leaves out links to prints (R16), errors and taint, of which memo's own tests are
// full: what is tainted makes neither a link nor an interval. Memory is sequentially consistent, as
// it is between Go's atomics and locks.
package marks
