package layout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestBenchmarksNameTheirAxes: each part of the name of a benchmark says what it varies and to
// what, as in BenchmarkGet/records=1024/form=files: benchstat makes its columns of such parts, and
// of no others. What a name is put together from is looked at as far as it is literal.
func TestBenchmarksNameTheirAxes(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != top) {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 || !isRunOfBenchmark(call) {
				return true
			}
			ast.Inspect(call.Args[0], func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr: // other text than that of Sprint is no part of a name
					of, ok := n.Fun.(*ast.SelectorExpr)
					return ok && strings.HasPrefix(of.Sel.Name, "Sprint")
				case *ast.BasicLit:
					name, err := strconv.Unquote(n.Value)
					if err != nil {
						return false
					}
					seen++
					for part := range strings.SplitSeq(strings.Trim(name, "/"), "/") {
						if !strings.Contains(part, "=") || strings.Contains(part, " ") {
							t.Errorf("%s: the part %q of a benchmark's name is not axis=value", fset.Position(n.Pos()), part)
						}
					}
				}
				return true
			})
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 50 {
		t.Errorf("%d names of benchmarks found, there are more", seen)
	}
}

// isRunOfBenchmark reports whether a call is b.Run of a function of a benchmark.
func isRunOfBenchmark(call *ast.CallExpr) bool {
	of, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || of.Sel.Name != "Run" {
		return false
	}
	on, ok := of.X.(*ast.Ident)
	return ok && on.Name == "b"
}
