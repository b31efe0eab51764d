package golang

import (
	"bytes"
	"cmp"
	"go/ast"
	"go/build"
	"go/scanner"
	"go/token"
	"go/types"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// TestHalfTypedSpoilsOneDeclaration: without one token, or cut off behind one in a line, a function
// does not take along what is declared below it.
func TestHalfTypedSpoilsOneDeclaration(t *testing.T) {
	const edits = 400
	lost, tried := 0, 0
	for _, name := range []string{"fmt/print.go", "net/http/server.go", "go/types/stmt.go", "sort/sort.go"} {
		text, err := os.ReadFile(filepath.Join(build.Default.GOROOT, "src", filepath.FromSlash(name)))
		if err != nil {
			t.Skip("needs the sources of the standard library:", err)
		}
		whole := parseTree("file:///"+name, text)
		list := sections(text)
		rng := rand.New(rand.NewPCG(1, uint64(len(text))))
		for range edits {
			s := list[1+rng.IntN(len(list)-1)] // without a package clause there is no file
			spoilt := spoil(rng, text, s)
			if spoilt == nil {
				continue
			}
			tried++
			half := parseTree("file:///"+name, spoilt)
			if len(half.source) != len(spoilt) || bytes.Count(half.source, []byte("\n")) > bytes.Count(spoilt, []byte("\n"))+2 {
				t.Fatalf("%s: a repair moved the text", name)
			}
			there := map[string]bool{}
			for _, fn := range functions(half, 0, len(spoilt)) {
				there[fn] = true
			}
			for _, fn := range functions(whole, s.end, len(text)) {
				if !there[fn] {
					lost++
					t.Logf("%s: %s is lost by\n%s", name, fn, spoilt[s.start:min(s.end, len(spoilt))])
					break
				}
			}
		}
	}
	if lost > 0 || tried < edits {
		t.Errorf("%d of %d edits lost a declaration", lost, tried)
	}
}

// spoil takes a token out of a section, or the rest of a line behind one; nil if that would be a
// string, whose end cannot be told.
func spoil(rng *rand.Rand, text []byte, s section) []byte {
	part := text[s.start:s.end]
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(part))
	var sc scanner.Scanner
	sc.Init(file, part, func(token.Position, string) {}, 0)
	var cuts [][2]int
	for {
		pos, tok, lit := sc.Scan()
		if tok == token.EOF {
			break
		}
		if at := file.Offset(pos); at > 0 && lit != "\n" && tok != token.STRING && tok != token.CHAR {
			cuts = append(cuts, [2]int{s.start + at, s.start + at + len(cmp.Or(lit, tok.String()))})
		}
	}
	if len(cuts) == 0 {
		return nil
	}
	c := cuts[rng.IntN(len(cuts))]
	if rng.IntN(2) == 0 {
		end := bytes.IndexByte(text[c[0]:s.end], '\n')
		if end < 0 || bytes.ContainsAny(text[c[0]:c[0]+end], "\"'`/") {
			return nil
		}
		c[1] = c[0] + end
	}
	return append(bytes.Clone(text[:c[0]]), text[c[1]:]...)
}

// functions are the names of those that are declared in a range of a file.
func functions(t *tree, from, to int) (names []string) {
	for _, decl := range t.file.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok {
			if at := t.offset(fn.Pos()); at >= from && at < to {
				name := fn.Name.Name
				if fn.Recv != nil && len(fn.Recv.List) == 1 {
					name = types.ExprString(fn.Recv.List[0].Type) + "." + name
				}
				names = append(names, name)
			}
		}
	}
	return names
}
