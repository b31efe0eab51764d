package vfs

import "os"

// allocate lengthens the file: the end of a file that is not marked sparse is never set beyond what
// has disk space, and what lies before the end has some already.
func allocate(f *os.File, _, to int64) error {
	fi, err := f.Stat()
	if err != nil || fi.Size() >= to {
		return err
	}
	return f.Truncate(to)
}

func zero(f *os.File, off, n int64) error { return clearBytes(f, off, n) }
func datasync(f *os.File) error           { return f.Sync() }
