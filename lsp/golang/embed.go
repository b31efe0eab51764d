package golang

import (
	"errors"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
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

// inEmbed reports whether a pattern of a go:embed directive stands at an offset.
func inEmbed(text []byte, offset int) bool {
	return slices.ContainsFunc(syntax.EmbedPatterns(text), func(p syntax.EmbedPattern) bool {
		return p.Span.Start <= offset && offset <= p.Span.End
	})
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
