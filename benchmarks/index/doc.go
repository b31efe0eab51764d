// Package index compares ordered maps from keys to 16-byte names, with snapshots.
//
// # Cases
//
//	size-heap         live Go heap per entry
//	get               random keys through one snapshot
//	scan-100          the 100 keys of a random group, in order
//	snapshot          take one and give it back
//	commit-100        change the 100 adjacent keys of a group at once, visible as a whole to later snapshots
//	snapshot+update   take a snapshot, change one key, give the snapshot before it back: the price of copy-on-write
//
// Keys are 24 bytes, 100 to a group, in groups of random order; all keys are there before the first case.
//
// # What is alike
//
// All contenders hold the same entries and see the same operations. Ours writes a log record of every commit to a file,
// reports what changed, and checks that every name it is given exists in the store; "cytisus-no-log" is the same without
// the log. The trees in memory do none of that, and take keys of fixed size, which saves them an allocation and
// a pointer per entry. Pebble is on its in-memory file system, bbolt on a file without sync.
//
// # Caveats
//
// tidwall and google share their trees with the collector's eyes: every node is scanned by each collection. That is not in
// any figure here.
package index
