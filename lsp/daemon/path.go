package daemon

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/zeebo/blake3"
)

// maxSocketPath is the longest path that fits every system's sockaddr_un: 104 bytes on
// macOS and the BSDs, 108 on Linux and Windows, with a NUL.
const maxSocketPath = 103

// SocketPath returns where the host of a store listens. It makes the directory.
func SocketPath(store string) (string, error) {
	canonical, err := canonicalStore(store)
	if err != nil {
		return "", err
	}
	dir, err := socketDir(os.Getenv("XDG_RUNTIME_DIR"), os.TempDir(), os.Getuid())
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, socketName(canonical)), nil
}

// canonicalStore returns the one path that a store's directory is known by.
func canonicalStore(store string) (string, error) {
	abs, err := filepath.Abs(store)
	if err != nil {
		return "", fmt.Errorf("daemon: store %s: %w", store, err)
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return abs, nil
	}
	if err != nil {
		return "", fmt.Errorf("daemon: store %s: %w", store, err)
	}
	return real, nil
}

func socketName(canonical string) string {
	sum := blake3.Sum256([]byte("cytisus socket\x00" + canonical))
	return hex.EncodeToString(sum[:10]) + ".sock"
}

// socketDir makes and checks the directory for sockets (A0). The candidates are tried
// in order until the name of a socket fits.
func socketDir(runtimeDir, tempDir string, uid int) (string, error) {
	own := "cytisus"
	if uid >= 0 {
		own += "-" + strconv.Itoa(uid)
	}
	var candidates []string
	if runtimeDir != "" && filepath.IsAbs(runtimeDir) {
		candidates = append(candidates, filepath.Join(runtimeDir, "cytisus"))
	}
	candidates = append(candidates, filepath.Join(tempDir, own))
	if runtime.GOOS != "windows" {
		candidates = append(candidates, filepath.Join("/tmp", own))
	}
	var problems []error
	for _, dir := range candidates {
		if len(dir)+1+len(socketName("")) > maxSocketPath {
			problems = append(problems, fmt.Errorf("%s is too long for a socket", dir))
			continue
		}
		if err := makePrivate(dir, uid); err != nil {
			if errors.Is(err, ErrUnsafe) {
				return "", err // somebody may have put it there on purpose
			}
			problems = append(problems, err)
			continue
		}
		return dir, nil
	}
	return "", fmt.Errorf("daemon: no directory for sockets: %w", errors.Join(problems...))
}

func makePrivate(dir string, uid int) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir) // a symbolic link is somebody else's idea of a directory
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is no directory", ErrUnsafe, dir)
	}
	if uid < 0 {
		return nil // no Unix modes here
	}
	if owner, ok := ownerOf(info); ok && owner != uid {
		return fmt.Errorf("%w: %s belongs to user %d, not to %d", ErrUnsafe, dir, owner, uid)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%w: %s has mode %#o; others must have no access (chmod 700)", ErrUnsafe, dir, mode)
	}
	return nil
}
