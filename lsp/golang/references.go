package golang

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// References implements lsp.Workspace. Other builds that read the declaration are searched, too. A
// method is also called through the interfaces that its type implements, and a method of an
// interface is that of each type which implements it, so their references count.
func (w *workspace) References(t *runtime.Task, uri string, offset int, declaration bool) (list []lsp.Location, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) (err error) {
		if disk.IsModuleFile(uri) {
			q, err := newModuleQuestion(taskSource{t, root}, uri, offset)
			if err == nil {
				list, err = q.references(declaration)
			}
			return err
		}
		if syntax.IsAssembly(uri) {
			list, err = assemblyReferences(taskSource{t, root}, uri, offset, declaration)
			return err
		}
		if list, err = w.referencesOfAll(t, root, uri, offset, declaration); err != nil {
			return err
		}
		assembled, err := assembledReferences(taskSource{t, root}, uri, offset)
		if len(assembled) > 0 {
			list = append(list, assembled...)
			slices.SortFunc(list, lsp.Location.Compare)
			list = slices.Compact(list)
		}
		return err
	})
	return list, err
}

// referencesOfAll lists the references of what is named at an offset, of its kin, and those in
// other builds. They are sorted, and each is there once.
func (w *workspace) referencesOfAll(
	t *runtime.Task, root, uri string, offset int, declaration bool,
) ([]lsp.Location, error) {
	src := taskSource{t, root}
	s, err := newSearch(src)
	if err != nil {
		return nil, err
	}
	if err := s.look(uri, offset, searchScope{declaration: declaration}); err != nil {
		return nil, err
	}
	if err := w.lookForKin(src, s, uri, offset); err != nil {
		return nil, err
	}
	list, err := s.run()
	if err != nil {
		return nil, err
	}
	elsewhere, err := w.referencesElsewhere(t, root, uri, offset, declaration)
	if len(elsewhere) > 0 {
		list = append(list, elsewhere...)
		slices.SortFunc(list, lsp.Location.Compare)
		list = slices.Compact(list)
	}
	return list, err
}

// referencesElsewhere looks for references in the builds that read what is named in a file of
// another one.
func (w *workspace) referencesElsewhere(t *runtime.Task, root, uri string, offset int, declaration bool) (list []lsp.Location, err error) {
	builds := w.viewedBuilds()
	if len(builds) < 2 {
		return nil, nil
	}
	declared, err := definition(taskSource{t, root}, uri, offset)
	if err != nil {
		return nil, err
	}
	for _, b := range builds {
		for _, at := range declared {
			if b.Root == root || b.meta == nil || len(b.meta.Owners(at.URI)) == 0 || b.meta.IsForeign(files.PathOf(at.URI)) {
				continue
			}
			more, err := references(taskSource{t, b.Root}, at.URI, at.Span.Start, declaration)
			if err != nil && !errors.Is(err, lsp.ErrNoSymbol) && !errors.Is(err, lsp.ErrUnknownFile) {
				return nil, err
			}
			list = append(list, more...)
		}
	}
	return list, nil
}

// lookForKin has a search look for those methods, too, that the method at an offset stands for, or
// that stand for it: of interfaces, and of types that implement them. Their declarations are left
// out. Of the predeclared type error, which everything uses, only what the package of the method
// says counts.
func (w *workspace) lookForKin(src taskSource, s *search, uri string, offset int) error {
	if is, err := isMethodAt(src, uri, offset); !is || err != nil {
		return err
	}
	a, err := askedAt(src, uri, offset)
	if err != nil || a.method == "" {
		return ignoreNoSymbol(err)
	}
	kin, err := w.kinEverywhere(src, a, implementing|implemented)
	if err != nil {
		return err
	}
	own, err := ownersOf(src, cmp.Or(a.self.URI, uri))
	if err != nil {
		return err
	}
	seen := map[lsp.Location]bool{}
	for _, k := range kin {
		if seen[k.at] {
			continue
		}
		seen[k.at] = true
		scope := searchScope{further: own}
		if k.pkg.Path == metadata.Builtin {
			scope.only = own
		}
		err := s.look(k.at.URI, k.at.Span.Start, scope)
		if ignoreNoSymbol(ignoreUnknown(err)) != nil {
			return err
		}
	}
	return nil
}

// assemblyReferences lists the places that name what a file of the assembler does at an offset: in
// Go, if Go declares it, and in files of the assembler.
func assemblyReferences(src source, uri string, offset int, declaration bool) (list []lsp.Location, err error) {
	u, f, err := assemblyAt(src, uri, offset)
	if err != nil && (!errors.Is(err, lsp.ErrNoSymbol) || u.Span.End == 0 || u.Kind == syntax.AssemblyRegister) {
		return nil, err
	}
	if f.index != nil {
		at := f.location()
		if list, err = references(src, at.URI, at.Span.Start, declaration); err != nil {
			return nil, err
		}
	}
	kin, err := assemblyKin(src, uri, &u, declaration)
	for _, k := range kin {
		list = append(list, k.Location)
	}
	slices.SortFunc(list, lsp.Location.Compare)
	return slices.Compact(list), err
}

// assembledReferences lists the places in files of the assembler that name what Go declares in a
// package, where that is asked about in Go. Where the assembler has its code is none of them: Go
// says where it is declared.
func assembledReferences(src source, uri string, offset int) (list []lsp.Location, err error) {
	declared, err := definitionOfName(src, uri, offset)
	if err != nil || len(declared) != 1 {
		return nil, ignoreNoSymbol(err)
	}
	at := declared[0]
	m, err := src.metadata()
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(files.PathOf(at.URI))
	p := m.InDir(dir)
	if p == nil {
		return nil, nil
	}
	text, err := src.text(at.URI)
	if err != nil {
		return nil, ignoreUnknown(err)
	}
	if at.Span.End > len(text) {
		return nil, nil
	}
	name := string(text[at.Span.Start:at.Span.End])
	f, ok, err := atPackageLevel(src, p, name)
	if err != nil || !ok || f.location() != at || f.Flags&index.Local != 0 {
		return nil, err
	}
	places, err := assemblyUsesOf(src, symbol{p.Path, name}, dir, false)
	for _, at := range places {
		list = append(list, at.Location)
	}
	return list, err
}
