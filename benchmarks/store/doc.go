// Package store compares places to keep small records under hash keys.
//
// # Cases
//
//	put              128-byte records, 1000 at a time, into a new store, without waiting for the disk
//	put-sync         the same, a tenth as many, each 1000 durable before the next
//	get-uniform-1T   random records of all, one thread; "-allocs" beside it is allocations per get
//	get-uniform-2T   two threads; time per get and thread
//	get-batch16-1T   the same, 16 at a time where the contender can, else one by one
//	get-batch16-2T   two threads
//	get-hot          random records of 10,000, one thread
//	get-absent-1T    keys that are not there, one thread
//	get-absent-2T    two threads
//	size-disk        disk blocks per record after everything was written and synced
//	size-heap        live Go heap per record
//	size-gc          by how much a forced collection of Go's takes longer with all records loaded
//
// A get touches the first and the last byte of the value.
//
// Ours reads in visits (Reader.Visit), the way for whoever reads many records in a row;
// "mmapcas-Reader.View" and "mmapcas-Store.View" are the same store read by one call of a Reader
// per record, and by one call of the store from just any goroutine.
//
// # What is alike
//
// All contenders see the same records in the same order and read them in the same order. Ours names
// a record by the hash of its bytes, which it computes as part of each put; the others are given
// these 16-byte names as keys, computed beforehand. So they get for nothing what costs ours about
// 300 ns per record, and a user who wants a content-addressed store on them pays it on top.
//
// Go maps keep nothing, lose everything at exit and take part where that is no question. Each
// durable peer runs as its documentation advises for such a load; its file says what was set.
//
// # The floor
//
// "floor" is no peer: a mapped log and one open-addressing table, one writer, readers without
// locks, no checksum, no recovery, no deletion, in sixty lines. It shows what the memory system
// takes by itself.
//
// # Caveats
//
// The default size (200,000 records, 32 MB) nearly fits into the last-level cache of a server. -n
// 1000000 is what the recorded results use. -n 10000000 takes some 15 GB of memory for all
// contenders; -peer picks some. Put without sync measures memory and the writes the kernel has
// begun meanwhile. Pebble and badger go on working after a put returns (flushes, compactions); what
// that costs others is not seen. Sync figures are those of the disk at that moment.
package store
