package golang

import (
	"bytes"
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

const embedDirective = "//go:embed"

// embedFilesMax bounds the files that are noted of one pattern.
const embedFilesMax = 100

// embeds says what the pattern of a go:embed directive matches, under embedKey. A pattern that was
// not looked at yet has no entry, and nothing is said of it.
var embeds = runtime.NewPartition[embedMatch]("golang/embeds")

// An embedMatch is what a pattern matches on disk.
type embedMatch struct {
	Files   []string // URIs; of a directory that matches, its own
	Problem string   // why the pattern is none, or matches nothing; "" if it does
}

// embedKey names a pattern in a directory, given by its URI.
func embedKey(dir, pattern string) string { return dir + "\x00" + pattern }

// An embedPattern is one of those of a directive.
type embedPattern struct {
	text string
	span lsp.Span // quotes included
}

// embedPatterns finds the patterns of a file's go:embed directives, as the go command does: in any
// comment of a line.
func embedPatterns(text []byte) (list []embedPattern) {
	if !bytes.Contains(text, []byte(embedDirective)) {
		return nil
	}
	var sc scanner.Scanner
	file := token.NewFileSet().AddFile("", -1, len(text))
	sc.Init(file, text, func(token.Position, string) {}, scanner.ScanComments)
	for {
		pos, tok, comment := sc.Scan()
		if tok == token.EOF {
			return list
		}
		rest, ok := strings.CutPrefix(comment, embedDirective)
		start := file.Offset(pos) + len(embedDirective)
		if tok != token.COMMENT || !ok || rest == "" || rest[0] != ' ' && rest[0] != '\t' {
			continue
		}
		for rest != "" {
			trimmed := strings.TrimLeftFunc(rest, unicode.IsSpace)
			start += len(rest) - len(trimmed)
			if rest = trimmed; rest == "" {
				break
			}
			n := strings.IndexFunc(rest, unicode.IsSpace)
			if n < 0 {
				n = len(rest)
			}
			word := rest[:n]
			if rest[0] == '"' || rest[0] == '`' {
				quoted, err := strconv.QuotedPrefix(rest)
				if err != nil {
					break // the compiler tells
				}
				n = len(quoted)
				word, _ = strconv.Unquote(quoted)
			}
			list = append(list, embedPattern{word, lsp.Span{Start: start, End: start + n}})
			start, rest = start+n, rest[n:]
		}
	}
}

// matchEmbed looks at the disk as the go command does (load.resolveEmbed): a pattern matches files,
// and directories that hold files which can be embedded.
func matchEmbed(dir, pattern string) (m embedMatch) {
	glob, all := strings.CutPrefix(pattern, "all:")
	if _, err := path.Match(glob, ""); err != nil || !fs.ValidPath(glob) {
		return embedMatch{Problem: "pattern " + pattern + ": invalid pattern syntax"}
	}
	found, err := fs.Glob(os.DirFS(dir), glob)
	if err != nil {
		return embedMatch{Problem: "pattern " + pattern + ": invalid pattern syntax"}
	}
	problem := "no matching files found"
	for _, name := range found {
		full := filepath.Join(dir, filepath.FromSlash(name))
		switch info, err := os.Lstat(full); {
		case err != nil:
			continue
		case info.IsDir():
			if !holdsEmbeddable(full, all) {
				problem = "cannot embed directory " + name + ": contains no embeddable files"
				continue
			}
		case !info.Mode().IsRegular():
			return embedMatch{Problem: "pattern " + pattern + ": cannot embed irregular file " + name}
		}
		if len(m.Files) < embedFilesMax {
			m.Files = append(m.Files, fileURI(full))
		}
	}
	if len(m.Files) == 0 {
		m.Problem = "pattern " + pattern + ": " + problem
	}
	return m
}

// holdsEmbeddable reports whether a directory has a file that embedding it would take along.
func holdsEmbeddable(dir string, all bool) bool {
	found := false
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		base := filepath.Base(name)
		hidden := name != dir && !all && (base[0] == '.' || base[0] == '_')
		switch {
		case err != nil, hidden && d.IsDir():
			return fs.SkipDir
		case d.IsDir():
			if _, err := os.Stat(filepath.Join(name, "go.mod")); name != dir && err == nil {
				return fs.SkipDir // another module
			}
		case !hidden && d.Type().IsRegular():
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// embedDiagnostics are those of a file for patterns that match nothing.
func embedDiagnostics(r runtime.Reader, uri string, text []byte) (list []lsp.Diagnostic, err error) {
	for _, p := range embedPatterns(text) {
		m, err := embeds.Get(r, embedKey(dirOfURI(uri), p.text))
		if errors.Is(err, runtime.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if m.Problem != "" {
			list = append(list, lsp.Diagnostic{
				Span: p.span, Severity: lsp.SeverityError, Code: "embed", Source: sourceList, Message: m.Problem,
			})
		}
	}
	return list, nil
}

// embedded are the files that the pattern at an offset matches; ok is false if none stands there.
func embedded(r runtime.Reader, uri string, text []byte, offset int) (list []lsp.Location, ok bool, err error) {
	for _, p := range embedPatterns(text) {
		if offset < p.span.Start || offset > p.span.End {
			continue
		}
		m, err := embeds.Get(r, embedKey(dirOfURI(uri), p.text))
		if err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return nil, true, err
		}
		for _, file := range m.Files {
			list = append(list, lsp.Location{URI: file})
		}
		return list, true, nil
	}
	return nil, false, nil
}

func dirOfURI(uri string) string { return uri[:strings.LastIndexByte(uri, '/')+1] }

// lookAtEmbeds compares the patterns of some files with the disk, and those that are known and that
// a change of other files can concern, or all of them if everything is looked at. It reports
// whether any differs; then it is committed.
func (w *workspace) lookAtEmbeds(t *runtime.Task, goFiles, others []string, everything bool) (bool, error) {
	matches := map[string]embedMatch{} // as they are known, by key
	for _, uri := range goFiles {
		h, err := headers.Get(t, uri)
		if err != nil {
			return false, err
		}
		if !strings.Contains(h, embedDirective) {
			continue
		}
		text, err := textOf(t, uri)
		if ignoreUnknown(err) != nil {
			return false, err
		}
		for _, p := range embedPatterns(text) {
			matches[embedKey(dirOfURI(uri), p.text)] = embedMatch{}
		}
	}
	known, err := embeds.Keys(t, runtime.Prefix(dirPrefix(w.root)))
	if err != nil {
		return false, err
	}
	for _, key := range known {
		dir, _, _ := strings.Cut(key, "\x00")
		_, named := matches[key]
		concerns := func(uri string) bool { return strings.HasPrefix(uri, dir) || strings.HasPrefix(dir, uri+"/") }
		if named || everything || slices.ContainsFunc(others, concerns) {
			if matches[key], err = embeds.Get(t, key); err != nil {
				return false, err
			}
		}
	}
	err = t.Blocking(func() error {
		for key, was := range matches {
			dir, pattern, _ := strings.Cut(key, "\x00")
			path, ok := filePath(dir)
			if !ok {
				delete(matches, key)
				continue
			}
			now := matchEmbed(path, pattern)
			if was.Problem == now.Problem && slices.Equal(was.Files, now.Files) {
				delete(matches, key)
			} else {
				matches[key] = now
			}
		}
		return nil
	})
	if err != nil || len(matches) == 0 {
		return false, err
	}
	err = t.Commit(func(c *runtime.Writer) error {
		var errs []error
		for key, m := range matches {
			errs = append(errs, embeds.Put(c, key, m))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return false, fmt.Errorf("golang: %s: %w", w.root, err)
	}
	return true, t.Blocking(func() error { return w.publishWatches(t.Context()) })
}

// embedWatches asks to hear of what the known patterns can match.
func (w *workspace) embedWatches(snap *runtime.Snapshot) (out []partition.Watch, err error) {
	keys, err := embeds.Keys(snap, runtime.Prefix(dirPrefix(w.root)))
	for _, key := range keys {
		dir, pattern, _ := strings.Cut(key, "\x00")
		at, ok := filePath(dir)
		if !ok {
			continue
		}
		glob := strings.TrimPrefix(pattern, "all:")
		if _, err := path.Match(glob, ""); err != nil || !fs.ValidPath(glob) || strings.ContainsAny(glob, "{}") {
			continue // what a client may take for something else
		}
		at = filepath.Clean(at)
		if n := len(out); n == 0 || out[n-1].Dir != at {
			out = append(out, partition.Watch{Dir: at})
		}
		last := &out[len(out)-1]
		last.Globs = append(last.Globs, glob, glob+"/**")
	}
	return out, err
}
