//go:build !linux && !darwin

package vfs

import "os"

func allocate(f *os.File, n int64) error  { return lengthen(f, n) }
func zero(f *os.File, off, n int64) error { return writeZeros(f, off, n) }
func datasync(f *os.File) error           { return f.Sync() }
