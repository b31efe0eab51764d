package golang

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/keyed"
)

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

// embedDiagnostics are those of a file for patterns that match nothing.
func embedDiagnostics(r runtime.Reader, uri string, text []byte) (list []lsp.Diagnostic, err error) {
	for _, p := range syntax.EmbedPatterns(text) {
		problem, err := embeds.Entry(r, embedKey{files.DirURI(uri), p.Text})
		if err != nil && !errors.Is(err, runtime.ErrNotFound) {
			return nil, err
		}
		if problem != "" {
			list = append(list, lsp.Diagnostic{
				Span: p.Span, Severity: lsp.SeverityError, Code: "embed", Source: metadata.SourceList, Message: "pattern " + p.Text + ": " + problem,
			})
		}
	}
	return list, nil
}

// embedded are the files that the pattern at an offset matches; ok is false if none stands there.
func embedded(t *runtime.Task, uri string, text []byte, offset int) (list []lsp.Location, ok bool, err error) {
	for _, p := range syntax.EmbedPatterns(text) {
		if offset < p.Span.Start || offset > p.Span.End {
			continue
		}
		m, err := knownMatch(t, embedKey{files.DirURI(uri), p.Text})
		if errors.Is(err, runtime.ErrDamaged) { // the next Index puts it again
			err = t.Blocking(func() error {
				if dir, ok := files.Path(files.DirURI(uri)); ok {
					m = disk.MatchEmbed(dir, p.Text)
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

// lookAtEmbeds compares the patterns of some files with the disk, and those that are known and that
// a change of other files can concern, or all of them if everything is looked at. It reports
// whether any differs; then it is committed.
func (w *workspace) lookAtEmbeds(t *runtime.Task, goFiles, others []string, everything bool) (bool, error) {
	matches := map[embedKey]disk.EmbedMatch{} // as they are known
	for _, uri := range goFiles {
		h, err := headers.Get(t, uri)
		if err != nil {
			return false, err
		}
		if !strings.Contains(h, syntax.EmbedDirective) {
			continue
		}
		text, err := textOf(t, uri)
		if ignoreUnknown(err) != nil {
			return false, err
		}
		for _, p := range syntax.EmbedPatterns(text) {
			matches[embedKey{files.DirURI(uri), p.Text}] = disk.EmbedMatch{}
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
				matches[key] = disk.EmbedMatch{}
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
			matches[key] = disk.EmbedMatch{Problem: "what there was is damaged"} // equal to none, so it is put again
		case err != nil:
			return false, err
		default:
			matches[key] = m
		}
	}
	err := t.Blocking(func() error {
		for key, was := range matches {
			path, ok := files.Path(key.Dir)
			if !ok {
				delete(matches, key)
				continue
			}
			now := disk.MatchEmbed(path, key.Pattern)
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
	pat, err := embeds.Prefix(embedKey{Dir: files.URIPrefix(root)}, 1)
	if err == nil {
		err = embeds.Each(r, pat, func(k embedKey, _ string) error {
			keys = append(keys, k)
			return nil
		})
	}
	return keys, err
}

// knownMatch is what is known of a pattern.
func knownMatch(r runtime.Reader, key embedKey) (m disk.EmbedMatch, err error) {
	m.Problem, m.Files, err = embeds.Get(r, key)
	return m, err
}

// embedWatches asks to hear of what the known patterns can match.
func (w *workspace) embedWatches(snap *runtime.Snapshot) (out []partition.Watch, err error) {
	keys, err := knownEmbeds(snap, w.root)
	for _, key := range keys {
		at, ok := files.Path(key.Dir)
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
