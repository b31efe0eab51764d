package compare

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// DiskUsage returns how many bytes of disk the files under dir take: blocks that are really there,
// so that sparse files count for what is in them and preallocated ones for all of it.
func DiskUsage(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a store at work removes files
		}
		if err == nil {
			total += blocks(info)
		}
		return err
	})
	return total, err
}
