package arena

import (
	goruntime "runtime"
	"runtime/debug"
)

// Confine calls fn and turns a fault on the arena's memory, inside fn and whatever it calls on this
// goroutine, into a *FaultError. Other panics pass through. It does not allocate unless there is a
// fault.
func (a *Arena) Confine(fn func() error) (err error) {
	old := debug.SetPanicOnFault(true)
	returned := false
	defer func() {
		debug.SetPanicOnFault(old)
		if returned {
			return
		}
		v := recover() // nil when the goroutine exits instead of panicking
		if v == nil {
			return
		}
		if e := a.fault(v); e != nil {
			err = e
			return
		}
		panic(v)
	}()
	err = fn()
	returned = true
	return err
}

// BeginConfined and EndConfined are Confine for paths on which a closure and its call cost too
// much:
//
//	old := a.BeginConfined()
//	defer func() {
//		if fault := a.EndConfined(old, recover()); fault != nil {
//			err = fault
//		}
//	}()
//
// Nothing may come between the two statements.
func (a *Arena) BeginConfined() (old bool) { return debug.SetPanicOnFault(true) }

// EndConfined ends what BeginConfined began. panicked is what the deferred function recovered; a
// panic that stands for no fault goes on.
func (a *Arena) EndConfined(old bool, panicked any) *FaultError {
	debug.SetPanicOnFault(old)
	if panicked == nil {
		return nil
	}
	return a.endFaulted(panicked)
}

func (a *Arena) endFaulted(panicked any) *FaultError {
	if e := a.fault(panicked); e != nil {
		return e
	}
	panic(panicked)
}

// fault returns the fault that v, the value of a panic, stands for; nil when it is something else.
func (a *Arena) fault(v any) *FaultError {
	e, ok := v.(interface {
		goruntime.Error
		Addr() uintptr
	})
	if !ok {
		return nil
	}
	p := e.Addr()
	if a.base != nil {
		off, ok := offsetIn(bytesAt(a.base, 0, int(a.reserved)), p)
		if !ok {
			return nil
		}
		addr := Addr(off / Unit)
		fe := &FaultError{Addr: addr, Segment: a.Segment(addr), Err: e}
		if fe.Segment != nil {
			fe.Offset = off - int64(fe.Segment.first)*Unit
		}
		return fe
	}
	for i := range a.slots {
		s := a.slots[i].Load()
		if s == nil {
			continue
		}
		if off, ok := offsetIn(s.mem, p); ok {
			return &FaultError{Addr: s.At(off), Offset: off, Segment: s, Err: e}
		}
	}
	return nil
}
