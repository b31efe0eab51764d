//go:build !linux

package files

import (
	"os"
	"path/filepath"
	"strings"
)

func madeUp(file *os.File) bool { return leadsToKernel(file.Name()) }

// leadsToKernel reports whether a name leads below a directory that systems keep for what the
// kernel makes up.
func leadsToKernel(path string) bool {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		real = path
	}
	if real, err = filepath.Abs(real); err != nil {
		return false
	}
	for _, dir := range []string{"/proc/", "/sys/", "/dev/"} {
		if strings.HasPrefix(filepath.ToSlash(real), dir) {
			return true
		}
	}
	return false
}
