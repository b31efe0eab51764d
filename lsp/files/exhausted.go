package files

import (
	"errors"
	"syscall"
)

// Exhausted reports whether an error says that this process, or the machine, has run out of
// something: it is then no property of the file, and to go on would leave out one file after the
// other.
func Exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}
