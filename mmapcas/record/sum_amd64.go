//go:build !race

package record

// headerSum is Checksum of all of a header but its last word. Each look at a record takes it, and
// four instructions are a third of what a call of the general function is.
func headerSum(b *[SelfSumAt]byte) uint32 {
	if !seals {
		return Checksum(b[:])
	}
	return headerSumIn(b)
}

// headerSumIn is headerSum by the processor's instruction. Safe: it only reads, and b is as long as
// its type says.
//
//go:noescape
func headerSumIn(b *[SelfSumAt]byte) uint32
