//go:build !linux && !darwin && !windows

package vfs

import "os"

func allocate(f *os.File, from, to int64) error { return writeZeros(f, from, to-from) }
func zero(f *os.File, off, n int64) error       { return clearBytes(f, off, n) }
func datasync(f *os.File) error                 { return f.Sync() }
