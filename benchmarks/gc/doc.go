// Package gc compares what it costs to take back the space of records that were overwritten.
//
// # The world
//
// 1,000,000 keys (-n) with values of 64 bytes that do not compress, each overwritten over and over
// in commits of ten random keys, one after the other without a pause. Nobody waits for the disk.
//
// # Cases
//
//	overwrite  commits: time of each, with the collector as it comes; "-mean" is per overwrite
//	beside     the same while one whole collection follows the other
//	share      of the processor time of such overwrites, what taking back space has
//	cycle      one collection of everything, when half as many keys as there are were overwritten
//	           and nothing else goes on: per key, by the clock and in processor time
//	slice      how long such a collection keeps a worker from a request at a time: "-p99" as the
//	           power of two above it
//	pause      the same while overwrites go on and one collection follows the other
//	disk       blocks on disk during overwrites, of what is left after a collection: on average,
//	           and at most
//	flat       2,000,000 overwrites (-n) of 100,000 keys, alone in the process: how much more is
//	           resident, and on disk, in the last fifth than in the second
//
// So 10,000,000 keys in a cycle are "-case '^cycle$' -n 10000000 -rounds 1", and 100,000,000
// overwrites are "-case '^flat$' -n 100000000 -rounds 1 -limit 60m".
//
// # Entrants
//
//	cytisus              an engine with the options that it has by default
//	cytisus-uncollected  the same with the collector off; it collects between rounds. In cycle and
//	                     slice this is what "cytisus" stands for
//	pebble-v2            takes back space by compactions, which go on beside commits; a whole
//	                     compaction of all keys stands for a collection
//	spin                 in pause: a loop that looks at the clock for as long as a slice is to be,
//	                     beside the same overwrites. It is longer by what the machine adds
//	map                  a Go map with a lock: the floor, and Go's own collector
//	aim                  what the figure of ours should not exceed: a number in "share", "slice",
//	                     "pause", "cycle" and "disk"; in "overwrite" and "beside" 1.3 times
//	                     uncollected
//
// # What is alike
//
// All see the same keys in the same order. Each round reads keys back and compares what was written
// last. Ours names each value by its hash and keeps the order of keys; pebble keeps the order; the
// map keeps nothing on disk and no order.
//
// # Caveats
//
// Go's collector works for all entrants of a process at once, and their heaps are alive together,
// except in flat. Its part of share counts for the map only. What the disk does later is not seen.
package gc
