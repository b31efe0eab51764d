package profile

import (
	"strings"

	"github.com/google/pprof/profile"
)

// What the engine does in a sample; see Phase.
const (
	Queries   = "query functions"
	Verifying = "verifying answers"
	Marking   = "telling what changed"
	Keeping   = "keeping answers"
	Commits   = "commits and snapshots"
	Reclaim   = "collection of the store"
)

// phases are the parts of the engine by functions of theirs, the special ones of a package first.
var phases = []struct{ within, phase string }{
	{"runtime/memo.(*Query).eval", Queries},
	{"runtime/memo.(*Table).catchUp", Marking},
	{"runtime/memo.(*recorder)", Keeping},
	{"runtime/memo.(*Frame).record", Keeping},
	{"runtime/memo.(*Table).runFunction", Keeping},
	{"runtime/memo.(*Table).Keep", Keeping},
	{"runtime/memo.(*Table).Flush", Keeping},
	{"runtime/memo.", Verifying},
	{"runtime/gc.", Reclaim},
	{"runtime/db.", Commits},
}

// Phase says what the engine does in a sample: the part of it that the stack went into last. So
// what a query function computes and reads is the function's, and what the engine does to find out
// whether an answer holds is not, although it is done between the two. Samples outside of the
// engine are what origin says.
func Phase(s *profile.Sample) string {
	found := ""
	for _, name := range stack(s) {
		switch phase := phaseOf(name); {
		case phase == "":
		case phase == Verifying: // unless what called it has a name of its own
			found = phase
		case found == "", phase == Marking, phase == Keeping:
			return phase
		default:
			return found
		}
	}
	if found == "" {
		found = origin(s)
	}
	return found
}

// phaseOf is the phase that a function stands for, or "".
func phaseOf(name string) string {
	_, name, ours := strings.Cut(name, "cytisus/cytisus/")
	if !ours || strings.HasPrefix(name, "runtime/db.(*Snapshot)") { // reading is part of what reads
		return ""
	}
	for _, p := range phases {
		if strings.HasPrefix(name, p.within) {
			return p.phase
		}
	}
	return ""
}
