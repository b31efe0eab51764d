package arena

import (
	"fmt"
	"os"

	"github.com/edsrzf/mmap-go"
)

// placeAnywhere maps the first n bytes of f wherever the system likes. The file must be that long:
// some systems would lengthen it by mapping, without disk space (A2).
func placeAnywhere(f *os.File, n int64, readOnly bool) ([]byte, func() error, error) {
	fi, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if fi.Size() < n {
		return nil, nil, fmt.Errorf("%s has %d bytes, want %d: %w", f.Name(), fi.Size(), n, ErrUnsupported)
	}
	prot := mmap.RDWR
	if readOnly {
		prot = mmap.RDONLY
	}
	m, err := mmap.MapRegion(f, int(n), prot, 0, 0)
	if err != nil {
		return nil, nil, err
	}
	return m, m.Unmap, nil
}
