//go:build !amd64 || race

package record

// headerSum is Checksum of all of a header but its last word.
func headerSum(b *[SelfSumAt]byte) uint32 { return Checksum(b[:]) }
