package refactor

import (
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"go/types"
	"go/version"
	"slices"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// addTest adds a test with a table of cases for a function or a method, in the file of tests that
// belongs to its own.
func addTest(r *Request) []Change {
	fn, _, ok := enclosing[*ast.FuncDecl](r)
	if !ok || r.Text == nil || strings.HasSuffix(r.File.URI, "_test.go") || fn.Name.Name == "_" || r.usesCgo() {
		return nil
	}
	obj, ok := r.Info.Defs[fn.Name].(*types.Func)
	if !ok || fn.Recv == nil && (fn.Name.Name == "init" || fn.Name.Name == "main" && r.Package.Name() == "main") {
		return nil
	}
	if s := obj.Signature(); s.TypeParams().Len() > 0 || s.RecvTypeParams().Len() > 0 {
		return nil // a test has to say for which types
	}
	return []Change{{Title: "Add test for " + fn.Name.Name, Make: func() (*lsp.WorkspaceEdit, error) {
		if len(r.File.Errors) > 0 {
			return nil, fmt.Errorf("%s has syntax errors", r.File.URI)
		}
		return r.makeTest(fn, obj)
	}}}
}

// A testWriter writes one test.
type testWriter struct {
	r       *Request
	fn      *types.Func
	own     *importer // of the file of tests
	testing string    // the name of package testing there
	of      string    // the name of the package under test, with a dot; "" within it
	fields  map[string]bool
}

// makeTest puts a test into the file of tests, which it makes if there is none.
func (r *Request) makeTest(fn *ast.FuncDecl, obj *types.Func) (*lsp.WorkspaceEdit, error) {
	uri := strings.TrimSuffix(r.File.URI, ".go") + "_test.go"
	text, err := r.Text(uri)
	isNew := errors.Is(err, lsp.ErrUnknownFile)
	if err != nil && !isNew {
		return nil, err
	}
	external := r.exportedTo(fn, obj)
	head := ""
	if isNew {
		name := r.Package.Name()
		if external {
			name += "_test"
		}
		head = r.preamble() + "package " + name + "\n"
		text = []byte(head)
	}
	tree := syntax.Parse(uri, text)
	if len(tree.Errors) > 0 {
		return nil, fmt.Errorf("%s has syntax errors", uri)
	}
	switch tree.AST.Name.Name {
	case r.Package.Name():
		external = false
	case r.Package.Name() + "_test":
		if !external {
			return nil, fmt.Errorf("%s, or what it takes or gives, is not exported to package %s, which %s is of", fn.Name.Name, tree.AST.Name.Name, uri)
		}
	default:
		return nil, fmt.Errorf("%s is of package %s", uri, tree.AST.Name.Name)
	}
	w := testWriter{r: r, fn: obj, own: r.importerOf(tree, external)}
	name, err := w.name(uri, tree)
	if err != nil {
		return nil, err
	}
	test, err := w.test(name)
	if err != nil {
		return nil, err
	}
	if w.own.hidden {
		return nil, errors.New("a type that is not exported would have to be written")
	}
	var edits []lsp.TextEdit
	if isNew {
		edits = []lsp.TextEdit{{NewText: head + w.own.clause() + test}}
	} else {
		if edits, err = w.own.imports(); err != nil {
			return nil, err
		}
		edits = append(edits, lsp.TextEdit{Span: lsp.Span{Start: len(text), End: len(text)}, NewText: test})
		if n := len(text); n > 0 && text[n-1] != '\n' {
			edits[len(edits)-1].NewText = "\n" + test
		}
	}
	e := &lsp.WorkspaceEdit{Files: []lsp.FileEdit{{URI: uri, Edits: edits}}}
	if isNew {
		e.Create = []string{uri}
	}
	return e, nil
}

// exportedTo reports whether a test in another package could call a function: neither it nor what
// its declaration speaks of is known to the package alone.
func (r *Request) exportedTo(fn *ast.FuncDecl, obj *types.Func) bool {
	ok := obj.Exported()
	look := func(n ast.Node) bool {
		if id, isIdent := n.(*ast.Ident); isIdent {
			used := r.Info.Uses[id]
			if _, isName := used.(*types.PkgName); used != nil && !isName && used.Pkg() == r.Package && !used.Exported() {
				ok = false
			}
		}
		return ok
	}
	if fn.Recv != nil {
		for _, f := range fn.Recv.List {
			ast.Inspect(f.Type, look)
		}
	}
	ast.Inspect(fn.Type, look)
	return ok
}

// importerOf writes types for another file of the package, or of its external test package. A
// package gets the name there that it has in the file asked about.
func (r *Request) importerOf(t *syntax.Tree, external bool) *importer {
	v := *r.View
	v.File = t
	if external {
		v.Package = types.NewPackage(r.Meta.Path+"_test", r.Package.Name()+"_test")
	}
	like := map[string]string{}
	for _, spec := range r.File.AST.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && spec.Name != nil && spec.Name.Name != "_" && spec.Name.Name != "." {
			like[path] = spec.Name.Name
		}
	}
	return &importer{r: &Request{View: &v}, like: like}
}

// clause is an import declaration of what was needed. The parenthesis follows at once, as gopls has
// it; gofmt parts them.
func (i *importer) clause() string {
	slices.SortFunc(i.needed, func(a, b *types.Package) int { return strings.Compare(a.Path(), b.Path()) })
	var lines []string
	for _, p := range i.needed {
		line := strconv.Quote(p.Path())
		if name := i.like[p.Path()]; name != "" {
			line = name + " " + line
		}
		lines = append(lines, line)
	}
	switch len(lines) {
	case 0:
		return ""
	case 1:
		return "\nimport " + lines[0] + "\n"
	}
	return "\nimport(\n\t" + strings.Join(lines, "\n\t") + "\n)\n"
}

// name is what the test is called: like what it tests, and like no other test.
func (w *testWriter) name(uri string, t *syntax.Tree) (string, error) {
	name := "Test"
	if of := w.receiver(); of != nil {
		if !of.Exported() {
			name += "_"
		}
		name += of.Name() + "_"
	} else if !w.fn.Exported() {
		name += "_"
	}
	name += w.fn.Name()
	taken := map[string]bool{}
	note := func(t *syntax.Tree) {
		for _, d := range t.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				taken[fn.Name.Name] = true
			}
		}
	}
	note(t)
	if w.r.TestFiles != nil {
		files, err := w.r.TestFiles()
		if err != nil {
			return "", err
		}
		for _, other := range files {
			if text, err := w.r.Text(other); other != uri && err == nil {
				note(syntax.Parse(other, text))
			}
		}
	}
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprint(name, "_", n)
		}
		if !taken[try] {
			return try, nil
		}
	}
}

// receiver is the type that a method is declared with, which may be an alias; nil for a function.
func (w *testWriter) receiver() *types.TypeName {
	recv := w.fn.Signature().Recv()
	if recv == nil {
		return nil
	}
	t := recv.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if named, ok := t.(interface{ Obj() *types.TypeName }); ok {
		return named.Obj()
	}
	return nil
}

// baseOf is the named type that a receiver or a result is of.
func baseOf(t types.Type) *types.Named {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, _ := types.Unalias(t).(*types.Named)
	return named
}

// constructor is the function that makes a receiver, of those that give a value of its type, or one
// and an error: the one called New and the type, or else the first; nil if there is none.
func (w *testWriter) constructor() (best *types.Func) {
	of := baseOf(w.fn.Signature().Recv().Type())
	scope := w.r.Package.Scope()
	for _, name := range scope.Names() {
		fn, ok := scope.Lookup(name).(*types.Func)
		if !ok || w.of != "" && !fn.Exported() || fn.Signature().TypeParams().Len() > 0 || name == "init" || name == "main" {
			continue
		}
		results := fn.Signature().Results()
		if n := results.Len(); of == nil || n == 0 || n > 2 || baseOf(results.At(0).Type()) != of || n == 2 && !isError(results.At(1).Type()) {
			continue
		}
		isNew := strings.EqualFold(name, "new"+w.receiver().Name())
		if best == nil || isNew {
			best = fn
		}
	}
	return best
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

// receiverName is the variable of the receiver: as the method calls it, or by its type.
func (w *testWriter) receiverName() string {
	var tries []string
	if name := w.fn.Signature().Recv().Name(); name != "" && name != "_" {
		tries = append(tries, name, string([]rune(name)[:1]))
	}
	of := []rune(w.receiver().Name())
	tries = append(tries, string(of[:1]), string(of[:min(2, len(of))]))
	for _, name := range tries {
		name = strings.ToLower(name)
		switch {
		case name == "t", name == "tt", name == "got", name == "gotErr", name == "err", name == "_", token.IsKeyword(name):
		case strings.HasPrefix(name, "got"):
		default:
			return name
		}
	}
	return "r"
}

// field is a name of the table that no field has yet.
func (w *testWriter) field(name string) string {
	for n := 1; ; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprint(name, n)
		}
		if !w.fields[try] {
			w.fields[try] = true
			return try
		}
	}
}

// A testCall is a call of the function under test, or of the one that makes its receiver: its
// arguments, and the fields of the table that they come from.
type testCall struct {
	fn     *types.Func
	fields []string // with their types
	args   []string
}

// call takes the arguments of a function from the table. One without a name gets a zero value, and
// a context is that of the test.
func (w *testWriter) call(fn *types.Func, names []string) (testCall, error) {
	c := testCall{fn: fn}
	params := fn.Signature().Params()
	for n := range params.Len() {
		v := params.At(n)
		variadic := fn.Signature().Variadic() && n == params.Len()-1
		switch {
		case n == 0 && isContext(v.Type()):
			if goVersion := w.r.Meta.GoVersion; goVersion == "" || version.Compare(goVersion, "go1.24") >= 0 {
				c.args = append(c.args, "t.Context()")
			} else {
				c.args = append(c.args, w.own.qualified(baseOf(v.Type()).Obj().Pkg(), "Background")+"()")
			}
		case names[n] == "" && variadic:
		case names[n] == "":
			zero := w.own.zero(v.Type())
			if zero == "" {
				zero = "*new(" + w.own.typ(v.Type()) + ")"
			}
			c.args = append(c.args, zero)
		default:
			arg := "tt." + names[n]
			if variadic {
				arg += "..."
			}
			c.args = append(c.args, arg)
			c.fields = append(c.fields, names[n]+" "+w.own.typ(v.Type()))
		}
	}
	return c, nil
}

// paramFields are the fields of the parameters of a function; "" for those without a name.
func (w *testWriter) paramFields(fn *types.Func, prefix string) (names []string) {
	params := fn.Signature().Params()
	for n := range params.Len() {
		name := params.At(n).Name()
		switch {
		case name == "" || name == "_" || n == 0 && isContext(params.At(n).Type()):
			name = ""
		default:
			name = w.field(prefix + name)
		}
		names = append(names, name)
	}
	return names
}

func isContext(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context" && named.Obj().Name() == "Context"
}

// clashes reports whether two functions have parameters of one name.
func clashes(a, b *types.Func) bool {
	for v := range a.Signature().Params().Variables() {
		for u := range b.Signature().Params().Variables() {
			if v.Name() == u.Name() && v.Name() != "" && v.Name() != "_" && !isContext(v.Type()) {
				return true
			}
		}
	}
	return false
}

// test is the text of the test.
func (w *testWriter) test(name string) (string, error) {
	w.fields = map[string]bool{"name": true}
	w.testing = w.own.qualify(types.NewPackage("testing", "testing"))
	if w.of = w.own.qualify(w.r.Package); w.of != "" {
		w.of += "."
	}
	var out, body strings.Builder
	fmt.Fprintf(&out, "\nfunc %s(t *%s) {\n\ttests := []struct {\n\t\tname string // description of this test case\n", name, dotted(w.testing, "T"))
	results := w.fn.Signature().Results()
	for n := range results.Len() {
		w.fields[wantOf(results, n)] = true
	}
	names := w.paramFields(w.fn, "")
	called, err := w.call(w.fn, names)
	if err != nil {
		return "", err
	}
	callee := w.of + w.fn.Name()
	if of := w.receiver(); of != nil {
		v := w.receiverName()
		callee = v + "." + w.fn.Name()
		if c := w.constructor(); c != nil {
			prefix := ""
			if clashes(c, w.fn) {
				prefix = "c"
			}
			made, err := w.call(c, w.paramFields(c, prefix))
			if err != nil {
				return "", err
			}
			writeFields(&out, "// Named input parameters for receiver constructor.", made.fields)
			got := v
			if c.Signature().Results().Len() == 2 {
				got += ", err"
			}
			fmt.Fprintf(&body, "%s := %s%s(%s)\n", got, w.of, c.Name(), strings.Join(made.args, ", "))
			if c.Signature().Results().Len() == 2 {
				body.WriteString("if err != nil {\nt.Fatalf(\"could not construct receiver type: %v\", err)\n}\n")
			}
		} else {
			t := w.fn.Signature().Recv().Type()
			if p, ok := t.(*types.Pointer); ok {
				t = p.Elem()
			}
			fmt.Fprintf(&body, "// TODO: construct the receiver type.\nvar %s %s\n", v, w.own.typ(t))
		}
	}
	writeFields(&out, "// Named input parameters for target function.", called.fields)
	var gots []string
	for n := range results.Len() {
		t := w.own.typ(results.At(n).Type())
		if failing(results, n) {
			t = "bool"
		}
		fmt.Fprintf(&out, "%s %s\n", wantOf(results, n), t)
		gots = append(gots, gotOf(results, n))
	}
	out.WriteString("}{\n// TODO: Add test cases.\n}\nfor _, tt := range tests {\n")
	fmt.Fprintf(&out, "t.Run(tt.name, func(t *%s) {\n", dotted(w.testing, "T"))
	out.WriteString(body.String())
	if len(gots) > 0 {
		out.WriteString(strings.Join(gots, ", ") + " := ")
	}
	fmt.Fprintf(&out, "%s(%s)\n", callee, strings.Join(called.args, ", "))
	w.compare(&out, results)
	out.WriteString("})\n}\n}\n")
	formatted, err := format.Source([]byte(out.String()))
	if err != nil {
		return "", fmt.Errorf("refactor: the test: %w", err)
	}
	return string(formatted), nil
}

// compare writes what looks at the results.
func (w *testWriter) compare(out *strings.Builder, results *types.Tuple) {
	name := w.fn.Name()
	last := results.Len() - 1
	if last >= 0 && failing(results, last) {
		fmt.Fprintf(out, "if gotErr != nil {\nif !tt.wantErr {\nt.Errorf(\"%s() failed: %%v\", gotErr)\n}\nreturn\n}\n", name)
		fmt.Fprintf(out, "if tt.wantErr {\nt.Fatal(\"%s() succeeded unexpectedly\")\n}\n", name)
		last--
	}
	if last >= 0 {
		out.WriteString("// TODO: update the condition below to compare got with tt.want.\n")
	}
	for n := range last + 1 {
		fmt.Fprintf(out, "if true {\nt.Errorf(\"%s() = %%v, want %%v\", %s, tt.%s)\n}\n", name, gotOf(results, n), wantOf(results, n))
	}
}

func writeFields(out *strings.Builder, comment string, fields []string) {
	if len(fields) > 0 {
		out.WriteString(comment + "\n" + strings.Join(fields, "\n") + "\n")
	}
}

// failing reports whether a result is the error at the end.
func failing(results *types.Tuple, n int) bool {
	return n == results.Len()-1 && isError(results.At(n).Type())
}

func gotOf(results *types.Tuple, n int) string { return numbered("got", "gotErr", results, n) }

func wantOf(results *types.Tuple, n int) string { return numbered("want", "wantErr", results, n) }

func numbered(name, failed string, results *types.Tuple, n int) string {
	switch {
	case failing(results, n):
		return failed
	case n == 0:
		return name
	}
	return fmt.Sprint(name, n+1)
}

// dotted is a name of a package; "" stands for a dot import.
func dotted(pkg, name string) string {
	if pkg == "" {
		return name
	}
	return pkg + "." + name
}
