package runtime

import (
	"time"

	"github.com/cytisus/cytisus/runtime/lane"
)

// recent decides when what was put lately is worth a collection of its own: a short one, which
// costs what was put since the last one and frees what of it is garbage already (mmapcas,
// BeginShortCycle). What somebody types is of that kind: each text is replaced by the next, and so
// is each answer.
//
// What survives a short cycle, or was put while one went on, is left to the next one of everything.
// That comes when the store has grown by so much that it is worth its cost (recentChore), or when
// it is quiet and a share of the store is known to be garbage: short cycles do not come any more
// then, and what was live when they did would stay for good. Known garbage is taken off with each
// cycle, whatever that could free, so there is one of them and no more.
//
// Where values of any age are overwritten, most of what is put stays for a while, and what goes was
// there before. A short cycle then costs more for each byte that it frees than one of everything
// does, for that frees a third of the store. So short ones that free less than half of what was put
// are poor: each waits for four times as much as the one before, and one of everything does not
// wait for them.
type recent struct {
	stored int64 // bytes in the store when the last collection ended
	worth  int64 // bytes put since that are worth a short cycle while the store goes on growing
	seen   int64 // bytes in the store at the last look
	quiet  int   // looks since that have changed
	began  int64 // bytes in the store when the collection under way began
	freed  int64 // bytes freed by all collections until then
	poor   bool  // the last short cycle was
}

const (
	recentLeast  = 256 << 10 // is worth a short cycle when it is quiet
	recentWorth  = 1 << 20   // recent.worth, at least
	recentBehind = 8         // times recent.worth were put since the last one: it is behind
	recentShare  = 2         // less than this part of what was put was garbage: a short cycle was poor
	recentRarer  = 4         // times as much makes the next one due after a poor one
	recentQuiet  = 4         // this part of what is live is garbage: worth a cycle when it is quiet

	// quietLooks is after how many looks of the keeper without a change it is quiet.
	quietLooks = int(500 * time.Millisecond / keepEvery)
)

// A gcChore is what the keeper has to do about garbage.
type gcChore uint8

const (
	noChore gcChore = iota
	collectNew
	collectAll
)

// look is called at each look of the keeper while no collection runs.
func (r *recent) look(stored, garbage, live int64, elders bool) gcChore {
	if r.worth == 0 { // the first
		r.stored, r.worth = stored, recentWorth
	}
	if r.quiet++; stored != r.seen {
		r.seen, r.quiet = stored, 0
	}
	put, quiet := stored-r.stored, r.quiet >= quietLooks
	switch {
	case elders && (put >= r.worth || quiet && put >= recentLeast):
		return collectNew
	case quiet && garbage >= max(recentWorth, live/recentQuiet):
		return collectAll
	}
	return noChore
}

// lane is where a short collection runs: among what has time, until it is behind with its work.
// Then what fills the store waits for it, as for everything else there.
func (r *recent) lane() lane.Lane {
	if r.seen-r.stored >= recentBehind*r.worth {
		return lane.Default
	}
	return lane.Idle
}

// begins notes that a collection begins.
func (r *recent) begins(stored int64, freed uint64) { r.began, r.freed = stored, int64(freed) }

// ended notes that one has ended. Where little was garbage, as when a store is filled, the next
// short one waits for more, so that all of them together cost a share of what was put.
func (r *recent) ended(short bool, stored int64, freed uint64) {
	put := r.began - r.stored
	r.stored = stored
	if !short {
		return
	}
	r.poor = (int64(freed)-r.freed)*recentShare < put
	if r.poor {
		// It may have come late, when much more was put than it was due for.
		r.worth = recentRarer * max(r.worth, put)
	} else {
		r.worth = max(r.worth/recentRarer, recentWorth)
	}
}
