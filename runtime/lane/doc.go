// Package lane names the 31 priorities of the engine and sets of them.
//
// A [Lane] is one bit of a 32-bit word, a [Mask] any number of them. Bit 0 is the most urgent lane,
// bit 30 the least; the highest non-empty lane of a mask is one count of trailing zeros away. The
// zero Lane is no lane, and bit 31 is not a lane either.
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
// # Who works where
//
// The engine and its language server use the groups like this:
//
//   - Sync: nothing of the product. An edit is committed by the goroutine that has read it, before
//     anything is queued; a lane could only make it wait.
//   - Input: the diagnostics of the document that is typed in.
//   - RPC: every request, RPC2 where a person waits for an answer, RPC3 for lists. RPC0 is where
//     requests age to. RPC1 is for what follows a keystroke, such as completion.
//   - Default: the index, watchers, and what commits from outside set off.
//   - Transition: the waves that follow an edit: Transition0 the files that changed, Transition1
//     those that are open, Transition13 all others. Those between are for a language that knows
//     distances, such as those along imports.
//   - Retry: what runtime.Task.Retry has tried again, such as a go command that found no network.
//   - Idle: collection, checkpoints, verification.
//   - Speculative: what an editor asks first in a file that it is likely to jump to. A guess is
//     given up when it has not begun after some seconds, so it is the first to go under load.
//
// # Hydration
//
// A hydration lane brings persisted results back before anything of its group computes them again.
// It stands right above its group, so hydration wins over recomputation and over nothing else. The
// option runtime.HydrateFirst has a task begin there; the index does, so that after a restart what
// the store knows is at hand before the first package is checked. Requests have no such lane: one
// that waits brings back what it needs itself.
//
// # What a lane promises
//
// A lane is an order of starting, not a guarantee of running alone: a task that runs is not
// interrupted for a more urgent one. Within a lane tasks start in the order they were submitted.
// Every lane gets a share of the starts, however busy those above it are, so Idle work always
// advances.
package lane
