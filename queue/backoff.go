package queue

import "github.com/cytisus/cytisus/affinity"

// relaxesMax bounds how long one step aside lasts, in calls of affinity.Relax.
const relaxesMax = 8

// A backoff spaces out the attempts of one call that keeps losing tickets to others. Whoever lost
// steps aside, so that the winner keeps the cache lines for many operations in a row: rings that
// retry at once are several times slower when two cores meet on them.
type backoff struct{ relaxes int }

func (b *backoff) lost() {
	b.relaxes = min(max(2*b.relaxes, 1), relaxesMax)
	for range b.relaxes {
		affinity.Relax()
	}
}
