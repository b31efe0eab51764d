//go:build !unix

package gc

import "time"

// processorTime is not known here.
func processorTime() time.Duration { return 0 }
