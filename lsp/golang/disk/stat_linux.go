package disk

import (
	"io/fs"
	"syscall"
)

// changeTime is the time of the last change of the inode in nanoseconds, and the inode's number.
func changeTime(info fs.FileInfo) (ns int64, inode uint64) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return st.Ctim.Nano(), st.Ino
}
