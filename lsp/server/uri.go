package server

import (
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
	"unicode/utf8"

	"go.lsp.dev/jsonrpc2"
	"go.lsp.dev/uri"
)

// Limits of what names a document. A name becomes part of keys in the engine, which are bounded:
// a path of maxPathBytes makes a URI of three times as many bytes at most.
const (
	maxURIBytes  = 12 << 10
	maxPathBytes = 4 << 10
)

// isFile reports whether a name is that of a file. Others name what an editor alone knows: texts
// that were never saved (untitled:), old versions (git:), cells of notebooks. Their texts are
// followed, and there is nothing to say about them.
func isFile(name string) bool { return strings.HasPrefix(name, "file://") }

// handles reports whether a document is a file of the host's language.
func (h *Host) handles(name string) bool { return isFile(name) && h.lang.Handles(name) }

// nameOf is the door for every URI that a client sends. It returns the one name of a document that
// may be written in several ways, as in file:///a%2db and file:///a-b, with dots and repeated
// slashes resolved. What can be no name is an error with the code InvalidParams:
//
//	longer than maxURIBytes, or a path longer than maxPathBytes
//	control characters, a NUL in any writing, bytes that are no UTF-8
//	no scheme
//	a file without a path
//	a file with a query or a fragment, or of another host; on Windows a host is a share's
func nameOf(u uri.URI) (string, error) {
	text := string(u)
	refuse := func(format string, args ...any) (string, error) {
		return "", jsonrpc2.Errorf(jsonrpc2.InvalidParams, "URI %.200q: "+format, append([]any{text}, args...)...)
	}
	switch {
	case text == "":
		return "", jsonrpc2.NewError(jsonrpc2.InvalidParams, "textDocument.uri is missing")
	case len(text) > maxURIBytes:
		return refuse("it has %d bytes, at most %d are taken", len(text), maxURIBytes)
	case !utf8.ValidString(text):
		return refuse("it is not valid UTF-8")
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return refuse("it has control characters")
	}
	scheme, rest, ok := strings.Cut(text, ":")
	if !ok || !isScheme(scheme) {
		return refuse("it has no scheme")
	}
	if !strings.EqualFold(scheme, "file") {
		return strings.Clone(text), nil // decoded strings may alias a whole message
	}
	if strings.ContainsAny(rest, "?#") {
		return refuse("a file has no query and no fragment; write %%3F and %%23")
	}
	if host, path, ok := strings.Cut(strings.TrimPrefix(rest, "//"), "/"); ok && strings.HasPrefix(rest, "//") && host != "" {
		if decoded, err := url.PathUnescape(host); err == nil && strings.EqualFold(decoded, "localhost") {
			rest = "///" + path
		} else if runtime.GOOS != "windows" {
			return refuse("files of the host %.80q are not read", host)
		}
	}
	if strings.Trim(rest, "/") == "" && !strings.Contains(strings.TrimPrefix(rest, "//"), "/") {
		return refuse("it has no path")
	}
	if path, ok := strings.CutPrefix(rest, "///"); ok {
		rest = "///" + strings.TrimLeft(path, "/") // the library takes none of the slashes that others add
	}
	parsed, err := uri.Parse("file:" + rest)
	if err != nil || !parsed.IsFile() {
		return refuse("%v", err)
	}
	path := parsed.FsPath()
	switch {
	case strings.ContainsRune(path, 0):
		return refuse("it has a NUL")
	case !utf8.ValidString(path):
		return refuse("its path is not valid UTF-8")
	case len(path) > maxPathBytes:
		return refuse("its path has %d bytes, at most %d are taken", len(path), maxPathBytes)
	case !filepath.IsAbs(path):
		return string(parsed), nil // a path of another system: there is no such file here
	}
	return string(uri.File(filepath.Clean(path))), nil
}

// isScheme reports whether a word can be the scheme of a URI.
func isScheme(s string) bool {
	for i, r := range s {
		letter := 'a' <= r|0x20 && r|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", r)) {
			return false
		}
	}
	return s != ""
}

// directoryOf is the path of a folder that a client names; ok is false if the name is no file's.
func directoryOf(u uri.URI) (path string, ok bool, err error) {
	name, err := nameOf(u)
	if err != nil || !isFile(name) {
		return "", false, err
	}
	return uri.URI(name).FsPath(), true, nil
}

// spelledMax is how many documents' own spellings a session remembers.
const spelledMax = 4096

// spelled are names of documents that the client writes in another way, which is the way that it is
// answered in.
type spelled map[string]uri.URI

// remember takes down how the client writes a name.
func (s *session) remember(name string, u uri.URI) {
	if s.foreign(name) == u {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := spelled{}
	if old := s.spelled.Load(); old != nil && len(*old) < spelledMax {
		for k, v := range *old {
			now[k] = v
		}
	}
	now[name] = uri.URI(strings.Clone(string(u)))
	s.spelled.Store(&now)
}
