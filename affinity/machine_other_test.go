//go:build !linux

package affinity

import (
	"errors"
	"testing"
)

func TestUnsupported(t *testing.T) {
	_, err := Allowed()
	_, err2 := ReadMachine()
	_, err3 := Pin(0)
	for _, err := range []error{err, err2, err3} {
		if !errors.Is(err, ErrUnsupported) || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v, want ErrUnsupported", err)
		}
	}
}
