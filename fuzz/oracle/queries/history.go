package queries

import (
	"fmt"
	"strings"
)

// A History is a life of an engine: how it is set, what its builds compute, and what happens.
type History struct {
	Seed    uint64 // of the order of tasks, and of what a power cut leaves
	Setting Setting
	Builds  []*Program // the first, and what restarts replace it by
	Steps   []Step
}

// A Setting is how engines are opened.
type Setting struct {
	Workers   int
	Threads   bool  // workers are threads; else one goroutine moves them, in an order that Seed decides
	Durable   bool  // each commit is on the disk when it returns
	HeapBytes int64 // of what queries have read, and as much of their results; 0: there is room for all
	Walls     bool  // marks stop at each answer that two others rest on
	Cyclic    bool  // queries may need themselves, which is an error
	Fixed     bool  // some may, and have values then
	Levels    int   // how deep queries are nested on one stack; 0: as deep as ever
	Repeats   bool  // a run remembers what it asked for by All, however few keys that were
	Measured  bool  // what runs and loads take is by chance, and what is measured to be cheap is not stored
	Peeks     bool  // after each commit all is peeked at that must be known
}

// A StepKind is what happens.
type StepKind int

// The kinds of steps.
const (
	Commit     StepKind = iota // Changes
	Batches                    // Askers and others at the same time
	Hold                       // the newest generation, in Slot
	Release                    // what Slot holds
	Watch                      // a partition, from Slot on
	WatchQuery                 // from Slot on
	Unwatch                    // Slot
	Weather
	Checkpoint
	Forget // write what is known, and forget what the heap has no room for
	Collect
	Reopen
	Warm // all is asked for, the engine closed and opened again, Changes are made, and all is asked for
)

// A CommitForm is how changes are committed.
type CommitForm int

// The forms of commits.
const (
	Plainly CommitForm = iota
	Bulk               // of one partition
	Replace            // all keys that begin with d
	Updates            // by functions of what is there
)

// A Change is one change of a commit.
type Change struct {
	Part  int
	Key   string
	Value int
	There bool // else the key is deleted; of an Update: the value is added to
}

// An Ending is how an engine ends.
type Ending int

// The endings of an engine.
const (
	Close Ending = iota
	Kill         // what was committed is there
	Power        // what was written since the last checkpoint may be lost
)

// A Step is one thing that happens. Which fields mean something depends on the kind.
type Step struct {
	Kind    StepKind
	Form    CommitForm
	Changes []Change
	Actors  []Actor
	Slot    int
	Part    int
	Pat     Pattern
	When    bool // only changes to an even value
	Cell    Cell
	Sky     int
	Ending  Ending
	Build   int
}

// An ActorKind is what an actor does.
type ActorKind int

// The kinds of actors.
const (
	AskOne  ActorKind = iota // in a task
	AskAll                   // for all keys, in a task
	AskOut                   // by Query.Ask
	Peek                     // by Query.Peek
	Change1                  // commits
	Cancel                   // the actor before
)

// An Actor is one that does something while others do, too.
type Actor struct {
	Kind    ActorKind
	Cell    Cell
	Slot    int // of the snapshot that is asked about; 0, or an empty one: the newest
	After   int // how often the actor lets others go first
	Changes []Change
}

const slots = 4 // for snapshots, and for watches; snapshot 0 is none

func (h *History) String() string {
	var b strings.Builder
	s := h.Setting
	fmt.Fprintf(&b, "%d workers", s.Workers)
	for _, is := range []struct {
		so   bool
		what string
	}{{s.Threads, "threads"}, {s.Durable, "every commit synced"}, {s.HeapBytes > 0, fmt.Sprintf("a heap of %d bytes", s.HeapBytes)}, {s.Walls, "walls"}, {s.Levels > 0, fmt.Sprintf("stacks of %d levels", s.Levels)}, {s.Repeats, "remembering"}, {s.Measured, "measured"}, {s.Peeks, "peeking"}} {
		if is.so {
			fmt.Fprintf(&b, ", %s", is.what)
		}
	}
	b.WriteString("\n")
	used := map[int]bool{0: true}
	for i := range h.Steps {
		if h.Steps[i].Kind == Reopen {
			used[h.Steps[i].Build] = true
		}
	}
	said := map[int]int{} // versions
	for i, p := range h.Builds {
		if !used[i] {
			continue
		}
		fmt.Fprintf(&b, "build %d:\n", i)
		for n := range p.Queries {
			if q := &p.Queries[n]; len(q.Body) > 0 && said[n] != q.Version {
				q.show(&b, n)
				said[n] = q.Version
			}
		}
	}
	for i := range h.Steps {
		fmt.Fprintf(&b, "%3d  %v\n", i, &h.Steps[i])
	}
	return b.String()
}

func (s *Step) String() string {
	switch s.Kind {
	case Commit:
		how := [...]string{Plainly: "commit", Bulk: "bulk", Replace: "replace d...", Updates: "update"}[s.Form]
		return how + " " + showChanges(s.Changes)
	case Batches:
		var all []string
		for i := range s.Actors {
			all = append(all, s.Actors[i].String())
		}
		return strings.Join(all, " | ")
	case Hold:
		return fmt.Sprintf("hold snapshot %d", s.Slot)
	case Release:
		return fmt.Sprintf("release snapshot %d", s.Slot)
	case Watch:
		when := ""
		if s.When {
			when = " for even values"
		}
		return fmt.Sprintf("watch %d: %s[%v]%s", s.Slot, partNames[s.Part], s.Pat, when)
	case WatchQuery:
		return fmt.Sprintf("watch %d: %v", s.Slot, s.Cell)
	case Unwatch:
		return fmt.Sprintf("stop watch %d", s.Slot)
	case Weather:
		return fmt.Sprintf("weather %d", s.Sky)
	case Warm:
		return "close and reopen warm, and commit " + showChanges(s.Changes)
	case Reopen:
		return fmt.Sprintf("%s and reopen as build %d", [...]string{"close", "kill", "power cut"}[s.Ending], s.Build)
	}
	return [...]string{Checkpoint: "checkpoint", Forget: "forget", Collect: "collect"}[s.Kind]
}

func (a *Actor) String() string {
	at := ""
	if a.Slot > 0 {
		at = fmt.Sprintf(" at snapshot %d", a.Slot)
	}
	after := ""
	if a.After > 0 {
		after = fmt.Sprintf(" after %d", a.After)
	}
	switch a.Kind {
	case AskOne:
		return fmt.Sprintf("get %v%s%s", a.Cell, at, after)
	case AskAll:
		return fmt.Sprintf("get all of q%d%s%s", a.Cell.Query, at, after)
	case AskOut:
		return fmt.Sprintf("ask %v%s", a.Cell, at)
	case Peek:
		return fmt.Sprintf("peek %v%s", a.Cell, at)
	case Change1:
		return "commit " + showChanges(a.Changes) + after
	}
	return "cancel the one before" + after
}

func showChanges(list []Change) string {
	var all []string
	for _, c := range list {
		if c.There {
			all = append(all, fmt.Sprintf("%s[%s]=%d", partNames[c.Part], c.Key, c.Value))
		} else {
			all = append(all, fmt.Sprintf("%s[%s] deleted", partNames[c.Part], c.Key))
		}
	}
	return strings.Join(all, ", ")
}
