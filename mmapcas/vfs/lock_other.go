//go:build (!unix && !windows) || solaris || aix

package vfs

import (
	"errors"
	"os"
)

// lockFile refuses: without a lock that dies with its holder, two writers would destroy a store.
func lockFile(*os.File, bool) error { return errors.ErrUnsupported }

func unlockFile(*os.File) error { return nil }

func syncDir(string) error { return nil }
