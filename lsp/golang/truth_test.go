package golang

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var (
	truthPackages = flag.String("truth.packages", "errors,strings,container/list,container/heap,bufio,html,slices,sort,encoding/base32,unicode/utf8",
		"comma-separated packages of the standard library that answers are compared on; \"all\" takes every one")
	truthPositions = flag.Int("truth.positions", 400, "positions to compare answers at")
	truthSeed      = flag.Uint64("truth.seed", 1, "seed of the choice of positions")
)

// A truth is the workspace as go/types alone sees it: everything checked from source into one
// universe of positions, without export data, faces, or indexes.
type truth struct {
	t     testing.TB
	b     *purebuild.Build
	fset  *token.FileSet
	full  map[string]bool // IDs that are checked with bodies
	done  map[string]*truthPackage
	sites []site
	uses  map[lsp.Location][]lsp.Location // start of a declared name -> places that name it, itself included
}

type truthPackage struct {
	pkg   *types.Package
	info  *types.Info
	files []*ast.File
}

// A site is an identifier and what go/types says of it.
type site struct {
	at    lsp.Location
	objs  []types.Object // what a reader would ask for first
	pkg   *types.Package
	ident *ast.Ident
}

func newTruth(t testing.TB, b *purebuild.Build, ids []string) *truth {
	tr := &truth{
		t: t, b: b, fset: token.NewFileSet(), full: map[string]bool{}, done: map[string]*truthPackage{},
		uses: map[lsp.Location][]lsp.Location{},
	}
	for _, id := range ids {
		tr.full[id] = true
	}
	for _, id := range ids {
		tr.load(id)
	}
	for _, id := range ids {
		tr.read(tr.done[id])
	}
	slices.SortFunc(tr.sites, func(a, b site) int { return a.at.Compare(b.at) })
	return tr
}

func (tr *truth) load(id string) *truthPackage {
	if p := tr.done[id]; p != nil {
		return p
	}
	meta := tr.b.Package(id)
	if id == "unsafe" {
		tr.done[id] = &truthPackage{pkg: types.Unsafe}
		return tr.done[id]
	}
	p := &truthPackage{info: &types.Info{
		Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{},
		Types: map[ast.Expr]types.TypeAndValue{},
	}}
	for _, uri := range meta.Files {
		f, err := parser.ParseFile(tr.fset, uri, tr.b.Text(uri), parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			tr.t.Fatal(err)
		}
		p.files = append(p.files, f)
	}
	conf := types.Config{
		IgnoreFuncBodies: !tr.full[id], FakeImportC: true, Error: func(error) {}, Sizes: tr.b.Sizes, GoVersion: meta.GoVersion,
		Importer: importFunc(func(path string) (*types.Package, error) {
			if path == "unsafe" {
				return types.Unsafe, nil
			}
			e, ok := meta.Edge(path)
			if !ok || e.ID == "" {
				return nil, errors.New("no such import")
			}
			return tr.load(e.ID).pkg, nil
		}),
	}
	p.pkg, _ = conf.Check(meta.Path, tr.fset, p.files, p.info)
	tr.done[id] = p
	return p
}

type importFunc func(string) (*types.Package, error)

func (f importFunc) Import(path string) (*types.Package, error) { return f(path) }

// location is where a name of a length stands.
func (tr *truth) location(pos token.Pos, length int) lsp.Location {
	p := tr.fset.PositionFor(pos, false)
	return lsp.Location{URI: p.Filename, Span: lsp.Span{Start: p.Offset, End: p.Offset + length}}
}

// declared is where an object's name is declared, ok only for objects of source.
func (tr *truth) declared(obj types.Object) (lsp.Location, bool) {
	switch o := obj.(type) {
	case *types.Var:
		obj = o.Origin()
	case *types.Func:
		obj = o.Origin()
	}
	if !obj.Pos().IsValid() || obj.Pkg() == types.Unsafe {
		return lsp.Location{}, false
	}
	length := len(obj.Name())
	if name, ok := obj.(*types.PkgName); ok {
		p := tr.fset.PositionFor(obj.Pos(), false)
		if text := tr.b.Text(p.Filename); text[p.Offset] == '"' {
			length = len(name.Imported().Path()) + 2
			if rest, ok := strings.CutPrefix(name.Imported().Path(), "vendor/"); ok {
				length = len(rest) + 2
			}
		}
	}
	return tr.location(obj.Pos(), length), true
}

// read collects the sites of a package.
func (tr *truth) read(p *truthPackage) {
	note := func(id *ast.Ident, objs ...types.Object) {
		at := tr.location(id.Pos(), len(id.Name))
		for _, obj := range objs {
			if d, ok := tr.declared(obj); ok {
				tr.uses[d] = append(tr.uses[d], at)
			}
		}
		tr.sites = append(tr.sites, site{at, objs, p.pkg, id})
	}
	for id, obj := range p.info.Uses {
		if id.Name == "_" {
			continue
		}
		if field := p.info.Defs[id]; field != nil {
			note(id, obj, field) // embedded
		} else {
			note(id, obj)
		}
	}
	for id, obj := range p.info.Defs {
		if obj != nil && p.info.Uses[id] == nil && id.Name != "_" {
			note(id, obj)
		}
	}
	// The name in "switch x := y.(type)" has no object, but those of the clauses are declared
	// there. It has the type of y.
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			sw, ok := n.(*ast.TypeSwitchStmt)
			if !ok {
				return true
			}
			assign, ok := sw.Assign.(*ast.AssignStmt)
			if !ok {
				return true
			}
			if id := assign.Lhs[0].(*ast.Ident); id.Name != "_" {
				note(id, types.NewVar(id.Pos(), p.pkg, id.Name, p.info.TypeOf(assign.Rhs[0].(*ast.TypeAssertExpr).X)))
			}
			return true
		})
	}
}

// sample chooses sites, evenly over packages and reproducibly.
func (tr *truth) sample(n int, seed uint64) []site {
	byPkg := map[*types.Package][]site{}
	for _, s := range tr.sites {
		byPkg[s.pkg] = append(byPkg[s.pkg], s)
	}
	pkgs := slices.SortedFunc(maps.Keys(byPkg), func(a, b *types.Package) int { return cmp.Compare(a.Path(), b.Path()) })
	rng := rand.New(rand.NewPCG(seed, 0))
	var out []site
	for i := 0; len(out) < n; i++ {
		list := byPkg[pkgs[i%len(pkgs)]]
		out = append(out, list[rng.IntN(len(list))])
	}
	return out
}

// hover is what go/types says of a site, as a reader in its package sees it. Of an embedded field
// it is the field.
func (tr *truth) hover(s site) string {
	obj := s.objs[0]
	for _, o := range s.objs {
		if v, ok := o.(*types.Var); ok && v.IsField() {
			obj = o
		}
	}
	as := func(p *types.Package) string {
		if p == s.pkg {
			return ""
		}
		return p.Name()
	}
	text := types.ObjectString(obj, as)
	switch obj := obj.(type) {
	case *types.Const:
		if obj.Val() != nil && obj.Val().Kind() != constant.Unknown {
			text += " = " + obj.Val().String()
		}
	case *types.PkgName:
		text = "package " + obj.Imported().Name()
	case *types.Func:
		if recv := obj.Signature().Recv(); recv != nil {
			// The receiver has its name and is not part of what is called.
			of := types.TypeString(recv.Type(), as)
			if _, ok := recv.Type().(*types.Interface); ok {
				of = "interface"
			} else if name := recv.Name(); name != "" && name != "_" {
				of = name + " " + of
			}
			text = "func (" + of + ") " + obj.Name() + strings.TrimPrefix(types.TypeString(obj.Type(), as), "func")
		}
	}
	const most = 4 << 10 // longer signatures are cut
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// withoutWritten takes from a signature what the source says of an object beside its type: of a
// constant the expression, of a field the tag.
func withoutWritten(signature string, obj types.Object) string {
	if i := strings.LastIndex(signature, "// func["); i > 0 { // of which it is an instance
		name, _, _ := strings.Cut(signature, "(")
		signature = name + signature[i+len("// func"):]
	}
	signature, _, _ = strings.Cut(signature, " // through ")
	signature, _, _ = strings.Cut(signature, " // size=")
	switch obj := obj.(type) {
	case *types.Const:
		before, _, _ := strings.Cut(signature, " = ")
		if i := strings.LastIndex(signature, " // "+obj.Val().String()); i > 0 {
			return before + " = " + signature[i+len(" // "):]
		}
	case *types.Var:
		plain := types.TypeString(obj.Type(), func(p *types.Package) string { return p.Name() })
		if i := max(strings.LastIndex(signature, " `"), strings.LastIndex(signature, ` "`)); obj.IsField() && i > 0 && !strings.ContainsAny(plain, "`\"") {
			return signature[:i]
		}
	}
	return signature
}

// references lists the places that name what a site names. One that declares something is asked
// about as that: an embedded field is the field and not its type.
func (tr *truth) references(s site) []lsp.Location {
	declares := slices.ContainsFunc(s.objs, func(obj types.Object) bool {
		d, ok := tr.declared(obj)
		return ok && d == s.at
	})
	set := map[lsp.Location]bool{}
	for _, obj := range s.objs {
		d, ok := tr.declared(obj)
		if !ok || declares && d != s.at {
			continue
		}
		set[d] = true
		for _, at := range tr.uses[d] {
			set[at] = true
		}
	}
	maps.DeleteFunc(set, func(l lsp.Location, _ bool) bool { return !tr.covers(l.URI) })
	return slices.SortedFunc(maps.Keys(set), lsp.Location.Compare)
}

// covers reports whether all that a file names is known.
func (tr *truth) covers(uri string) bool {
	for id := range tr.full {
		if slices.Contains(tr.b.Package(id).Files, uri) {
			return true
		}
	}
	return false
}

func truthIDs(m *metadata.Build) []string {
	if *truthPackages != "all" {
		return strings.Split(*truthPackages, ",")
	}
	var ids []string
	for i := range m.Packages {
		if p := &m.Packages[i]; !p.Cgo && !metadata.IsSyntaxOnly(p) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// compareWithTruth asks at many sites and compares with what go/types says.
// References are compared within the packages that the truth has checked with their bodies.
func compareWithTruth(t *testing.T, tr *truth, n int, seed uint64,
	definition func(uri string, offset int) ([]lsp.Location, error),
	hover func(uri string, offset int) (*lsp.Hover, error),
	references func(uri string, offset int, declaration bool) ([]lsp.Location, error),
) {
	t.Helper()
	bad, universe := 0, 0
	for _, s := range tr.sample(n, seed) {
		if bad > 10 {
			t.Fatal("too many differences")
		}
		offset := s.at.Span.Start
		where := fmt.Sprintf("%s:%d %s", s.at.URI, offset, s.ident.Name)
		defs, err := definition(s.at.URI, offset)
		if err != nil {
			bad++
			t.Errorf("%s: definition: %v", where, err)
			continue
		}
		h, err := hover(s.at.URI, offset)
		if err != nil {
			bad++
			t.Errorf("%s: hover: %v", where, err)
			continue
		}
		want, ok := tr.declared(s.objs[0])
		if !ok {
			// The language itself: the declaration is documentation.
			universe++
			if len(defs) != 1 || !strings.HasSuffix(defs[0].URI, "/builtin/builtin.go") && !strings.HasSuffix(defs[0].URI, "/unsafe/unsafe.go") {
				bad++
				t.Errorf("%s: definition of a name of the language: %v", where, defs)
			}
			continue
		}
		if len(defs) != 1 || defs[0] != want {
			bad++
			t.Errorf("%s: definition %v, want %v", where, defs, want)
		}
		if got, want := withoutWritten(h.Signature, s.objs[0]), tr.hover(s); got != want {
			bad++
			t.Errorf("%s: hover\n got %q\nwant %q", where, got, want)
		}
		refs, err := references(s.at.URI, offset, true)
		if err != nil {
			bad++
			t.Errorf("%s: references: %v", where, err)
			continue
		}
		refs = slices.DeleteFunc(refs, func(l lsp.Location) bool { return !tr.covers(l.URI) })
		named := tr.references(s)
		if fn, ok := s.objs[0].(*types.Func); ok && fn.Signature().Recv() != nil {
			// Those of methods that it implements, or that implement it, are there, too.
			refs = slices.DeleteFunc(refs, func(l lsp.Location) bool {
				return !slices.Contains(named, l) && l.Span.End-l.Span.Start == len(fn.Name())
			})
		}
		if !slices.Equal(refs, named) {
			bad++
			t.Errorf("%s: %d references, want %d%s", where, len(refs), len(named), firstDifference(refs, named))
		}
	}
	t.Logf("%d positions compared, %d of them names of the language; seed %d (-truth.seed)", n, universe, seed)
}

func firstDifference(got, want []lsp.Location) string {
	for _, l := range got {
		if !slices.Contains(want, l) {
			return fmt.Sprintf("; %v should not be there", l)
		}
	}
	for _, l := range want {
		if !slices.Contains(got, l) {
			return fmt.Sprintf("; %v is missing", l)
		}
	}
	return "; repeats"
}

// TestAnswersAgreeWithGoTypes compares definition, hover and references with go/types at many
// positions of the standard library.
func TestAnswersAgreeWithGoTypes(t *testing.T) {
	env, m := purebuild.Std()
	ids := truthIDs(m)
	b := purebuild.New(t, env, m)
	src := pureSource{Build: b, m: restrict(m, ids...), env: &env}
	src.sources = check.NewSources(src.m, src.text)
	tr := newTruth(t, b, ids)
	compareWithTruth(t, tr, *truthPositions, *truthSeed,
		func(uri string, offset int) ([]lsp.Location, error) { return definition(src, uri, offset) },
		func(uri string, offset int) (*lsp.Hover, error) { return hoverAt(src, uri, offset) },
		func(uri string, offset int, decl bool) ([]lsp.Location, error) {
			return references(src, uri, offset, decl)
		})
}

// pureSource answers from a purebuild.Build. Only some packages belong to its workspace.
type pureSource struct {
	*purebuild.Build
	m       *metadata.Build
	env     *disk.Environment
	sources *check.Sources
}

func (s pureSource) environment() (*disk.Environment, error) { return s.env, nil }

func (s pureSource) types(p *metadata.Package, sight check.Sight, fn func(v *check.View) error) error {
	var trees []*syntax.Tree
	for _, uri := range p.Files {
		trees = append(trees, syntax.Trees.Get(uri, s.Build.Text(uri)))
	}
	v, err := s.sources.View(context.Background(), p, trees, sight)
	if err != nil {
		return err
	}
	return fn(v)
}

func (s pureSource) metadata() (*metadata.Build, error) { return s.m, nil }

func (s pureSource) find(id string) (*metadata.Package, error) { return s.m.Find(id), nil }

func (s pureSource) strayOwner(string) (*metadata.Package, error) { return nil, nil }

func (s pureSource) text(uri string) ([]byte, error) { return s.Build.Text(uri), nil }

func (s pureSource) checked(p *metadata.Package) (*index.Index, error) { return s.IndexOf(p.ID), nil }

func (s pureSource) names(p *metadata.Package, uri string) (*index.Index, error) {
	if metadata.IsSyntaxOnly(p) {
		return s.checked(p)
	}
	return s.NamesOf(p.ID, uri), nil
}

func (s pureSource) declared(p *metadata.Package) (*index.Index, error) {
	return s.IndexOf(p.ID), nil
}

// restrict makes a copy of the metadata in which only some packages belong to the workspace.
func restrict(m *metadata.Build, ids ...string) *metadata.Build {
	out := &metadata.Build{Packages: slices.Clone(m.Packages), Problems: m.Problems}
	for i := range out.Packages {
		out.Packages[i].Workspace = slices.Contains(ids, out.Packages[i].ID)
	}
	return out
}
