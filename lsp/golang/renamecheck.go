package golang

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// verify checks all packages that can see the change as if it was made, and refuses it if anything
// then names another thing than before, or is wrong that was not.
func (r *renaming) verify() error { return r.verifyAs((*verification).run) }

// verifyErrors is verify for a change after which other things are named.
func (r *renaming) verifyErrors() error {
	return r.verifyAs(func(v *verification) error {
		packages, err := v.concerned()
		if err != nil {
			return err
		}
		_, err = v.wrong(packages, func(string) bool { return true })
		return err
	})
}

func (r *renaming) verifyAs(run func(v *verification) error) error {
	texts := map[string][]byte{}
	for uri, edits := range r.edits {
		text, err := r.sources[0].text(uri)
		if err != nil {
			return err
		}
		if texts[uri], err = lsp.Apply(text, edits); err != nil {
			return fmt.Errorf("%s: %w", uri, err)
		}
	}
	for _, src := range r.sources {
		v := verification{
			renaming: r, src: src, texts: texts, trees: map[string]*syntax.Tree{}, differs: map[string]bool{},
			faces: map[string]*changedFace{}, indexes: map[string]*index.Index{},
		}
		m, err := src.metadata()
		if err != nil {
			return err
		}
		for uri := range texts {
			isStandard := func(p *metadata.Package) bool { return p.Standard }
			v.standard = v.standard || slices.ContainsFunc(m.Owners(uri), isStandard)
		}
		if err := run(&v); err != nil {
			return err
		}
	}
	return nil
}

// A verification is the check of one build.
type verification struct {
	*renaming
	src      taskSource
	texts    map[string][]byte // those that differ
	standard bool              // some of them are of the standard library, which imports nothing else
	trees    map[string]*syntax.Tree
	differs  map[string]bool // by ID of a package: its face may
	faces    map[string]*changedFace
	indexes  map[string]*index.Index // of packages with the change, by ID
}

// A changedFace is the face of a package with the change made.
type changedFace struct {
	name, problem string
	export        []byte
}

// A checkedAgain is a package with the change made.
type checkedAgain struct {
	p *metadata.Package
	check.Result
}

// wrong checks packages with the change made, and refuses errors of some codes that were not there.
func (v *verification) wrong(packages []*metadata.Package, of func(code string) bool) (found []checkedAgain, err error) {
	for _, p := range packages {
		c, err := v.check(p)
		if err != nil {
			return nil, err
		}
		if v.indexes[p.ID], err = index.Open(c.Index); err != nil {
			return nil, err
		}
		found = append(found, checkedAgain{p, c})
	}
	for _, c := range found {
		if err := v.compareErrors(c.p, c.Diagnostics, of); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (v *verification) run() error {
	concerned, err := v.concerned()
	if err != nil {
		return err
	}
	packages, with, err := v.withoutRepeated(concerned)
	if err != nil {
		return err
	}
	// What is declared twice has other things named wrongly, and what is named wrongly is often an
	// error: the first reason is the best.
	found, err := v.wrong(packages, isRedeclaration)
	if err != nil {
		return err
	}
	for p, variant := range with {
		v.indexes[p.ID] = v.indexes[variant.ID]
	}
	for _, c := range found {
		if err := v.compareNames(c.p); err != nil {
			return err
		}
	}
	for _, c := range found {
		if err := v.compareErrors(c.p, c.Diagnostics, func(string) bool { return true }); err != nil {
			return err
		}
	}
	return nil
}

// isRedeclaration reports whether a code is of errors about what is declared twice.
func isRedeclaration(code string) bool {
	switch code {
	case "DuplicateDecl", "DuplicateFieldAndMethod", "DuplicateMethod", "DuplicateLabel", "NoNewVar", "InvalidInitDecl", "InvalidMainDecl":
		return true
	}
	return false
}

// concerned are the packages that the change may make a difference to: those with edits, and of
// methods and fields, which may be embedded, all that reach them.
func (v *verification) concerned() (list []*metadata.Package, err error) {
	m, err := v.src.metadata()
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	add := func(p *metadata.Package) {
		if p != nil && (p.Workspace || isStray(p.ID)) && !seen[p.ID] {
			seen[p.ID] = true
			list = append(list, p)
		}
	}
	for uri := range v.texts {
		owners, err := ownersOf(v.src, uri)
		if err != nil {
			return nil, err
		}
		for _, p := range owners {
			add(p)
		}
	}
	for _, f := range v.declared {
		if f.Path != "" && (f.Kind == lsp.KindMethod || f.Kind == lsp.KindField) {
			for _, p := range m.Reaching(f.pkg.Path) {
				add(p)
			}
		}
	}
	slices.SortFunc(list, func(a, b *metadata.Package) int { return strings.Compare(a.ID, b.ID) })
	return list, nil
}

// withoutRepeated leaves out packages that are among the rest in whole, with their tests: of a name
// that is no field's and no method's the variant with tests says all there is to say. What a file
// of the package names there is declared in one of its own files, or is what the test files
// declared before, too; and without the test files the same is found, since they only add
// declarations. An error that the variant does not have would need something else to be named.
// Where either has errors already these may hide others, and both are checked. With says by which
// variant each package is left out.
func (v *verification) withoutRepeated(all []*metadata.Package) (
	list []*metadata.Package, with map[*metadata.Package]*metadata.Package, err error,
) {
	if slices.ContainsFunc(v.declared, func(f found) bool { return f.Kind == lsp.KindMethod || f.Kind == lsp.KindField }) {
		return all, nil, nil
	}
	with = map[*metadata.Package]*metadata.Package{}
	for _, p := range all {
		i := slices.IndexFunc(all, func(q *metadata.Package) bool {
			return q.Path == p.Path && q.ForTest == p.Path && p.ForTest == "" &&
				!slices.ContainsFunc(p.Files, func(uri string) bool { return !slices.Contains(q.Files, uri) })
		})
		repeated := i >= 0
		for _, id := range []string{p.ID, all[max(i, 0)].ID} {
			if repeated {
				if repeated, err = v.sound(id); err != nil {
					return nil, nil, err
				}
			}
		}
		if repeated {
			with[p] = all[i]
		} else {
			list = append(list, p)
		}
	}
	return list, with, nil
}

// sound reports whether a package has no errors without the change.
func (v *verification) sound(id string) (bool, error) {
	old, err := checks.Get(v.src.t, pkgKey{v.src.root, id})
	return err == nil && !slices.ContainsFunc(old.Diagnostics, func(d check.FileDiagnostic) bool {
		return d.Diag.Severity == lsp.SeverityError
	}), err
}

// changed reports whether the face of a package may differ.
func (v *verification) changed(id string) (bool, error) {
	if d, ok := v.differs[id]; ok {
		return d, nil
	}
	v.differs[id] = false
	p, err := v.src.find(id)
	if err != nil || p == nil || p.Standard && !v.standard {
		return false, err
	}
	d := slices.ContainsFunc(p.Files, func(uri string) bool { return v.texts[uri] != nil })
	for _, imported := range p.Checked() {
		if d {
			break
		}
		if d, err = v.changed(imported); err != nil {
			return false, err
		}
	}
	v.differs[id] = d
	return d, nil
}

// tree is a file with the change made.
func (v *verification) tree(uri string) (*syntax.Tree, error) {
	if t := v.trees[uri]; t != nil {
		return t, nil
	}
	text := v.texts[uri]
	if text == nil {
		text, err := v.src.text(uri)
		if err != nil {
			return nil, err
		}
		return syntax.Trees.Get(uri, text), nil
	}
	v.trees[uri] = syntax.Parse(uri, text)
	return v.trees[uri], nil
}

// imports are those of a package with the change made.
func (v *verification) imports(p *metadata.Package, meant func(*metadata.Edge) string) ([]check.Import, *exportReader, error) {
	list, reader, err := importsOf(v.src.t, v.src.root, p, meant)
	if err != nil {
		return nil, nil, err
	}
	for i := range list {
		id := meant(&p.Imports[i])
		if id == "" {
			continue
		}
		changed, err := v.changed(id)
		if err != nil {
			return nil, nil, err
		}
		if !changed {
			continue
		}
		f, err := v.face(id)
		if err != nil {
			return nil, nil, err
		}
		list[i].Face, list[i].Problem = f.name, f.problem
		list[i].Export = func() ([]byte, error) { return f.export, nil }
	}
	return list, reader, nil
}

// face is the face of a package with the change made.
func (v *verification) face(id string) (*changedFace, error) {
	if f := v.faces[id]; f != nil {
		return f, nil
	}
	p, err := v.src.find(id)
	if err != nil || p == nil {
		return &changedFace{problem: "there is no such package"}, err
	}
	texts := make([][]byte, len(p.Files))
	bytes := 0
	for i, uri := range p.Files {
		t, err := v.tree(uri)
		if errors.Is(err, lsp.ErrUnknownFile) {
			continue
		}
		if err != nil {
			return nil, err
		}
		texts[i], _ = syntax.ShownFace(t)
		bytes += len(texts[i])
	}
	imports, exports, err := v.imports(p, (*metadata.Edge).Faced)
	if err != nil {
		return nil, err
	}
	f := &changedFace{}
	var failed error
	err = v.src.t.Piece(worldBytes+int64(bytes)*checkWeight, func(func(func())) error {
		f.export, failed = check.Face(p, texts, imports, nil)
		return exports.err
	})
	if err != nil {
		return nil, err
	}
	if failed != nil {
		f.problem = failed.Error()
	} else {
		sum := sha256.Sum256(f.export)
		f.name = hex.EncodeToString(sum[:])
	}
	v.faces[id] = f
	return f, nil
}

// check checks a package with the change made.
func (v *verification) check(p *metadata.Package) (c check.Result, err error) {
	var trees []*syntax.Tree
	bytes := 0
	for _, uri := range p.Files {
		t, err := v.tree(uri)
		if errors.Is(err, lsp.ErrUnknownFile) {
			continue
		}
		if err != nil {
			return c, err
		}
		trees = append(trees, t)
		bytes += len(t.Text)
	}
	imports, exports, err := v.imports(p, (*metadata.Edge).Checked)
	if err != nil {
		return c, err
	}
	err = v.src.t.Piece(worldBytes+int64(bytes)*checkWeight, func(aside func(func())) (err error) {
		doubts := doubtReader{t: v.src.t, root: v.src.root, p: p, aside: aside}
		c, err = check.Apart(p, trees, imports, doubts.doubt)
		return cmp.Or(doubts.err, exports.err, err)
	})
	return c, err
}

// shift is where an offset of a file comes to lie. An insertion there comes before it.
func (v *verification) shift(uri string, offset int) int {
	to := offset
	for _, e := range v.edits[uri] {
		if e.Span.End > offset {
			break
		}
		to += len(e.NewText) - (e.Span.End - e.Span.Start)
	}
	return to
}

// moved is where a span of a file comes to lie.
func (v *verification) moved(at lsp.Location) lsp.Location {
	for _, e := range v.edits[at.URI] {
		if e.Span == at.Span {
			start := v.shift(at.URI, at.Span.Start)
			return lsp.Location{URI: at.URI, Span: lsp.Span{Start: start, End: start + len(e.NewText)}}
		}
	}
	return lsp.Location{URI: at.URI, Span: lsp.Span{Start: v.shift(at.URI, at.Span.Start), End: v.shift(at.URI, at.Span.End)}}
}

// declaredAt is where the declaration of a place comes to lie: an import gets a name, or loses it.
func (v *verification) declaredAt(at lsp.Location) lsp.Location {
	if v.first.Kind == lsp.KindPackage && at == v.first.location() {
		for _, e := range v.edits[at.URI] {
			switch {
			case v.renaming.imports[at] && e.Span.Start == at.Span.Start && e.Span.End == at.Span.Start:
				start := v.shift(at.URI, at.Span.Start) - len(e.NewText)
				return lsp.Location{URI: at.URI, Span: lsp.Span{Start: start, End: start + len(v.to)}}
			case !v.renaming.imports[at] && e.Span.Start == at.Span.Start && e.NewText == "":
				start := v.shift(at.URI, e.Span.End)
				return lsp.Location{URI: at.URI, Span: lsp.Span{Start: start}}
			}
		}
	}
	return v.moved(at)
}

// newErrors are the errors of a package that were not there.
func (v *verification) newErrors(p *metadata.Package, list []check.FileDiagnostic) (more []check.FileDiagnostic, err error) {
	old, err := checks.Get(v.src.t, pkgKey{v.src.root, p.ID})
	if err != nil {
		return nil, err
	}
	type place struct {
		uri, code string
		start     int
	}
	had := map[place]int{}
	for _, d := range old.Diagnostics {
		had[place{d.URI, d.Diag.Code, v.shift(d.URI, d.Diag.Span.Start)}]++
	}
	for _, d := range list {
		at := place{d.URI, d.Diag.Code, d.Diag.Span.Start}
		if had[at]--; had[at] < 0 && d.Diag.Severity == lsp.SeverityError && !check.IsContinuation(d.Diag) {
			more = append(more, d)
		}
	}
	return more, nil
}

// compareErrors refuses errors that were not there, of some codes.
func (v *verification) compareErrors(p *metadata.Package, list []check.FileDiagnostic, of func(code string) bool) error {
	list, err := v.newErrors(p, list)
	if err != nil {
		return err
	}
	for _, d := range list {
		if !of(d.Diag.Code) {
			continue
		}
		e := v.refusal()
		back := lsp.Location{URI: d.URI, Span: v.back(d.URI, d.Diag.Span)}
		if isRedeclaration(d.Diag.Code) && len(d.Diag.Related) > 0 {
			other := back
			for _, rel := range d.Diag.Related {
				was := lsp.Location{URI: rel.Location.URI, Span: v.back(rel.Location.URI, rel.Location.Span)}
				if v.at[other] && !v.at[was] {
					other = was
				}
			}
			what := "conflicts with " + v.kindAt(p, other) + " in same block"
			if other.URI != v.first.location().URI {
				what = "conflicts with this package member " + v.kindAt(p, other)
			}
			e.Places = append(e.Places, lsp.RefusedPlace{At: other, What: what})
		} else {
			e.Places = append(e.Places, lsp.RefusedPlace{At: back, What: "would be an error here: " + d.Diag.Message})
		}
		return e
	}
	return nil
}

// refusal is the error that begins with what was asked for.
func (v *verification) refusal() *lsp.RefusedError {
	e := refuse("renaming this %s %q to %q", kindWord(v.first.Kind), v.from, v.to)
	if v.what != "" {
		e = refuse("%s", v.what)
	}
	e.At = v.first.location()
	return e
}

// back is what comes to lie at a span of a file with the change made.
func (v *verification) back(uri string, to lsp.Span) lsp.Span {
	by := 0
	for _, e := range v.edits[uri] {
		start := e.Span.Start + by
		if start+len(e.NewText) > to.Start {
			if start <= to.Start && to.End <= start+len(e.NewText) {
				return e.Span
			}
			break
		}
		by += len(e.NewText) - (e.Span.End - e.Span.Start)
	}
	return lsp.Span{Start: to.Start - by, End: max(to.Start-by, to.End-by)}
}

// kindAt is what is declared at a place.
func (v *verification) kindAt(p *metadata.Package, at lsp.Location) string {
	x, err := v.checked(v.src, p)
	if err != nil {
		return "what is declared"
	}
	if d, ok := x.Declaration(x.DeclarationAt(x.File(at.URI), at.Span.Start)); ok {
		return kindWord(d.Kind)
	}
	return "what is declared"
}

func kindWord(k lsp.SymbolKind) string {
	switch k {
	case lsp.KindPackage:
		return "imported package name"
	case lsp.KindConstant:
		return "const"
	case lsp.KindFunction:
		return "func"
	case lsp.KindMethod:
		return "method"
	case lsp.KindField:
		return "field"
	case lsp.KindStruct, lsp.KindInterface, lsp.KindClass:
		return "type"
	case lsp.KindTypeParameter:
		return "type parameter"
	case lsp.KindKey:
		return "label"
	}
	return "var"
}

// A naming is what a place of a package names.
type naming struct {
	start, end int
	target     meaning
	declares   bool
}

// A meaning is where something is declared, or what others call it.
type meaning struct {
	in     string // the file; or package and object path
	offset int    // in the file; or notInFile
}

const notInFile = -1

func compareNamings(a, b naming) int {
	return cmp.Or(
		a.start-b.start, a.end-b.end,
		strings.Compare(a.target.in, b.target.in), a.target.offset-b.target.offset,
	)
}

// compareNames refuses a change after which something names another thing.
func (v *verification) compareNames(p *metadata.Package) error {
	old, err := v.checked(v.src, p)
	if err != nil {
		return err
	}
	now := v.indexes[p.ID]
	was, is := newNamer(v, p, old, false), newNamer(v, p, now, true)
	for file := range old.FileCount() {
		uri := old.URI(file)
		had, err := was.namings(file)
		if err != nil {
			return err
		}
		has, err := is.namings(now.File(uri))
		if err != nil {
			return err
		}
		for i := range had {
			if i >= len(has) || had[i] != has[i] {
				return v.difference(p, uri, had, has, i)
			}
		}
		if len(has) > len(had) {
			return v.difference(p, uri, had, has, len(had))
		}
	}
	return nil
}

// A namer says what is named in an index, with or without the change, in the terms of the changed
// texts.
type namer struct {
	v       *verification
	p       *metadata.Package
	x       *index.Index
	changed bool
	locals  []meaning // by number of a declaration of x
	known   map[index.External]meaning
}

func newNamer(v *verification, p *metadata.Package, x *index.Index, changed bool) *namer {
	n := &namer{v: v, p: p, x: x, changed: changed, known: map[index.External]meaning{}}
	n.locals = make([]meaning, 0, x.DeclarationCount())
	file, uri := -1, ""
	x.Places(func(in int, at lsp.Span) {
		if in != file {
			file, uri = in, x.URI(in)
		}
		n.locals = append(n.locals, n.declared(lsp.Location{URI: uri, Span: at}))
	})
	return n
}

// namings are those of a file.
func (n *namer) namings(file int) (list []naming, err error) {
	uri := n.x.URI(file)
	n.x.Occurrences(file, func(o index.Occurrence) bool {
		at := lsp.Location{URI: uri, Span: o.Span}
		if !n.changed {
			if o.Declares {
				at = n.v.declaredAt(at)
			} else {
				at = n.v.moved(at)
			}
		}
		name := naming{start: at.Span.Start, end: at.Span.End, declares: o.Declares}
		if o.Declares && n.v.first.Kind == lsp.KindPackage {
			name.end = 0 // an import without a name is declared by its path
		}
		if o.IsExternal {
			e, _ := n.x.ExternalAt(o.Target)
			name.target, err = n.external(e)
		} else if o.Target < len(n.locals) {
			name.target = n.locals[o.Target]
		}
		list = append(list, name)
		return err == nil
	})
	slices.SortFunc(list, compareNamings)
	return list, err
}

// declared is what is declared at a place of the index's texts.
func (n *namer) declared(at lsp.Location) meaning {
	if !n.changed {
		at = n.v.declaredAt(at)
	}
	return meaning{at.URI, at.Span.Start}
}

// external says where something of another package is declared if that package has declarations
// that change, and what it is called otherwise.
func (n *namer) external(e index.External) (to meaning, err error) {
	if to, ok := n.known[e]; ok {
		return to, nil
	}
	to = meaning{e.Package + "\x00" + e.Path, notInFile}
	if e.Path != index.PackagePath && slices.ContainsFunc(n.v.declared, func(f found) bool { return f.pkg.Path == e.Package }) {
		if to, err = n.declaredIn(e, to); err != nil {
			return to, err
		}
	}
	n.known[e] = to
	return to, nil
}

func (n *namer) declaredIn(e index.External, other meaning) (meaning, error) {
	packages, err := named(n.v.src, e.Package, n.p)
	if err != nil {
		return other, err
	}
	for _, p := range packages {
		x := n.v.indexes[p.ID]
		if x == nil {
			continue
		}
		if !n.changed {
			if x, err = n.v.checked(n.v.src, p); err != nil {
				return other, err
			}
		}
		if d, ok := x.Declaration(x.DeclarationOf(e.Path)); ok {
			return n.declared(lsp.Location{URI: x.URI(d.File), Span: d.Span}), nil
		}
	}
	return other, nil
}

// difference says what is named otherwise.
func (v *verification) difference(p *metadata.Package, uri string, had, has []naming, i int) error {
	e := v.refusal()
	at := func(n naming) lsp.Location {
		return lsp.Location{URI: uri, Span: v.back(uri, lsp.Span{Start: n.start, End: n.end})}
	}
	if i >= len(had) {
		e.Places = append(e.Places, lsp.RefusedPlace{At: at(has[i]), What: "would name something here that nothing names"})
		return e
	}
	was := had[i]
	place := at(was)
	other := meaning{offset: notInFile}
	for _, n := range has {
		if n.start == was.start {
			other = n.target
		}
	}
	mine := func(to meaning) bool {
		for _, f := range v.declared {
			l := v.declaredAt(f.location())
			if to == (meaning{l.URI, l.Span.Start}) {
				return true
			}
		}
		return false
	}
	switch {
	case mine(was.target):
		e.Places = append(e.Places, lsp.RefusedPlace{At: place, What: "would cause this reference to become shadowed"})
		if l, ok := v.placeOf(other); ok {
			e.Places = append(e.Places, lsp.RefusedPlace{At: l, What: "by this intervening " + v.kindAt(p, l) + " definition"})
		}
	case mine(other):
		e.Places = append(e.Places, lsp.RefusedPlace{At: place, What: "would shadow this reference"})
		if l, ok := v.placeOf(was.target); ok {
			e.Places = append(e.Places, lsp.RefusedPlace{At: l, What: "to the " + v.kindAt(p, l) + " declared here"})
		}
	default:
		e.Places = append(e.Places, lsp.RefusedPlace{At: place, What: "would change what this means"})
	}
	return e
}

// placeOf is where something is declared, before the change.
func (v *verification) placeOf(to meaning) (l lsp.Location, ok bool) {
	if to.offset == notInFile {
		return l, false
	}
	s := v.back(to.in, lsp.Span{Start: to.offset, End: to.offset})
	return lsp.Location{URI: to.in, Span: s}, true
}
