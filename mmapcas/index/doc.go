// Package index finds where in an arena the record of a name lies.
//
// It maps names to addresses: 256 shards, each a table off the Go heap (table.go). What lies at an
// address is a record of package record, whose header holds the name; the index reads that name,
// and nothing else. It knows no file and no segment: what it has to ask about the records of a
// saved index, it asks through Records, and a saved index is read and written through io
// interfaces.
//
// # Slots
//
// A slot is a tag, which is a part of the name, a hint, which is another (hint.go), and an address.
// Slots of one table change so:
//
//   - S0: empty -> entry -> (entry of a copy | dead), or empty -> frozen. Never back to empty.
//   - S1: a name has at most one entry in a table.
//   - S2: an entry leads to a published record whose header holds that name, unless it was damaged
//     since.
//
// A probe goes by buckets of eight slots, in the order of a name's places, and ends at the first
// slot that is empty or frozen. By S0 all who look for one name meet the same first empty slot, and
// compete for it with a compare-and-swap. The loser looks at the slot again, since the winner may
// have entered the same name (S1).
//
// # Growth
//
// Growth is per shard. The grower holds the shard's mutex, turns every empty slot of the old table
// into frozen, copies the entries, publishes the new table and retires the old one. Readers go on
// in the table that they loaded. A frozen slot is as good as an empty one to them: an entry behind
// it was inserted after they loaded the table. Writers that meet a frozen slot
// wait for the mutex and start again. Changing or dropping an entry takes the mutex, so that it
// cannot be lost to a grower that has copied the slot already.
//
// # What a reader is told
//
//   - L1: an entry that was there before a lookup began, and was neither changed nor dropped since,
//     is found.
//   - L2: an entry that is changed meanwhile is found, at the old address or at the new one. The
//     record at the old address is readable until the reader's epoch pin ends.
//   - L3: a name whose entry was dropped before a lookup began is not found, unless it was inserted
//     again.
//   - L4: absent means that there was a moment during the lookup at which the name had no entry.
//     It promises nothing about the next moment. A shard whose table cannot be read for want of
//     memory answers absent too: the store is a cache to the layers above.
//
// TestExplore visits every interleaving of puts, changes, drops, growth and lookups on a small
// model of this, and finds each of the rules left out; TestStepsInAnyOrder runs the steps
// themselves.
//
// # Files
//
// Each rests on those before it:
//
//	table.go format.go coverage.go saved.go
//	index.go key.go
//	hint.go probe.go
//	glance.go glance_amd64.go glance_other.go
//	unread.go grow.go lookup.go insert.go change.go save.go
//
// # Shards that are not in memory
//
// Shards of a saved index are read when they are first asked for (unread.go). What an Open finds
// behind the reach of the saved index waits with its shard until then.
package index
