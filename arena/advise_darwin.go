package arena

import (
	"os"

	"golang.org/x/sys/unix"
)

func adviseHuge([]byte) {}

func populateWrite([]byte) {}

func writeZeros(*os.File, int64, int64, int64) {}

// flushPages writes dirty pages of a mapping to its file; syncing the file alone is not said to do
// that here.
func flushPages(mem []byte) error { return unix.Msync(mem, unix.MS_SYNC) }
