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
	"strings"

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

// makePrivate makes a directory that is the user's own, or finds it to be that already. A
// directory above it that others could put another one into is passed over.
func makePrivate(dir string, uid int) error {
	if uid >= 0 {
		if err := checkAbove(filepath.Dir(dir), uid); err != nil {
			return err
		}
	}
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

// symlinksMax bounds how many symbolic links a path may lead through.
const symlinksMax = 40

// checkAbove makes sure that nobody but the user and the system's own can exchange what a
// path names (A2). Every directory on the way belongs to one of them and is closed to the
// writing of others, or sticky, so that they cannot move what is not theirs; every symbolic
// link on the way belongs to one of them, and where it leads is checked as well.
func checkAbove(dir string, uid int) error {
	todo := splitPath(dir)
	at := string(filepath.Separator)
	for links := 0; ; {
		info, err := os.Lstat(at)
		if err != nil {
			return err
		}
		if owner, ok := ownerOf(info); ok && owner != uid && owner != 0 {
			return fmt.Errorf("%s is not used: %s belongs to user %d", dir, at, owner)
		}
		switch mode := info.Mode(); {
		case mode&fs.ModeSymlink != 0:
			if links++; links > symlinksMax {
				return fmt.Errorf("%s is not used: too many symbolic links", dir)
			}
			to, err := os.Readlink(at)
			if err != nil {
				return err
			}
			todo = append(splitPath(to), todo...)
			at = filepath.Dir(at)
			if filepath.IsAbs(to) {
				at = string(filepath.Separator)
			}
		case mode.Perm()&0o022 != 0 && mode&fs.ModeSticky == 0:
			return fmt.Errorf("%s is not used: others may write into %s, which has mode %#o", dir, at, mode.Perm())
		}
		if len(todo) == 0 {
			return nil
		}
		at, todo = filepath.Join(at, todo[0]), todo[1:]
	}
}

// splitPath returns the elements of a path. An element ".." is kept: behind a symbolic link
// it leads elsewhere than the name before it says.
func splitPath(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}

// checkSocket makes sure that what lies at a socket's path is a socket of the user's own, and
// not a link to another one. It succeeds if nothing is there.
func checkSocket(path string, uid int) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&(fs.ModeSocket|fs.ModeIrregular) == 0 || info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%w: %s is no socket", ErrUnsafe, path)
	}
	if owner, ok := ownerOf(info); uid >= 0 && ok && owner != uid {
		return fmt.Errorf("%w: %s belongs to user %d, not to %d", ErrUnsafe, path, owner, uid)
	}
	return nil
}
