package bodies

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/internal/goroot"
)

var (
	agreePackages = flag.String("agree.packages", "errors,bufio,container/list,strconv",
		"comma-separated packages of the standard library to edit")
	agreeEdits = flag.Int("agree.edits", 25, "random edits of each package")
	agreeSeed  = flag.Uint64("agree.seed", 1, "seed of the edits")
)

// A fact is one name of a file: where it stands and what it is.
type fact struct {
	at   int // offset in the file; in a part of a body, from the word func
	of   int // of a local object: where it is declared, likewise
	text string
}

// facts is what a Package under test makes of units.
type facts struct {
	names  []fact
	errors []fact
}

func partOf(c *Checked) (out facts) {
	base := token.Pos(c.File.Tokens.Base())
	from := base
	if c.Function != nil {
		from = c.Function.Pos()
	}
	name := func(pos token.Pos, kind string, obj types.Object) fact {
		f := fact{at: int(c.At(pos) - from), text: describe(kind, obj)}
		if name, ok := obj.(*types.PkgName); ok {
			number, ok := c.imports.at[name.Pos()]
			if !ok {
				number = -1
			}
			f.text += fmt.Sprint(" import ", number)
		} else if isLocal(obj, c.Package) {
			f.of = int(c.At(obj.Pos()) - from)
		}
		return f
	}
	for _, d := range c.Facts.Defs {
		out.names = append(out.names, name(d.Ident.NamePos, "def", d.Object))
	}
	for _, u := range c.Facts.Uses {
		out.names = append(out.names, name(u.Ident.NamePos, "use", u.Object))
	}
	for _, i := range c.Facts.Implicits {
		out.names = append(out.names, name(i.Node.Pos(), "implicit", i.Object))
	}
	for _, e := range c.Errors {
		out.errors = append(out.errors, fact{at: int(c.At(e.Pos) - from), text: e.Msg})
	}
	return out
}

// isLocal reports whether an object belongs to one function or file.
func isLocal(obj types.Object, pkg *types.Package) bool {
	return obj != nil && obj.Pkg() == pkg && obj.Parent() != nil && obj.Parent() != pkg.Scope()
}

func describe(kind string, obj types.Object) string {
	if obj == nil {
		return kind + " nothing"
	}
	return fmt.Sprintf("%s %T %s", kind, obj, types.ObjectString(obj, nil))
}

// wholeFacts is what go/types has of each file, checked by itself.
func wholeFacts(c Config, files []File) (names, errs [][]fact) {
	names, errs = make([][]fact, len(files)), make([][]fact, len(files))
	fset := token.NewFileSet()
	var syntax []*ast.File
	for _, f := range files {
		fset.AddExistingFiles(f.Tokens)
		syntax = append(syntax, f.Syntax)
	}
	last := 0
	conf := types.Config{
		GoVersion: c.GoVersion, FakeImportC: true, Importer: c.Importer, Sizes: c.Sizes,
		Error: func(err error) {
			e := err.(types.Error)
			if !continues(e) {
				last = max(0, slices.IndexFunc(files, func(f File) bool { return f.holds(e.Pos) }))
			}
			f := files[last]
			errs[last] = append(errs[last], fact{at: int(e.Pos) - f.Tokens.Base(), text: e.Msg})
		},
	}
	info := newInfo()
	pkg := types.NewPackage(c.Path, c.Name)
	_ = types.NewChecker(&conf, fset, pkg, info).Files(syntax)
	add := func(pos token.Pos, kind string, obj types.Object) {
		for i, f := range files {
			if !f.holds(pos) {
				continue
			}
			n := fact{at: int(pos) - f.Tokens.Base(), text: describe(kind, obj)}
			if name, ok := obj.(*types.PkgName); ok {
				is := func(s *ast.ImportSpec) bool { return s.Pos() == name.Pos() }
				number := slices.IndexFunc(f.Syntax.Imports, is)
				n.text += fmt.Sprint(" import ", number)
			} else if isLocal(obj, pkg) {
				n.of = int(obj.Pos()) - f.Tokens.Base()
			}
			names[i] = append(names[i], n)
			return
		}
	}
	for id, obj := range info.Defs {
		add(id.NamePos, "def", obj)
	}
	for id, obj := range info.Uses {
		add(id.NamePos, "use", obj)
	}
	for n, obj := range info.Implicits {
		add(n.Pos(), "implicit", obj)
	}
	return names, errs
}

// resultFacts puts the parts of a result together.
func resultFacts(files []File, r Result[facts]) (names, errs [][]fact) {
	names, errs = make([][]fact, len(files)), make([][]fact, len(files))
	for i, f := range r.Files {
		base := token.Pos(files[i].Tokens.Base())
		names[i] = append(names[i], f.Face.names...)
		errs[i] = append(errs[i], f.Face.errors...)
		for _, b := range f.Bodies {
			shift := int(b.Start - base)
			for _, n := range b.Part.names {
				n.at += shift
				if n.of != 0 {
					n.of += shift
				}
				names[i] = append(names[i], n)
			}
			for _, e := range b.Part.errors {
				e.at += shift
				errs[i] = append(errs[i], e)
			}
		}
		for _, u := range f.Unused {
			errs[i] = append(errs[i], fact{at: int(u.Spec.Pos() - base), text: u.Message})
		}
	}
	return names, errs
}

func sameFacts(t *testing.T, what string, got, want []fact) bool {
	t.Helper()
	order := func(a, b fact) int { return cmp.Or(a.at-b.at, a.of-b.of, cmp.Compare(a.text, b.text)) }
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if slices.Equal(got, want) {
		return true
	}
	shown := 0
	for _, f := range got {
		if !slices.Contains(want, f) && shown < 5 {
			shown++
			t.Errorf("%s: by bodies only: %+v", what, f)
		}
	}
	for _, f := range want {
		if !slices.Contains(got, f) && shown < 10 {
			shown++
			t.Errorf("%s: whole only: %+v", what, f)
		}
	}
	if shown == 0 {
		t.Errorf("%s: %d by bodies, %d whole", what, len(got), len(want))
	}
	return false
}

// An edited package is one whose texts are edited at random.
type editedPackage struct {
	config Config
	names  []string
	texts  [][]byte
	files  []File
}

func parse(t testing.TB, name string, text []byte) File {
	t.Helper()
	fset := token.NewFileSet()
	fset.AddFile("", nextBase, 1)
	nextBase += len(text) + 10
	const mode = parser.ParseComments | parser.SkipObjectResolution | parser.AllErrors
	syntax, _ := parser.ParseFile(fset, "./"+name, text, mode)
	if syntax == nil || !syntax.FileStart.IsValid() {
		return File{}
	}
	return File{Name: name, Text: text, Syntax: syntax, Tokens: fset.File(syntax.FileStart)}
}

// nextBase keeps the positions of any two files apart.
var nextBase = 1

func loadStd(t testing.TB, path string, imports types.Importer) *editedPackage {
	t.Helper()
	goroot.Src(t) // for build, and for the importer
	bp, err := build.Import(path, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &editedPackage{config: Config{
		Path: path, Name: bp.Name, GoVersion: "go1.26",
		Sizes: types.SizesFor("gc", "amd64"), Importer: imports,
	}}
	for _, name := range bp.GoFiles {
		text, err := os.ReadFile(filepath.Join(bp.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		p.names = append(p.names, name)
		p.texts = append(p.texts, text)
		p.files = append(p.files, parse(t, name, text))
	}
	return p
}

// edit changes one file at random and says how.
func (p *editedPackage) edit(t testing.TB, rng *rand.Rand) (file int, before []byte, how string) {
	for {
		i := rng.IntN(len(p.files))
		text, how := randomEdit(rng, p.files[i])
		if text == nil {
			continue
		}
		f := parse(t, p.names[i], text)
		if f.Syntax == nil || f.Syntax.Name.Name == "_" {
			continue
		}
		before = p.texts[i]
		p.texts[i], p.files[i] = text, f
		return i, before, fmt.Sprintf("%s: %s", p.names[i], how)
	}
}

// randomEdit makes another text of a file; nil if the chosen edit does not fit.
func randomEdit(rng *rand.Rand, f File) ([]byte, string) {
	var idents []*ast.Ident
	var statements []ast.Stmt
	var blocks []*ast.BlockStmt
	for _, d := range f.Syntax.Decls {
		if _, ok := d.(*ast.FuncDecl); !ok && rng.IntN(12) > 0 {
			continue
		}
		ast.Inspect(d, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				idents = append(idents, n)
			case *ast.BlockStmt:
				blocks = append(blocks, n)
				statements = append(statements, n.List...)
			}
			return true
		})
	}
	if len(idents) == 0 || len(statements) == 0 {
		return nil, ""
	}
	replace := func(from, to token.Pos, by string) []byte {
		a, b := f.offset(from), f.offset(to)
		if a > b {
			return nil
		}
		return slices.Concat(f.Text[:a], []byte(by), f.Text[b:])
	}
	source := func(n ast.Node) string { return string(f.Text[f.offset(n.Pos()):f.offset(n.End())]) }
	id, other := idents[rng.IntN(len(idents))], idents[rng.IntN(len(idents))]
	st, st2 := statements[rng.IntN(len(statements))], statements[rng.IntN(len(statements))]
	block := blocks[rng.IntN(len(blocks))]
	insert := func(s string) []byte { return replace(block.Lbrace+1, block.Lbrace+1, "\n"+s+"\n") }
	switch rng.IntN(12) {
	case 0:
		return replace(id.Pos(), id.End(), other.Name), "name " + id.Name + " becomes " + other.Name
	case 1:
		return replace(id.Pos(), id.End(), id.Name+"x"), "name " + id.Name + " gets an x"
	case 2:
		return replace(st.Pos(), st.End(), ""), "statement removed"
	case 3:
		return insert(source(st)), "statement inserted"
	case 4:
		return replace(st.Pos(), st.End(), source(st2)), "statement replaced"
	case 5:
		return insert("var unused int"), "variable inserted"
	case 6:
		return insert("// a comment"), "comment inserted"
	case 7:
		return insert("_ = " + other.Name), "use of " + other.Name
	case 8:
		return insert("goto L; L: _ = 1; type T struct{ t *T }; var _ = T{}"), "label and type"
	case 9:
		return insert("_ = func() { " + source(st) + " }"), "function literal"
	case 10:
		at := rng.IntN(len(f.Text))
		one := string("{}().;\"`x+"[rng.IntN(10)])
		return slices.Concat(f.Text[:at], []byte(one), f.Text[at:]), "character"
	default:
		at := rng.IntN(len(f.Text))
		return slices.Concat(f.Text[:at], []byte("\n\n"), f.Text[at:]), "lines"
	}
}

// TestAgree compares, over random edits of packages of the standard library, what a Package keeps
// and checks anew with a check of the whole package.
func TestAgree(t *testing.T) {
	for _, path := range strings.Split(*agreePackages, ",") {
		t.Run(path, func(t *testing.T) {
			imports := importer.ForCompiler(token.NewFileSet(), "source", nil)
			p := loadStd(t, path, imports)
			rng := rand.New(rand.NewPCG(*agreeSeed, 7))
			pkg := New(partOf)
			whole, single := 0, 0
			for step := range *agreeEdits {
				how, file, before := "as it is", 0, p.texts[0]
				if step > 0 {
					file, before, how = p.edit(t, rng)
				}
				r := pkg.Check(p.config, p.files)
				if r.Whole {
					whole++
				}
				single += r.Bodies
				gotNames, gotErrors := resultFacts(p.files, r)
				wantNames, wantErrors := wholeFacts(p.config, p.files)
				for i, name := range p.names {
					what := fmt.Sprintf("seed %d, edit %d (%s), %s", *agreeSeed, step, how, name)
					ok := sameFacts(t, what, gotErrors[i], wantErrors[i])
					if len(wantErrors[i]) == 0 || ok {
						ok = sameFacts(t, what, gotNames[i], wantNames[i]) && ok
					}
					if !ok {
						t.FailNow()
					}
				}
				// Most edits are taken back, so that the code stays one with few errors.
				if rng.IntN(4) > 0 {
					p.texts[file] = before
					p.files[file] = parse(t, p.names[file], before)
				}
				if step%10 == 9 {
					p = loadStd(t, path, imports)
				}
			}
			t.Logf("%d edits: %d checks of the whole package, %d of one body", *agreeEdits, whole, single)
		})
	}
}
