package daemon

import (
	"net"

	"golang.org/x/sys/unix"
)

// peerUser asks the kernel who is at the other end.
func peerUser(conn *net.UnixConn) (uid int, ok bool, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false, err
	}
	var cred *unix.Ucred
	var sockErr error
	if err := raw.Control(func(fd uintptr) {
		cred, sockErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return 0, false, err
	}
	if sockErr != nil {
		return 0, false, sockErr
	}
	return int(cred.Uid), true, nil
}
