//go:build unix

package main

import "golang.org/x/sys/unix"

// allocated returns the bytes that a file takes on disk: segments are allocated ahead and have
// holes.
func allocated(name string) (int64, error) {
	var st unix.Stat_t
	if err := unix.Stat(name, &st); err != nil {
		return 0, err
	}
	return st.Blocks * 512, nil
}
