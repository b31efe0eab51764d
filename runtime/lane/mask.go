package lane

import (
	"iter"
	"math/bits"
	"strconv"
	"strings"
)

// A Mask is a set of lanes.
type Mask uint32

// The groups, most urgent first.
const (
	Syncs          = Mask(SyncHydration | Sync)
	Inputs         = Mask(InputHydration | Input)
	RPC0to3        = Mask(RPC0 | RPC1 | RPC2 | RPC3)
	Defaults       = Mask(DefaultHydration | Default)
	AllTransitions = Mask(Retry0-1) &^ Mask(Transition0-1)
	AllRetries     = Mask(Retry0 | Retry1 | Retry2 | Retry3)
	Idles          = Mask(IdleHydration | Idle)
	All            = Mask(1<<Count - 1)

	// Hydrations are the lanes that bring back persisted results.
	Hydrations = Mask(SyncHydration | InputHydration | DefaultHydration | IdleHydration)
	// Interactive are the lanes that somebody waits for.
	Interactive = Syncs | Inputs | RPC0to3
)

// MaskOf returns the set of the given lanes.
func MaskOf(lanes ...Lane) (m Mask) {
	for _, l := range lanes {
		m |= Mask(l)
	}
	return m & All
}

// Has reports whether l is in the set.
func (m Mask) Has(l Lane) bool { return m&Mask(l) != 0 }

// Len returns the number of lanes in the set.
func (m Mask) Len() int { return bits.OnesCount32(uint32(m & All)) }

// Highest returns the most urgent lane of the set, or none.
func (m Mask) Highest() Lane { return Lane(m & All & -(m & All)) }

// Lowest returns the least urgent lane of the set, or none.
func (m Mask) Lowest() Lane { return FromIndex(bits.Len32(uint32(m&All)) - 1) }

// Lanes yields the lanes of the set, most urgent first.
func (m Mask) Lanes() iter.Seq[Lane] {
	return func(yield func(Lane) bool) {
		for m &= All; m != 0; m &= m - 1 {
			if !yield(m.Highest()) {
				return
			}
		}
	}
}

// String lists the lanes' names, most urgent first.
func (m Mask) String() string {
	var parts []string
	for l := range m.Lanes() {
		parts = append(parts, l.String())
	}
	if m&^All != 0 {
		parts = append(parts, "0x"+strconv.FormatUint(uint64(m&^All), 16))
	}
	return "{" + strings.Join(parts, " ") + "}"
}
