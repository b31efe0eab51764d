package affinity

import (
	"errors"
	"fmt"
	goruntime "runtime"
)

var (
	// ErrUnsupported says that this operating system does not let us see or choose processors here.
	// It matches errors.ErrUnsupported.
	ErrUnsupported = fmt.Errorf("affinity: processors cannot be chosen on %s: %w", goruntime.GOOS, errors.ErrUnsupported)

	// ErrNotAllowed says that a processor is not one of those that the process was given when it
	// started.
	ErrNotAllowed = errors.New("affinity: processor is not allowed to this process")
)
