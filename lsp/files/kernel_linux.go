package files

import (
	"os"

	"golang.org/x/sys/unix"
)

// kernelFileSystems are those whose files are made up while they are read, or do something.
var kernelFileSystems = map[uint32]bool{
	unix.PROC_SUPER_MAGIC:      true,
	unix.SYSFS_MAGIC:           true,
	unix.DEBUGFS_MAGIC:         true,
	unix.TRACEFS_MAGIC:         true,
	unix.SECURITYFS_MAGIC:      true,
	unix.CGROUP_SUPER_MAGIC:    true,
	unix.CGROUP2_SUPER_MAGIC:   true,
	unix.BPF_FS_MAGIC:          true,
	unix.DEVPTS_SUPER_MAGIC:    true,
	unix.EFIVARFS_MAGIC:        true,
	unix.PSTOREFS_MAGIC:        true,
	unix.BINFMTFS_MAGIC:        true,
	unix.BINDERFS_SUPER_MAGIC:  true,
	unix.SELINUX_MAGIC:         true,
	unix.SMACK_MAGIC:           true,
	unix.RDTGROUP_SUPER_MAGIC:  true,
	unix.NSFS_MAGIC:            true,
	unix.SOCKFS_MAGIC:          true,
	unix.OPENPROM_SUPER_MAGIC:  true,
	unix.XENFS_SUPER_MAGIC:     true,
	unix.DEVMEM_MAGIC:          true,
	unix.ANON_INODE_FS_MAGIC:   true,
	unix.USBDEVICE_SUPER_MAGIC: true,
	configfsMagic:              true,
	fusectlMagic:               true,
}

// Two numbers of the kernel's linux/magic.h and fs/fuse that package unix has no name for.
const (
	configfsMagic = 0x62656570
	fusectlMagic  = 0x65735543
)

// madeUp reports whether an open file lies in a file system of the kernel's (F3). One that does
// not say what it is counts as ordinary.
func madeUp(file *os.File) bool {
	raw, err := file.SyscallConn()
	if err != nil {
		return false
	}
	var (
		st  unix.Statfs_t
		bad error
	)
	if err := raw.Control(func(fd uintptr) { bad = unix.Fstatfs(int(fd), &st) }); err != nil || bad != nil {
		return false
	}
	return kernelFileSystems[uint32(st.Type)]
}

// leadsToKernel is madeUp for a name.
func leadsToKernel(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && kernelFileSystems[uint32(st.Type)]
}
