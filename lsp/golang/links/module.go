package links

import (
	"bytes"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"

	"github.com/cytisus/cytisus/lsp"
)

// OfModule lists the links of a go.mod file: replacements by a directory lead to its go.mod file,
// which file names, requirements to the documentation of the module that counts, unless it is
// private. There are none in a file that cannot be parsed.
func OfModule(text []byte, private string, file func(dir string) string) (list []lsp.Link) {
	f, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return nil
	}
	add := func(line *modfile.Line, word, target string) {
		if line == nil || target == "" {
			return
		}
		start, end := line.Start.Byte, min(line.End.Byte, len(text))
		if i := bytes.LastIndex(text[start:end], []byte(word)); i >= 0 {
			list = append(list, lsp.Link{Span: lsp.Span{Start: start + i, End: start + i + len(word)}, Target: target})
		}
	}
	replaced := map[module.Version]module.Version{}
	for _, r := range f.Replace {
		if modfile.IsDirectoryPath(r.New.Path) {
			add(r.Syntax, r.New.Path, file(r.New.Path))
		}
		replaced[r.Old] = r.New
	}
	for _, r := range f.Require {
		if module.MatchPrefixPatterns(private, r.Mod.Path) {
			continue
		}
		mod := r.Mod
		for _, old := range []module.Version{r.Mod, {Path: r.Mod.Path}} {
			if n, ok := replaced[old]; ok {
				if !modfile.IsDirectoryPath(n.Path) {
					mod = n
				}
				break
			}
		}
		add(r.Syntax, r.Mod.Path, documentation+"mod/"+mod.String())
	}
	return appendComments(list, f.Syntax, text)
}

// OfWork lists the links of a go.work file: the directories that it uses lead to their go.mod
// files.
func OfWork(text []byte, file func(dir string) string) (list []lsp.Link) {
	f, err := modfile.ParseWork("go.work", text, nil)
	if err != nil {
		return nil
	}
	for _, u := range f.Use {
		start, end := u.Syntax.Start.Byte, min(u.Syntax.End.Byte, len(text))
		if i := bytes.LastIndex(text[start:end], []byte(u.Path)); i >= 0 {
			if target := file(u.Path); target != "" {
				list = append(list, lsp.Link{Span: lsp.Span{Start: start + i, End: start + i + len(u.Path)}, Target: target})
			}
		}
	}
	return appendComments(list, f.Syntax, text)
}

// appendComments adds the addresses in the comments of a module file.
func appendComments(list []lsp.Link, f *modfile.FileSyntax, text []byte) []lsp.Link {
	comments := func(c *modfile.Comments) {
		for _, some := range [][]modfile.Comment{c.Before, c.Suffix, c.After} {
			for _, one := range some {
				start := min(one.Start.Byte, len(text))
				list = appendAddresses(list, text, lsp.Span{Start: start, End: min(start+len(one.Token), len(text))})
			}
		}
	}
	comments(f.Comment())
	for _, stmt := range f.Stmt {
		comments(stmt.Comment())
		if block, ok := stmt.(*modfile.LineBlock); ok {
			for _, line := range block.Line {
				comments(line.Comment())
			}
			comments(&block.RParen.Comments)
		}
	}
	return list
}
