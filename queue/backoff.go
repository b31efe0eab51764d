package queue

import "github.com/cytisus/cytisus/affinity"

// A backoff spaces out the attempts of one call that keeps losing a compare-and-swap. Whoever lost steps aside for a
// few pauses, so that the winner keeps the cache line for some operations in a row: rings that retry at once are
// several times slower when two cores meet on them.
type backoff struct{ pauses uint32 }

func (b *backoff) lost() {
	b.pauses = min(2*b.pauses+1, 8)
	affinity.Pause(b.pauses)
}
