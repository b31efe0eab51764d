//go:build !windows

package vfs

import "os"

// openFile opens a file such that others can remove it meanwhile.
func openFile(name string, flag int) (*os.File, error) { return os.OpenFile(name, flag, fileMode) }
