package golang

import (
	"path/filepath"
	"strings"
	"unicode/utf8"

	"go.lsp.dev/uri"
)

// fileURI is the canonical file:// URI of an absolute path. The path must be valid UTF-8: a URI could carry other bytes, but
// no client could send them back.
func fileURI(path string) string { return string(uri.File(path)) }

// filePath is the path that a file:// URI names; ok is false for any other URI.
func filePath(u string) (path string, ok bool) {
	parsed, err := uri.Parse(u)
	if err != nil || !parsed.IsFile() {
		return "", false
	}
	path = parsed.FsPath()
	if path == "" || !utf8.ValidString(path) {
		return "", false
	}
	return path, true
}

// canonicalURI gives the one spelling of a file:// URI under which partitions know the file (lsp.L1).
func canonicalURI(u string) (string, bool) {
	path, ok := filePath(u)
	if !ok {
		return "", false
	}
	return fileURI(filepath.Clean(path)), true
}

// dirPrefix is what the URIs of all files below a directory begin with.
func dirPrefix(dir string) string {
	u := fileURI(dir)
	if !strings.HasSuffix(u, "/") {
		u += "/"
	}
	return u
}

// baseName is the last element of a URI, still encoded.
func baseName(u string) string { return u[strings.LastIndexByte(u, '/')+1:] }

func isGoFile(name string) bool { return strings.HasSuffix(name, ".go") }

func isTestFile(name string) bool { return strings.HasSuffix(name, "_test.go") }

// mustPath is the path of a URI that is known to be one of a file.
func mustPath(u string) string {
	path, _ := filePath(u)
	return path
}
