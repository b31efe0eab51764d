package methods

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"math/rand/v2"
	"strings"
	"testing"
)

func checked(t *testing.T, path, text string) *types.Package {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: importer.Default(), Error: func(error) {}}
	pkg, _ := conf.Check(path, fset, []*ast.File{file}, nil)
	return pkg
}

var nowhere = Namer{Path: func(types.Object) string { return "" }, File: func(token.Pos) int { return 0 }}

// randomPackage declares types and interfaces whose methods are of few names and signatures.
func randomPackage(rng *rand.Rand) string {
	signatures := []string{
		"()", "(int) error", "(...int)", "([]int)", "(a, b string) (n int, err error)", "(map[string]*T0)", "(func(T1) chan<- I0)",
		"(struct{ x int })", "(interface{ A(); b() })", "([3]byte)", "([3]uint8)", "(any)",
	}
	var b strings.Builder
	b.WriteString("package p\n")
	name := func() string { return string("ABCabc"[rng.IntN(6)]) }
	for i := range 6 {
		fmt.Fprintf(&b, "type T%d struct{ ", i)
		if i > 0 && rng.IntN(2) == 0 {
			fmt.Fprintf(&b, "%sT%d", []string{"", "*"}[rng.IntN(2)], rng.IntN(i))
		}
		b.WriteString(" }\n")
		had := map[string]bool{}
		for range rng.IntN(4) {
			if n := name(); !had[n] {
				had[n] = true
				fmt.Fprintf(&b, "func (%sT%d) %s%s { panic(0) }\n", []string{"", "*"}[rng.IntN(2)], i, n, signatures[rng.IntN(len(signatures))])
			}
		}
	}
	for i := range 6 {
		fmt.Fprintf(&b, "type I%d interface{ ", i)
		if i > 0 && rng.IntN(3) == 0 {
			fmt.Fprintf(&b, "I%d; ", rng.IntN(i))
		}
		had := map[string]bool{}
		for range rng.IntN(3) {
			if n := name(); !had[n] {
				had[n] = true
				fmt.Fprintf(&b, "%s%s; ", n, signatures[rng.IntN(len(signatures))])
			}
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// Tables say of types without parameters what go/types says.
func TestTablesAgreeWithGoTypes(t *testing.T) {
	for seed := range uint64(60) {
		text := randomPackage(rand.New(rand.NewPCG(seed, 3)))
		pkg := checked(t, "p", text)
		table, err := Open("p", Of(pkg, nowhere))
		if err != nil {
			t.Fatal(err)
		}
		scope := pkg.Scope()
		for _, name := range scope.Names() {
			q, ok := table.Find(name)
			of := scope.Lookup(name).Type()
			if n := types.NewMethodSet(pointer(of)).Len(); ok != (n > 0) || len(q.Methods) != n {
				t.Fatalf("seed %d: %s has %d methods, the table %v\n%s", seed, name, n, q.Methods, text)
			}
			got := map[string]bool{}
			table.Search(&q, true, false, func(s *Set) { got["<"+s.Name] = true })
			table.Search(&q, false, true, func(s *Set) { got[">"+s.Name] = true })
			for _, other := range scope.Names() {
				to := scope.Lookup(other).Type()
				if want := isKin(to, of); got["<"+other] != want {
					t.Errorf("seed %d: %s implements %s: %v\n%s", seed, other, name, !want, text)
				}
				if want := isKin(of, to); got[">"+other] != want {
					t.Errorf("seed %d: %s implements %s: %v\n%s", seed, name, other, !want, text)
				}
			}
		}
	}
}

func pointer(t types.Type) types.Type {
	if types.IsInterface(t) {
		return t
	}
	return types.NewPointer(t)
}

func isKin(t, iface types.Type) bool {
	i, ok := iface.Underlying().(*types.Interface)
	return ok && i.NumMethods() > 0 && types.Implements(pointer(t), i)
}

func TestTypeParametersUnify(t *testing.T) {
	pkg := checked(t, "p", `package p
type List[T any] interface { At(int) T; Add(T) }
type Map[K comparable, V any] interface { Get(K) V }
type Slice[E any] []E
func (Slice[E]) At(int) E { panic(0) }
func (Slice[E]) Add(E) {}
type Both struct{}
func (Both) At(int) int { return 0 }
func (Both) Add(string) {}
type Ints struct{ Slice[int] }
func (Ints) Get(string) []bool { return nil }
type Endless[T any] struct{}
func (Endless[T]) At(int) []T { return nil }
func (Endless[T]) Add([]T) {}
type Self[T any] interface { At(int) []T; Add(T) }
`)
	table, err := Open("p", Of(pkg, nowhere))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"List": "Endless Ints Slice", "Map": "Ints", "Slice": "List", "Both": "", "Endless": "List", "Self": "",
	} {
		q, _ := table.Find(name)
		var got []string
		table.Search(&q, q.Interface, !q.Interface, func(s *Set) {
			if s.Name != name {
				got = append(got, s.Name)
			}
		})
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// Damaged tables give no panic (M2).
func TestDamagedTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	pkg := checked(t, "p", randomPackage(rng))
	good := Of(pkg, nowhere)
	q := ErrorType()
	for range 2000 {
		data := append([]byte{}, good[:rng.IntN(len(good)+1)]...)
		for range rng.IntN(4) {
			if len(data) > 0 {
				data[rng.IntN(len(data))] ^= byte(1 << rng.IntN(8))
			}
		}
		table, err := Open("p", data)
		if err != nil {
			continue
		}
		table.Search(&q, true, true, func(*Set) {})
		table.Find("T0")
	}
	_, _ = parse("o\x05", 0), parse("o", 1)
}
