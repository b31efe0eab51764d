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
	"github.com/cytisus/cytisus/runtime/keyed"
)

const embedDirective = "//go:embed"

// embedFilesMax bounds the files that are noted of one pattern.
const embedFilesMax = 100

// embedBytesMax bounds a pattern with its directory and problem, which lie in an index. Nothing is
// said of a longer one.
const embedBytesMax = 8000

// embeds says what the pattern of a go:embed directive matches: in the index, whether there is a
// problem, which is all that diagnostics depend on; beside it the files, as URIs; of a directory
// that matches, its own. A pattern that was not looked at yet is not there, and nothing is said of
// it.
var embeds = keyed.NewCovering[embedKey, string, []string]("golang/embed-patterns")

// An embedKey names a pattern in a directory, given by its URI with a slash.
type embedKey struct{ Dir, Pattern string }

// An embedMatch is what a pattern matches on disk.
type embedMatch struct {
	Files   []string
	Problem string // why the pattern is none, or matches nothing; "" if it does
}

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
		return embedMatch{Problem: "invalid pattern syntax"}
	}
	found, err := fs.Glob(os.DirFS(dir), glob)
	if err != nil {
		return embedMatch{Problem: "invalid pattern syntax"}
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
			return embedMatch{Problem: "cannot embed irregular file " + name}
		}
		if len(m.Files) < embedFilesMax {
			m.Files = append(m.Files, fileURI(full))
		}
	}
	if len(m.Files) == 0 {
		m.Problem = problem
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
		problem, err := embeds.Entry(r, embedKey{dirOfURI(uri), p.text})
		if err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return nil, err
		}
		if problem != "" {
			list = append(list, lsp.Diagnostic{
				Span: p.span, Severity: lsp.SeverityError, Code: "embed", Source: sourceList, Message: "pattern " + p.text + ": " + problem,
			})
		}
	}
	return list, nil
}

// embedded are the files that the pattern at an offset matches; ok is false if none stands there.
func embedded(t *runtime.Task, uri string, text []byte, offset int) (list []lsp.Location, ok bool, err error) {
	for _, p := range embedPatterns(text) {
		if offset < p.span.Start || offset > p.span.End {
			continue
		}
		m, err := knownMatch(t, embedKey{dirOfURI(uri), p.text})
		if errors.Is(err, runtime.ErrDamaged) { // the next Index puts it again
			err = t.Blocking(func() error {
				if dir, ok := filePath(dirOfURI(uri)); ok {
					m = matchEmbed(dir, p.text)
				}
				return nil
			})
		}
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
	matches := map[embedKey]embedMatch{} // as they are known
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
			matches[embedKey{dirOfURI(uri), p.text}] = embedMatch{}
		}
	}
	if everything || len(others) > 0 {
		known, err := knownEmbeds(t, w.root)
		if err != nil {
			return false, err
		}
		for _, key := range known {
			concerns := func(uri string) bool { return strings.HasPrefix(uri, key.Dir) || strings.HasPrefix(key.Dir, uri+"/") }
			if everything || slices.ContainsFunc(others, concerns) {
				matches[key] = embedMatch{}
			}
		}
	}
	if len(matches) == 0 {
		return false, nil
	}
	for key := range matches {
		m, err := knownMatch(t, key)
		switch {
		case errors.Is(err, runtime.ErrNotFound):
		case errors.Is(err, runtime.ErrDamaged):
			matches[key] = embedMatch{Problem: "what there was is damaged"} // equal to none, so it is put again
		case err != nil:
			return false, err
		default:
			matches[key] = m
		}
	}
	err := t.Blocking(func() error {
		for key, was := range matches {
			path, ok := filePath(key.Dir)
			if !ok {
				delete(matches, key)
				continue
			}
			now := matchEmbed(path, key.Pattern)
			same := was.Problem == now.Problem && slices.Equal(was.Files, now.Files)
			if same || len(key.Dir)+len(key.Pattern)+len(now.Problem) > embedBytesMax {
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
			errs = append(errs, embeds.Put(c, key, m.Problem, m.Files))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return false, fmt.Errorf("golang: %s: %w", w.root, err)
	}
	return true, t.Blocking(func() error { return w.publishWatches(t.Context()) })
}

// knownEmbeds lists the patterns below a root that were looked at.
func knownEmbeds(r runtime.Reader, root string) (keys []embedKey, err error) {
	pat, err := embeds.Prefix(embedKey{Dir: dirPrefix(root)}, 1)
	if err == nil {
		err = embeds.Each(r, pat, func(k embedKey, _ string) error {
			keys = append(keys, k)
			return nil
		})
	}
	return keys, err
}

// knownMatch is what is known of a pattern.
func knownMatch(r runtime.Reader, key embedKey) (m embedMatch, err error) {
	m.Problem, m.Files, err = embeds.Get(r, key)
	return m, err
}

// embedWatches asks to hear of what the known patterns can match.
func (w *workspace) embedWatches(snap *runtime.Snapshot) (out []partition.Watch, err error) {
	keys, err := knownEmbeds(snap, w.root)
	for _, key := range keys {
		at, ok := filePath(key.Dir)
		if !ok {
			continue
		}
		glob := strings.TrimPrefix(key.Pattern, "all:")
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
