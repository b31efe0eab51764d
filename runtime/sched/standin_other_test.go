//go:build !unix

package sched

import "io"

// blockingReader returns what blocks until release fires.
func blockingReader(release *Event) (r io.Reader, stop func()) {
	r, w := io.Pipe()
	release.OnFire(func() { go w.Close() })
	return r, func() {}
}
