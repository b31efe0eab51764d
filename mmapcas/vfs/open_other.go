//go:build !unix && !windows

package vfs

import (
	"io/fs"
	"os"
)

func openFile(name string, flag int) (*os.File, error) { return os.OpenFile(name, flag, fileMode) }

func checkDir(string, fs.FileInfo) error { return nil }
