package sched

import (
	"fmt"
	"sync"

	"github.com/cytisus/cytisus/affinity"
)

// machine is what the process may use, read once.
var machine = sync.OnceValues(affinity.ReadMachine)

// planCPUs returns the processor for each worker, or affinity.Unbound.
func planCPUs(o *Options) ([]int, error) {
	if o.StandIns > 0 {
		return affinity.Plan(affinity.Machine{}, affinity.Off, o.Workers), nil
	}
	m, err := machine()
	if err == nil {
		return affinity.Plan(m, o.Affinity, o.Workers), nil
	}
	if o.Affinity == affinity.On {
		return nil, fmt.Errorf("sched: bind workers to processors: %w", err)
	}
	return affinity.Plan(affinity.Machine{}, affinity.Off, o.Workers), nil
}

// bind binds the worker's thread as planned. A worker that cannot be bound works all the same.
func (w *worker) bind() {
	w.unbind = func() {}
	if w.cpu == affinity.Unbound {
		return
	}
	restore, err := affinity.Pin(w.cpu)
	if err != nil {
		w.pool.log.Warn("sched: worker is not bound to its processor", "worker", w.id, "cpu", w.cpu, "error", err)
		return
	}
	w.unbind = restore
}
