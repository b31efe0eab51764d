package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// A place is FILE:LINE:COL of a command line.
type place struct {
	file         string // absolute
	line, column int    // from 1; column in bytes
}

// parsePlace takes FILE:LINE:COL apart. The file's name may hold colons.
func parsePlace(arg string) (place, error) {
	bad := func(why string) (place, error) {
		return place{}, &usageError{fmt.Errorf("%q: %s; a place is written FILE:LINE:COL, as in fmt/print.go:213:6", arg, why)}
	}
	rest, col, ok := cutLast(arg)
	if !ok {
		return bad("no column")
	}
	file, line, ok := cutLast(rest)
	if !ok || file == "" {
		return bad("no line and column")
	}
	p := place{}
	var err error
	if p.line, err = strconv.Atoi(line); err != nil || p.line < 1 {
		return bad(fmt.Sprintf("line %q is not a number from 1", line))
	}
	if p.column, err = strconv.Atoi(col); err != nil || p.column < 1 {
		return bad(fmt.Sprintf("column %q is not a number from 1", col))
	}
	p.file, err = existingFile(file)
	return p, err
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// existingFile returns the absolute path of a file, with symbolic links in its directory resolved,
// as the go command names it.
func existingFile(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", name, err)
	}
	st, err := os.Stat(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return "", &usageError{fmt.Errorf("there is no file %s", name)}
	}
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", name, err)
	}
	if st.IsDir() {
		return "", &usageError{fmt.Errorf("%s is a directory, not a file", name)}
	}
	return abs, nil
}

// offset returns the byte offset of line and column in text. The column after the last byte of a
// line is on it.
func (p place) offset(text []byte) (int, error) {
	start := 0
	for n := 1; n < p.line; n++ {
		i := indexByte(text[start:], '\n')
		if i < 0 {
			return 0, &usageError{fmt.Errorf("%s has %d lines, there is no line %d", p.file, n, p.line)}
		}
		start += i + 1
	}
	length := indexByte(text[start:], '\n')
	if length < 0 {
		length = len(text) - start
	}
	if p.column > length+1 {
		return 0, &usageError{fmt.Errorf("line %d of %s has %d bytes, there is no column %d", p.line, p.file, length, p.column)}
	}
	return start + p.column - 1, nil
}

func indexByte(b []byte, c byte) int {
	for i := range b {
		if b[i] == c {
			return i
		}
	}
	return -1
}

// workspaceRoot returns the root for a file or directory: where go.work or, failing that, go.mod is
// found on the way up, else the directory itself.
func workspaceRoot(from string) (string, error) {
	dir, err := filepath.Abs(from)
	if err != nil {
		return "", fmt.Errorf("finding the root of %s: %w", from, err)
	}
	st, err := os.Stat(dir)
	if err != nil {
		return "", &usageError{fmt.Errorf("there is no directory %s", from)}
	}
	if !st.IsDir() {
		dir = filepath.Dir(dir)
	}
	// The go command resolves symbolic links in the directory it runs in: one module, one root, one
	// store.
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	module := ""
	for d := dir; ; d = filepath.Dir(d) {
		if exists(filepath.Join(d, "go.work")) {
			return d, nil
		}
		if module == "" && exists(filepath.Join(d, "go.mod")) {
			module = d
		}
		if filepath.Dir(d) == d {
			break
		}
	}
	if module != "" {
		return module, nil
	}
	return dir, nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// storeDir returns the store's directory for a root: its base name for people, a hash of the whole
// path for uniqueness.
func storeDir(root string) (string, error) {
	cache, err := os.UserCacheDir()
	if err == nil && !filepath.IsAbs(cache) { // it would be another store in each directory
		err = fmt.Errorf("%s is not absolute; look at $HOME", cache)
	}
	if err != nil {
		return "", &storeError{fmt.Errorf("finding the user's cache directory (give --store instead): %w", err)}
	}
	sum := sha256.Sum256([]byte(root))
	name := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '.') {
			return r
		}
		return '_'
	}, filepath.Base(root))
	return filepath.Join(cache, "cytisus", name+"-"+hex.EncodeToString(sum[:6])), nil
}
