// Package tricolour is the protocol of package gc as a model: those who change the graph, the
// collector that marks, and the sweep, as sequences of accesses to what all share. A test has them
// made in every order on small graphs (TestAllOrders), and after each step compares the store with
// what is needed.
//
// The steps have the names of the comments of gc (B1 to B3, E1 to E3), mmapcas (G0 to G6; a put is
// P1 to P3) and db (C6). What a step does at once, the engine does under one lock or by one atomic
// access.
//
// Each barrier is left out once (TestEachMistakeIsFound), in a setting in which something needed is
// freed then, or a recovery finds what it must not. Three things lose nothing while the others hold
// (TestSecondLines): that a commit calls Shade; and, as long as it does, that the roots are taken
// at once, and after Flush.
//
// The model leaves out segments: copies that a sweep makes, when files go (G4), and what a crash
// leaves of either, of which the simulated disk has tests (fuzz/disk). Of a recovery it asks which
// states it may end in. The core of it, without what a recovery needs, is in Promela as well
// (fuzz/spin). Memory is sequentially consistent, as it is between Go's atomics and locks.
package tricolour
