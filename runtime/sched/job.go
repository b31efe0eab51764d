package sched

import "unsafe"

// A job is what lies in a lane: a task that has been made, or what is needed to make one that has
// no handle, no client and no context of its own. Such a task is made by the worker that takes the
// job, out of its own stock: so a submitter touches no memory but the ring's, and half a cache line
// goes from its processor to the worker's.
//
// It is three words long, because with the turn of its cell that makes 32 bytes, and because it
// must be cheap to pass on.
//
// Safe: ref is a pointer of one of two types, and fn tells which. If fn is nil, it is the *Task;
// otherwise it is the data of the task's name, as long as about says. Either way it is a pointer
// that the collector knows, to memory that is not written.
type job struct {
	fn    func(*Task) error
	ref   unsafe.Pointer
	about uint64 // the lane's index in the low bits, above them the length of the name
}

const aboutLaneBits = 8

// made returns the job of a task that exists already.
func made(t *Task) job { return job{ref: unsafe.Pointer(t)} }

// unmade returns the job of a task that is still to be made.
func unmade(lane int, name string, fn func(*Task) error) job {
	return job{fn: fn, ref: unsafe.Pointer(unsafe.StringData(name)), about: uint64(len(name))<<aboutLaneBits | uint64(lane)}
}

// take returns the task of a job that has left its lane.
func (w *worker) take(j *job) *Task {
	if j.fn == nil {
		return (*Task)(j.ref)
	}
	t := w.fresh()
	t.fn, t.name = j.fn, unsafe.String((*byte)(j.ref), int(j.about>>aboutLaneBits))
	t.lane, t.base, t.scope, t.traits = uint8(j.about), background, nil, 0
	return t
}
