//go:build !linux

package affinity

// Allowed returns ErrUnsupported here.
func Allowed() (Mask, error) { return Mask{}, ErrUnsupported }

// ReadMachine returns ErrUnsupported here.
func ReadMachine() (Machine, error) { return Machine{}, ErrUnsupported }

// Pin returns ErrUnsupported here.
func Pin(int) (restore func(), err error) { return nil, ErrUnsupported }
