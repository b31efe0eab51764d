package sched

import (
	"context"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
)

// labelsMax bounds the label sets that a worker keeps; beyond, it starts over, as clients come and
// go.
const labelsMax = 1024

// A labelCache keeps prepared label sets, because setting a prepared one is ten times cheaper than
// making one. It belongs to the worker's thread.
type labelCache map[labelKey]context.Context

type labelKey struct {
	lane   uint8
	name   string
	client uint64
}

// label marks the running goroutine with what it runs, for CPU and goroutine profiles.
func (w *worker) label(t *Task) {
	key := labelKey{t.lane, t.name, t.Client()}
	set, ok := w.labels[key]
	if !ok {
		if w.labels == nil || len(w.labels) >= labelsMax {
			w.labels = make(labelCache)
		}
		set = pprof.WithLabels(context.Background(), pprof.Labels(
			"lane", t.Lane().String(), "task", t.name, "client", strconv.FormatUint(t.Client(), 10)))
		w.labels[key] = set
	}
	pprof.SetGoroutineLabels(set)
	t.loop.labelled = true
}

// traced marks the task's life in an execution trace, if one is being taken.
func (l *loop) traced(t *Task) {
	if trace.IsEnabled() {
		l.region = trace.StartRegion(t.base, t.name)
	}
}

// unlabel takes the marks off the coroutine whose task has ended.
func (l *loop) unlabel() {
	if l.region != nil {
		l.region.End()
		l.region = nil
	}
	if l.labelled {
		l.labelled = false
		pprof.SetGoroutineLabels(context.Background())
	}
}
