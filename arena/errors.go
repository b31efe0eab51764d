package arena

import (
	"errors"
	"fmt"
)

var (
	// ErrFull: the rest of the segment cannot hold the reservation.
	ErrFull = errors.New("arena: segment is full")
	// ErrSealed: the segment takes no more bytes.
	ErrSealed = errors.New("arena: segment is sealed")
	// ErrAddressSpace: no run of free slots is long enough for the segment.
	ErrAddressSpace = errors.New("arena: reservation is used up")
	// ErrUnsupported: this system or this form of arena cannot do that.
	ErrUnsupported = errors.New("arena: not supported")
	// ErrFault is the class of *FaultError.
	ErrFault = errors.New("arena: memory fault")
)

// A FaultError says that the memory at Addr could not be read or written: its page is gone or its
// disk failed. It matches ErrFault.
type FaultError struct {
	Addr   Addr  // the unit that holds the faulting byte
	Offset int64 // of the faulting byte in Segment; meaningless when Segment is nil
	// Segment is where Addr lies, nil when nothing is mapped there.
	Segment *Segment
	Err     error // the run-time error as the Go runtime worded it
}

func (e *FaultError) Error() string {
	return fmt.Sprintf("arena: memory fault at address %#x: %v", uint64(e.Addr), e.Err)
}

// Is reports whether target is ErrFault.
func (e *FaultError) Is(target error) bool { return target == ErrFault }

// Unwrap returns the run-time error.
func (e *FaultError) Unwrap() error { return e.Err }
