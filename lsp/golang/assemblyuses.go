package golang

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// An assemblyFile is a file of the assembler, and what it names.
type assemblyFile struct {
	uri  string
	uses []syntax.AssemblyUse
}

// assemblyIn are the files of the assembler in directories whose texts have a word in them: to take
// the others apart would be most of the work. They are no inputs: the disk is read at the time of
// the question, but for those that an editor holds.
func assemblyIn(src source, dirs []string, word string) (list []assemblyFile, err error) {
	texts := map[string][]byte{}
	var uris []string
	read := func() error {
		for _, dir := range dirs {
			entries, err := os.ReadDir(dir)
			if err != nil {
				continue // it has gone
			}
			for _, e := range entries {
				if !syntax.IsAssembly(e.Name()) {
					continue
				}
				path := filepath.Join(dir, e.Name())
				if text, err := disk.ReadInput(path); err == nil {
					uri := files.URI(path)
					uris, texts[uri] = append(uris, uri), text
				}
			}
		}
		return nil
	}
	if s, is := src.(taskSource); is {
		err = s.t.Blocking(read)
	} else {
		err = read()
	}
	for _, uri := range uris {
		text, textErr := src.text(uri)
		if ignoreUnknown(textErr) != nil {
			return nil, textErr
		}
		if textErr != nil {
			text = texts[uri]
		}
		if !bytes.Contains(text, []byte(word)) {
			continue
		}
		list = append(list, assemblyFile{uri, syntax.AssemblyUses(uri, text)})
	}
	return list, err
}

// assemblyText is what the disk has of a file of the assembler.
func assemblyText(t *runtime.Task, uri string) (text []byte, err error) {
	err = t.Blocking(func() error {
		var readErr error
		if text, readErr = disk.ReadInput(files.PathOf(uri)); readErr != nil {
			return &lsp.FileError{URI: uri, Offset: -1, Err: lsp.ErrUnknownFile}
		}
		return nil
	})
	return text, err
}

// assemblyUseAt is what a file of the assembler names at an offset, and all that it names.
func assemblyUseAt(src source, uri string, offset int) (u syntax.AssemblyUse, all []syntax.AssemblyUse, err error) {
	text, err := src.text(uri)
	if err != nil {
		return u, nil, err
	}
	all = syntax.AssemblyUses(uri, text)
	if at := syntax.AssemblyUseAt(all, offset); at != nil {
		return *at, all, nil
	}
	return u, nil, &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
}

// A symbol is something that the linker knows by a name: of a package, or by itself.
type symbol struct {
	pkg  string // path of the package; "" for a name by itself
	name string
}

// word is what stands in the text of each file that names the symbol: that of a package behind the
// package's path or alone, with a dot of its own in between. Few files have it that do not.
func (s symbol) word() string {
	if s.pkg == "" {
		return s.name
	}
	return "·" + s.name
}

// symbolOf is the symbol of a use in a file of a package; p may be nil.
func symbolOf(u *syntax.AssemblyUse, p *metadata.Package) symbol {
	switch {
	case u.Bare:
		return symbol{"", u.Name}
	case u.Package == "" && p != nil:
		return symbol{p.Path, u.Name}
	}
	return symbol{u.Package, u.Name}
}

// An assemblyPlace is where a file of the assembler names something.
type assemblyPlace struct {
	lsp.Location
	declares bool
}

// assemblyKin lists the places in files of the assembler that name what one of them does.
func assemblyKin(src source, uri string, u *syntax.AssemblyUse, declaration bool) (list []assemblyPlace, err error) {
	if u.Kind == syntax.AssemblyLabel || u.Static {
		_, all, err := assemblyUseAt(src, uri, u.Span.Start)
		for i := range all {
			if all[i].Means(u) && (declaration || !all[i].Declares) {
				list = append(list, assemblyPlace{lsp.Location{URI: uri, Span: all[i].Span}, all[i].Declares})
			}
		}
		return list, err
	}
	m, err := src.metadata()
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(files.PathOf(uri))
	return assemblyUsesOf(src, symbolOf(u, m.InDir(dir)), dir, declaration)
}

// assemblyUsesOf lists the places where files of the assembler name a symbol: in a directory, in
// that of the package that it belongs to, and in those of packages of the workspace that import it.
func assemblyUsesOf(src source, sym symbol, dir string, declaration bool) (list []assemblyPlace, err error) {
	m, err := src.metadata()
	if err != nil {
		return nil, err
	}
	dirs := []string{dir}
	for i := range m.Packages {
		p := &m.Packages[i]
		if len(p.Files) == 0 || p.Path != sym.pkg && !(p.Workspace && importsPath(p, sym.pkg)) {
			continue
		}
		if dir := filepath.Dir(files.PathOf(p.Files[0])); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	all, err := assemblyIn(src, dirs, sym.word())
	if err != nil {
		return nil, err
	}
	for _, file := range all {
		p := m.InDir(filepath.Dir(files.PathOf(file.uri)))
		for i := range file.uses {
			u := &file.uses[i]
			if u.Kind == syntax.AssemblySymbol && !u.Static && symbolOf(u, p) == sym && (declaration || !u.Declares) {
				list = append(list, assemblyPlace{lsp.Location{URI: file.uri, Span: u.Span}, u.Declares})
			}
		}
	}
	return list, nil
}

// importsPath reports whether a package imports another one.
func importsPath(p *metadata.Package, path string) bool {
	return slices.ContainsFunc(p.Imports, func(e metadata.Edge) bool { return metadata.PathOf(e.ID) == path })
}
