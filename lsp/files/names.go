package files

import (
	"path/filepath"
	"strings"
	"unicode/utf8"

	"go.lsp.dev/uri"
)

// URI is the canonical file:// URI of an absolute path. The path must be valid UTF-8: a URI could
// carry other bytes, but no client could send them back.
func URI(path string) string { return string(uri.File(path)) }

// Path is the path that a file:// URI names; ok is false for any other URI.
func Path(u string) (path string, ok bool) {
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

// CanonicalURI gives the one spelling of a file:// URI under which partitions know the file
// (lsp.L1).
func CanonicalURI(u string) (string, bool) {
	path, ok := Path(u)
	if !ok {
		return "", false
	}
	return URI(filepath.Clean(path)), true
}

// URIPrefix is what the URIs of all files below a directory begin with.
func URIPrefix(dir string) string {
	u := URI(dir)
	if !strings.HasSuffix(u, "/") {
		u += "/"
	}
	return u
}

// BaseName is the last element of a URI, still encoded.
func BaseName(u string) string { return u[strings.LastIndexByte(u, '/')+1:] }

// PathOf is the path of a URI that is known to be one of a file.
func PathOf(u string) string {
	path, _ := Path(u)
	return path
}

// DirURI is the URI of the directory that a file lies in, with a slash at its end.
func DirURI(uri string) string { return uri[:strings.LastIndexByte(uri, '/')+1] }

// Inside reports whether a path lies in a directory.
func Inside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// Innermost is the innermost of directories that a path lies in; "" if it lies in none.
func Innermost(dirs []string, path string) string {
	best := ""
	for _, dir := range dirs {
		if len(dir) > len(best) && Inside(dir, path) {
			best = dir
		}
	}
	return best
}
