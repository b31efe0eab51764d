package disk

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/cytisus/cytisus/lsp/files"
)

// embedFilesMax bounds the files that are noted of one pattern.
const embedFilesMax = 100

// An EmbedMatch is what a pattern matches on disk.
type EmbedMatch struct {
	Files   []string
	Problem string // why the pattern is none, or matches nothing; "" if it does
}

// MatchEmbed looks at the disk as the go command does (load.resolveEmbed): a pattern matches files,
// and directories that hold files which can be embedded.
func MatchEmbed(dir, pattern string) (m EmbedMatch) {
	glob, all := strings.CutPrefix(pattern, "all:")
	if _, err := path.Match(glob, ""); err != nil || !fs.ValidPath(glob) {
		return EmbedMatch{Problem: "invalid pattern syntax"}
	}
	found, err := fs.Glob(os.DirFS(dir), glob)
	if err != nil {
		return EmbedMatch{Problem: "invalid pattern syntax"}
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
			return EmbedMatch{Problem: "cannot embed irregular file " + name}
		}
		if len(m.Files) < embedFilesMax {
			m.Files = append(m.Files, files.URI(full))
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
