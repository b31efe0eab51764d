package files

import (
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"go.lsp.dev/uri"
)

// URI is the canonical file:// URI of an absolute path. The path must be valid UTF-8: a URI could
// carry other bytes, but no client could send them back. Behind two slashes stands a host, where
// the system has such paths; any other number of them means as much as one.
func URI(path string) string {
	slashes := 0
	for slashes < len(path) && os.IsPathSeparator(path[slashes]) {
		slashes++
	}
	if slashes > 2 || slashes == 2 && filepath.Separator == '/' {
		path = path[slashes-1:]
	}
	u := string(uri.File(path))
	if hasDrive(path) { // of which URIs elsewhere have one spelling; here two files are two
		u = rooted + path[1:2] + u[len(rooted)+1:]
	}
	return u
}

// rooted is what the URI of a path begins with, without a host.
const rooted = "file:///"

// hasDrive reports whether an absolute path begins as paths of a drive do elsewhere. It is any
// other directory here.
func hasDrive(path string) bool {
	return filepath.Separator == '/' && len(path) > 2 && path[0] == '/' && path[2] == ':' &&
		('a' <= path[1] && path[1] <= 'z' || 'A' <= path[1] && path[1] <= 'Z')
}

// Path is the path that a file:// URI names; ok is false for any other URI.
func Path(u string) (path string, ok bool) {
	if path, plain := plainPath(u); plain {
		return path, true
	}
	return parsedPath(u)
}

// parsedPath is Path by the rules of all URIs.
func parsedPath(u string) (path string, ok bool) {
	parsed, err := uri.Parse(u)
	if err != nil || !parsed.IsFile() {
		return "", false
	}
	path = parsed.FsPath()
	if hasDrive("/" + path) { // it has lost its slash, and the letter its case
		if path = "/" + path; len(u) > len(rooted) && strings.EqualFold(u[:len(rooted)+1], rooted+path[1:2]) {
			path = "/" + u[len(rooted):len(rooted)+1] + path[2:]
		}
	}
	if path == "" || !utf8.ValidString(path) {
		return "", false
	}
	return path, true
}

// plainPath is Path of the URIs that nearly all files have; plain is false for any other: to take
// them apart by the rules of all URIs costs ten times as much, and a build has ten thousands.
func plainPath(u string) (path string, plain bool) {
	const scheme = "file://"
	if filepath.Separator != '/' || !strings.HasPrefix(u, scheme+"/") {
		return "", false
	}
	u = u[len(scheme):]
	const escaped = "%40" // of a module's version
	escapes := 0
	for i := 0; i < len(u); i++ {
		switch c := u[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.' && u[i-1] != '/':
		case c == '/' && (i == 0 || u[i-1] != '/'):
		case strings.HasPrefix(u[i:], escaped):
			escapes++
			i += len(escaped) - 1
		default:
			return "", false
		}
	}
	if escapes > 0 {
		u = strings.ReplaceAll(u, escaped, "@")
	}
	return u, true
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
