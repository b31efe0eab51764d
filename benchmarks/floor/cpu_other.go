//go:build !unix

package floor

import "time"

// processorTime is not known here.
func processorTime() time.Duration { return -1 }
