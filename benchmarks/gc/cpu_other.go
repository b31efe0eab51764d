//go:build !unix

package gc

import "time"

func processorTime() (time.Duration, bool) { return 0, false }
