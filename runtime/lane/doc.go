// Package lane names the 31 priorities of the engine and sets of them.
//
// A [Lane] is one bit of a 32-bit word, a [Mask] any number of them. Bit 0 is the most urgent lane, bit
// 30 the least; the highest non-empty lane of a mask is one count of trailing zeros away. The zero Lane
// is no lane, and bit 31 is not a lane either.
//
// # Groups
//
// From the most to the least urgent:
//
//	sync         SyncHydration, Sync        what somebody waits for right now, in order
//	input        InputHydration, Input      what follows from typing
//	rpc          RPC0 … RPC3                requests; they age towards RPC0
//	default      DefaultHydration, Default  work nobody named a lane for, watchers
//	transition   Transition0 … Transition13 background waves, nearest to the user's focus first
//	retry        Retry0 … Retry3            second and later attempts
//	idle         IdleHydration, Idle        collection, compaction, checkpoints
//	speculative  Speculative                guesses that may be thrown away
//
// # Hydration
//
// A hydration lane brings persisted results back before anything of its group computes them again. It
// stands right above its group, so hydration wins over recomputation and over nothing else.
//
// # What a lane promises
//
// A lane is an order of starting, not a guarantee of running alone: a task that runs is not interrupted
// for a more urgent one. Within a lane tasks start in the order they were submitted. Every lane gets a
// share of the starts, however busy those above it are, so Idle work always advances.
package lane
