package arena

import "golang.org/x/sys/unix"

// flushPages has nothing to do: mapped pages are the file's pages, and fdatasync writes them.
func flushPages([]byte) error { return nil }

// adviseHuge asks for huge pages. Kernels that have none say so; the memory works all the same.
func adviseHuge(mem []byte) {
	if len(mem) >= slabPageBytes {
		_ = unix.Madvise(mem, unix.MADV_HUGEPAGE)
	}
}

// populateWrite sets up the page tables of mem in one call, a third of what touching each page costs. Kernels
// before 5.14 answer EINVAL; pages are then touched one by one as they are used.
func populateWrite(mem []byte) {
	_ = unix.Madvise(mem, unix.MADV_POPULATE_WRITE)
}
