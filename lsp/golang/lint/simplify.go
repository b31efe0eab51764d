package lint

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	goversion "go/version"

	"golang.org/x/tools/go/analysis"
)

// What gofmt -s simplifies, and a little more.
var (
	simplifyRange = &analysis.Analyzer{
		Name: "simplifyrange", Doc: "find range statements with blank variables that can go", Run: runSimplifyRange,
	}
	simplifySlice = &analysis.Analyzer{
		Name: "simplifyslice", Doc: "find slice expressions that end at the length of what is sliced", Run: runSimplifySlice,
	}
	simplifyCompositeLit = &analysis.Analyzer{
		Name: "simplifycompositelit", Doc: "find types of elements that the type of a literal says", Run: runSimplifyCompositeLit,
	}
	inferTypeArgs = &analysis.Analyzer{
		Name: "infertypeargs", Doc: "find type arguments of calls that are inferred without them", Run: runInferTypeArgs,
	}
	mapRange = &analysis.Analyzer{
		Name: "maprange", Doc: "find loops over the keys or values of a map that could be over the map", Run: runMapRange,
	}
	writeString = &analysis.Analyzer{
		Name: "writestring", Doc: "find strings that are put together to be written, and could be written one by one", Run: runWriteString,
	}
)

func runSimplifyRange(pass *analysis.Pass) (any, error) {
	eachWritten(pass, func(path []ast.Node) {
		loop, ok := path[len(path)-1].(*ast.RangeStmt)
		if !ok {
			return
		}
		var from, to token.Pos
		switch {
		case isBlank(loop.Key) && (loop.Value == nil || isBlank(loop.Value)):
			from, to = loop.Key.Pos(), loop.Range
		case loop.Value != nil && isBlank(loop.Value):
			from, to = loop.Key.End(), loop.Value.End()
		default:
			return
		}
		pass.Report(analysis.Diagnostic{
			Pos: from, End: to, Message: "simplify range expression: blank variables can go",
			SuggestedFixes: fixes("Remove empty value", analysis.TextEdit{Pos: from, End: to}),
		})
	})
	return nil, nil
}

func runSimplifySlice(pass *analysis.Pass) (any, error) {
	eachWritten(pass, func(path []ast.Node) {
		slice, ok := path[len(path)-1].(*ast.SliceExpr)
		if !ok || slice.Max != nil {
			return
		}
		of, ok := slice.X.(*ast.Ident)
		call, isCall := slice.High.(*ast.CallExpr)
		if !ok || !isCall || len(call.Args) != 1 {
			return
		}
		fun, ok := call.Fun.(*ast.Ident)
		arg, isName := call.Args[0].(*ast.Ident)
		if !ok || !isName || pass.TypesInfo.Uses[fun] != types.Universe.Lookup("len") {
			return
		}
		if obj := pass.TypesInfo.Uses[of]; obj == nil || pass.TypesInfo.Uses[arg] != obj {
			return
		}
		text := fmt.Sprintf("len(%s)", arg.Name)
		pass.Report(analysis.Diagnostic{
			Pos: call.Pos(), End: call.End(), Message: "unneeded: " + text,
			SuggestedFixes: fixes("Remove '"+text+"'", analysis.TextEdit{Pos: call.Pos(), End: call.End()}),
		})
	})
	return nil, nil
}

func runSimplifyCompositeLit(pass *analysis.Pass) (any, error) {
	eachWritten(pass, func(path []ast.Node) {
		lit, ok := path[len(path)-1].(*ast.CompositeLit)
		if !ok {
			return
		}
		var key, elem ast.Expr
		kind := "slice"
		switch t := lit.Type.(type) {
		case *ast.ArrayType:
			if elem = t.Elt; t.Len != nil {
				kind = "array"
			}
		case *ast.MapType:
			key, elem, kind = t.Key, t.Value, "map"
		default:
			return
		}
		for _, e := range lit.Elts {
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				if key != nil {
					reportRedundant(pass, key, pair.Key, kind)
				}
				e = pair.Value
			}
			reportRedundant(pass, elem, e, kind)
		}
	})
	return nil, nil
}

// reportRedundant reports the type of an element of a literal if the literal's says it.
func reportRedundant(pass *analysis.Pass, want, e ast.Expr, kind string) {
	var from token.Pos
	var edits []analysis.TextEdit
	amp := ""
	if addr, ok := e.(*ast.UnaryExpr); ok && addr.Op == token.AND {
		star, ok := want.(*ast.StarExpr)
		if !ok {
			return
		}
		want, e, from, amp = star.X, addr.X, addr.OpPos, "&"
		edits = append(edits, analysis.TextEdit{Pos: from, End: from + 1})
	}
	lit, ok := e.(*ast.CompositeLit)
	if !ok || lit.Type == nil {
		return
	}
	a, b := pass.TypesInfo.TypeOf(want), pass.TypesInfo.TypeOf(lit.Type)
	if a == nil || b == nil || !types.Identical(a, b) {
		return
	}
	if !from.IsValid() {
		from = lit.Type.Pos()
	}
	edits = append(edits, analysis.TextEdit{Pos: lit.Type.Pos(), End: lit.Type.End()})
	pass.Report(analysis.Diagnostic{
		Pos: from, End: lit.Type.End(), Message: fmt.Sprintf("redundant type in %s literal", kind),
		SuggestedFixes: fixes(fmt.Sprintf("Remove '%s%s'", amp, types.ExprString(lit.Type)), edits...),
	})
}

func runInferTypeArgs(pass *analysis.Pass) (any, error) {
	eachWritten(pass, func(path []ast.Node) {
		call, ok := path[len(path)-1].(*ast.CallExpr)
		if !ok {
			return
		}
		var (
			fun             ast.Expr
			args            []ast.Expr
			opened, closing token.Pos
		)
		switch x := call.Fun.(type) {
		case *ast.IndexExpr:
			fun, args, opened, closing = x.X, []ast.Expr{x.Index}, x.Lbrack, x.Rbrack
		case *ast.IndexListExpr:
			fun, args, opened, closing = x.X, x.Indices, x.Lbrack, x.Rbrack
		default:
			return
		}
		id := calledIdent(fun)
		made, ok := pass.TypesInfo.Instances[id]
		if id == nil || !ok {
			return // an element of something is called
		}
		needed := len(args)
		for n := len(args) - 1; n >= 0; n-- {
			shorter := *call
			switch n {
			case 0:
				shorter.Fun = fun
			case 1:
				shorter.Fun = &ast.IndexExpr{X: fun, Lbrack: opened, Index: args[0], Rbrack: args[0].End()}
			default:
				shorter.Fun = &ast.IndexListExpr{X: fun, Lbrack: opened, Indices: args[:n], Rbrack: args[n-1].End()}
			}
			info := &types.Info{Instances: map[*ast.Ident]types.Instance{}}
			if types.CheckExpr(pass.Fset, pass.Pkg, call.Pos(), &shorter, info) != nil {
				break
			}
			if got := info.Instances[id].Type; got == nil || !types.Identical(got, made.Type) {
				break
			}
			needed = n
		}
		if needed == len(args) {
			return
		}
		from, to, cut := opened, closing+1, opened
		if needed > 0 {
			from, to, cut = args[needed].Pos(), closing, args[needed-1].End()
		}
		pass.Report(analysis.Diagnostic{
			Pos: from, End: to, Message: "unnecessary type arguments",
			SuggestedFixes: fixes("Simplify type arguments", analysis.TextEdit{Pos: cut, End: to}),
		})
	})
	return nil, nil
}

func runMapRange(pass *analysis.Pass) (any, error) {
	const slices = "golang.org/x/exp/maps" // its functions make slices, those of package maps iterators
	if path := pass.Pkg.Path(); path == "maps" || path == slices {
		return nil, nil
	}
	eachWritten(pass, func(path []ast.Node) {
		loop, ok := path[len(path)-1].(*ast.RangeStmt)
		if !ok {
			return
		}
		call, ok := loop.X.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return
		}
		fn := calleeOf(pass.TypesInfo, call)
		if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "maps" && fn.Pkg().Path() != slices || fn.Name() != "Keys" && fn.Name() != "Values" {
			return
		}
		file, _ := path[0].(*ast.File)
		set := func(e ast.Expr) bool { return e != nil && !isBlank(e) }
		asSlice := fn.Pkg().Path() == slices
		first, second := set(loop.Key), set(loop.Value)
		if first && second {
			return // it takes the slice to count
		}
		fun := analysis.TextEdit{Pos: call.Fun.Pos(), End: call.Fun.End()}
		edits := []analysis.TextEdit{fun}
		switch {
		case asSlice && first:
			// Numbers are counted, not keys.
			if v := pass.TypesInfo.FileVersions[file]; v != "" && goversion.Compare(v, "go1.22") < 0 {
				pass.Report(analysis.Diagnostic{
					Pos: call.Pos(), End: call.End(), Message: fmt.Sprintf("likely incorrect use of %s.%s (returns a slice)", fn.Pkg().Path(), fn.Name()),
				})
				return
			}
			edits[0].NewText = []byte("len")
		case asSlice && second && fn.Name() == "Keys":
			edits = append(edits, analysis.TextEdit{Pos: loop.Key.Pos(), End: loop.Value.Pos()})
		case !asSlice && first && fn.Name() == "Values":
			edits = append(edits, analysis.TextEdit{Pos: loop.Key.Pos(), End: loop.Key.Pos(), NewText: []byte("_, ")})
		}
		pass.Report(analysis.Diagnostic{
			Pos: call.Pos(), End: call.End(), Message: fmt.Sprintf("unnecessary and inefficient call of %s.%s", fn.Pkg().Path(), fn.Name()),
			SuggestedFixes: fixes(fmt.Sprintf("Remove unnecessary call to %s.%s", fn.Pkg().Path(), fn.Name()), edits...),
		})
	})
	return nil, nil
}

// buffers are the types whose WriteString costs no more for being called twice.
var buffers = map[string]bool{"strings.Builder": true, "bytes.Buffer": true, "bufio.Writer": true, "hash/maphash.Hash": true}

func runWriteString(pass *analysis.Pass) (any, error) {
	eachWritten(pass, func(path []ast.Node) {
		statement, ok := path[len(path)-1].(*ast.ExprStmt)
		if !ok {
			return
		}
		call, ok := statement.X.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 || !hasNoEffect(call.Fun) {
			return
		}
		fn := calleeOf(pass.TypesInfo, call)
		if fn == nil || fn.Name() != "WriteString" || fn.Signature().Recv() == nil {
			return
		}
		of := types.TypeString(deref(fn.Signature().Recv().Type()), nil)
		parts := concatenated(pass.TypesInfo, call.Args[0])
		if !buffers[of] || len(parts) < 2 {
			return
		}
		// The text of each part stays as it is, and what stands between them is replaced.
		fun := types.ExprString(call.Fun)
		edits := []analysis.TextEdit{{Pos: call.Lparen + 1, End: parts[0].Pos()}}
		for i, part := range parts[1:] {
			edits = append(edits, analysis.TextEdit{Pos: parts[i].End(), End: part.Pos(), NewText: []byte("); " + fun + "(")})
		}
		edits = append(edits, analysis.TextEdit{Pos: parts[len(parts)-1].End(), End: call.Rparen})
		pass.Report(analysis.Diagnostic{
			Pos: call.Pos(), End: call.End(), Message: "Inefficient string concatenation in call to WriteString",
			SuggestedFixes: fixes("Split into separate WriteString calls", edits...),
		})
	})
	return nil, nil
}

// hasNoEffect reports whether an expression is names and dots alone, which can be evaluated again.
func hasNoEffect(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return true
	case *ast.SelectorExpr:
		return hasNoEffect(e.X)
	case *ast.ParenExpr:
		return hasNoEffect(e.X)
	case *ast.StarExpr:
		return hasNoEffect(e.X)
	}
	return false
}

func deref(t types.Type) types.Type {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// concatenated are the strings that an expression puts together; what is constant stays one.
func concatenated(info *types.Info, e ast.Expr) []ast.Expr {
	sum, ok := e.(*ast.BinaryExpr)
	if !ok || sum.Op != token.ADD || info.Types[e].Value != nil {
		return []ast.Expr{e}
	}
	return append(concatenated(info, sum.X), sum.Y)
}
