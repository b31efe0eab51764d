// Package spin holds the protocols of the queue and epoch packages and of the collector once more,
// as Promela models, and a test that has spin search them for mistakes. The same protocols are
// explored in plain Go (queue/explore_*_test.go, epoch/model_test.go, runtime/gc/tricolour); here
// an independent tool reads an independent rendering.
//
// Each model must hold in every reachable state, and each mistake that its header lists, put in by
// a macro, must be found: a search that cannot see the mistake shows nothing. spin explores
// sequentially consistent executions, which is what sync/atomic promises; the plain stores that
// epoch and overtaking rely on are modelled with their store buffers.
//
// The test needs spin and a C compiler, which turns spin's output into the searching program, and
// is skipped where either is missing; make spin says which.
package spin
