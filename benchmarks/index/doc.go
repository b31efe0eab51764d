// Package index compares ordered maps from keys to 16-byte names, with snapshots.
//
// # Cases
//
//	size-heap         live Go heap per entry
//	gc-cycle          processor time that a collection takes
//	get-first         random keys through one snapshot, each read for the first time
//	get               the same when all keys have been read before
//	scan-100          the 100 keys of a random group, in order
//	snapshot          take one and give it back
//	commit-100        change the 100 adjacent keys of a group at once, visible as a whole to later snapshots
//	get-beside        p99 of single gets, alone and while another goroutine commits groups of 100
//	                  without a pause, and the one by the other
//	snapshot+update   take a snapshot, change one key, give the snapshot before it back: the price of copy-on-write
//
// Keys are 24 bytes, 100 to a group, in groups of random order; all keys are there before the first
// case.
//
// # What is alike
//
// All contenders hold the same entries and see the same operations. Ours writes a log record of
// every commit to a file, reports what changed, and checks that every name it is given exists in
// the store; "cytisus-no-log" is the same without the log. The trees in memory do none of that, and
// take keys of fixed size, which saves them an allocation and a pointer per entry. Pebble is on its
// in-memory file system, bbolt on a file without sync.
//
// In size-heap and gc-cycle each contender is alone: it is loaded anew for every round, and nothing
// else is kept meanwhile.
//
// # Caveats
//
// tidwall and google share their trees with the collector's eyes: every node is scanned by each
// collection. That is not in any figure but gc-cycle.
//
// A scan reads the last byte of each key and the first of each name. Ours reads with a Cursor,
// which copies what differs from the key before. The trees in memory take no part in get-beside:
// they would need a lock around commit and snapshot.
package index
