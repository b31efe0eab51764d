package check

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// misusedEmbeds are the diagnostics of a file for go:embed directives that the compiler refuses: it
// takes one above a variable of the package that has a type of a few kinds and no value, in a file
// that imports embed.
func misusedEmbeds(t *syntax.Tree, defined func(*ast.Ident) types.Object) (list []FileDiagnostic) {
	if len(t.Errors) > 0 {
		return nil
	}
	for _, group := range t.AST.Comments {
		for _, c := range group.List {
			rest, ok := strings.CutPrefix(c.Text, syntax.EmbedDirective)
			if !ok || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
				continue
			}
			problem := misusedEmbed(t.AST, defined, c)
			if strings.TrimSpace(rest) == "" {
				problem = "usage: //go:embed pattern..."
			}
			if problem != "" {
				list = append(list, FileDiagnostic{t.URI, lsp.Diagnostic{
					Span:     t.Span(c.Pos(), c.Pos()+token.Pos(len(syntax.EmbedDirective))),
					Severity: lsp.SeverityError, Code: "embed", Source: SourceTypes, Message: problem,
				}})
			}
		}
	}
	return list
}

// misusedEmbed says what is wrong with the place of a directive; "" if nothing is. The words are
// the compiler's, but for the missing import, where clients know those of the analyzer of gopls.
func misusedEmbed(file *ast.File, defined func(*ast.Ident) types.Object, directive *ast.Comment) string {
	spec, inFunc := belowDirective(file, directive)
	if spec == nil {
		return "misplaced go:embed directive"
	}
	imported := false
	for _, s := range file.Imports {
		imported = imported || syntax.ImportPath(s) == "embed"
	}
	switch {
	case !imported:
		return `must import "embed" when using go:embed directives`
	case len(spec.Names) > 1:
		return "go:embed cannot apply to multiple vars"
	case len(spec.Values) > 0:
		return "go:embed cannot apply to var with initializer"
	case spec.Type == nil:
		return "go:embed cannot apply to var without type"
	case inFunc:
		return "go:embed cannot apply to var inside func"
	}
	obj := defined(spec.Names[0])
	if obj == nil || obj.Type() == types.Typ[types.Invalid] || embeddable(obj.Type()) {
		return ""
	}
	return fmt.Sprintf("go:embed cannot apply to var of type %s", types.TypeString(obj.Type(), types.RelativeTo(obj.Pkg())))
}

// embeddable reports whether a variable of a type can hold embedded files.
func embeddable(t types.Type) bool {
	if named, ok := types.Unalias(t).(*types.Named); ok {
		if obj := named.Obj(); obj.Name() == "FS" && obj.Pkg() != nil && obj.Pkg().Path() == "embed" {
			return true
		}
	}
	isBasic := func(t types.Type, kind types.BasicKind) bool {
		b, ok := t.Underlying().(*types.Basic)
		return ok && (b.Kind() == kind || b.Kind() == types.Invalid)
	}
	s, ok := t.Underlying().(*types.Slice)
	return isBasic(t, types.String) || ok && isBasic(s.Elem(), types.Uint8)
}

// belowDirective finds the variables whose declaration stands next below a directive; nil if
// something else does.
func belowDirective(file *ast.File, directive *ast.Comment) (spec *ast.ValueSpec, inFunc bool) {
	var next ast.Node // the declaration, specification or statement
	var gen *ast.GenDecl
	in := func(n ast.Node) bool { return n.Pos() < directive.Pos() && directive.End() <= n.End() }
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case nil, *ast.File:
			return true
		case *ast.FuncDecl, *ast.FuncLit:
			inFunc = inFunc || in(n)
		case *ast.GenDecl:
			if in(n) {
				gen = n
			}
		}
		switch n.(type) {
		case ast.Decl, ast.Spec, ast.Stmt:
			if from := startOf(n); from > directive.Pos() && (next == nil || from < startOf(next)) {
				next = n
			}
		}
		return n.End() > directive.Pos()
	})
	if gen != nil && next != nil && startOf(next) > gen.End() {
		return nil, inFunc // the last line of a group
	}
	if s, ok := next.(*ast.DeclStmt); ok {
		next = s.Decl
	}
	if d, ok := next.(*ast.GenDecl); ok && d.Tok == token.VAR && len(d.Specs) == 1 && !d.Lparen.IsValid() {
		next = d.Specs[0]
	}
	spec, _ = next.(*ast.ValueSpec)
	if gen != nil && gen.Tok != token.VAR {
		spec = nil
	}
	return spec, inFunc
}

// startOf is where a node begins, without the comment above it.
func startOf(n ast.Node) token.Pos {
	switch n := n.(type) {
	case *ast.GenDecl:
		return n.TokPos
	case *ast.FuncDecl:
		return n.Type.Func
	}
	return n.Pos()
}
