package sched

import "github.com/cytisus/cytisus/runtime/lane"

// Hooks are functions that a pool calls as its tasks move, for tracing and metrics. Any may be nil.
// They run on the thread that moves the task, so they must be quick, must not wait, and must not
// panic. A task's calls come in order: OnSubmit, then unless it was cancelled before OnStart, any
// number of OnWait and OnResume in turn, then OnEnd.
type Hooks struct {
	OnSubmit func(TaskInfo)
	OnStart  func(TaskInfo)
	OnWait   func(TaskInfo)
	OnResume func(TaskInfo)
	OnEnd    func(TaskInfo, Outcome, error)
}

// A TaskInfo identifies a task.
type TaskInfo struct {
	ID     uint64    `json:"id"`
	Parent uint64    `json:"parent"` // the task that spawned it, 0 if none
	Name   string    `json:"name"`
	Lane   lane.Lane `json:"lane"`
	Client uint64    `json:"client"`
	Worker int       `json:"worker"` // -1 before it has started
}

// An Outcome is how a task ended.
type Outcome uint8

// The outcomes.
const (
	Completed Outcome = iota // returned nil
	Failed                   // returned an error
	Panicked                 // panicked, or called runtime.Goexit
	Cancelled                // did not start, or returned an error after it had been cancelled
	outcomes  = iota
)

func (o Outcome) String() string {
	return [...]string{"completed", "failed", "panicked", "cancelled"}[o]
}

func (t *Task) info() TaskInfo {
	i := TaskInfo{ID: t.id, Parent: t.parentID, Name: t.name, Lane: t.Lane(), Client: t.Client(), Worker: -1}
	if t.loop != nil {
		i.Worker = t.loop.worker().id
	}
	return i
}
