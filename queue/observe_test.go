package queue

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"slices"
	"sync"
	"testing"
)

// TestNeverEmptyIsNeverSeenEmpty: a ring in which there is an item at every moment is never said to
// be empty by those who look on while others push and pop.
func TestNeverEmptyIsNeverSeenEmpty(t *testing.T) {
	looks := volume(10_000_000)
	for name, r := range map[string]interface {
		TryPush(int) bool
		TryPop() (int, bool)
		Len() int
		Empty() bool
	}{"MPMC": NewMPMC[int](4), "SPSC": NewSPSC[int](4)} {
		t.Run(name, func(t *testing.T) {
			if !r.TryPush(0) {
				t.Fatal("no room in a fresh ring")
			}
			done := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					for range 100 {
						r.TryPush(1) // then there are two
						r.TryPop()   // and one is left
					}
				}
			})
			for range looks {
				if r.Empty() {
					t.Error("Empty, and there was an item at every moment")
					break
				}
				if n := r.Len(); n < 1 {
					t.Errorf("Len %d, and there was an item at every moment", n)
					break
				}
			}
			close(done)
			wg.Wait()
		})
	}
}

// TestHeadIsLoadedBeforeTail: those who look on load the head first. The other way round the head
// may overtake the tail that was loaded, and the difference is negative, or a ring that was never
// empty has a Len of zero. It shows in what the rings say once in millions of looks (the test
// above), so the order is read from the source as well.
func TestHeadIsLoadedBeforeTail(t *testing.T) {
	fset := gotoken.NewFileSet()
	looks := 0
	for _, name := range []string{"mpmc.go", "spsc.go"} {
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Name.Name != "Len" && fn.Name.Name != "Empty" {
				continue
			}
			var loads []string
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if load, ok := call.Fun.(*ast.SelectorExpr); ok && load.Sel.Name == "Load" {
						loads = append(loads, load.X.(*ast.SelectorExpr).Sel.Name)
					}
				}
				return true
			})
			if len(loads) == 0 {
				continue // by way of the other
			}
			looks++
			if !slices.Equal(loads, []string{"head", "tail"}) {
				t.Errorf("%v: %s loads %v, want the head and then the tail", fset.Position(fn.Pos()), fn.Name.Name, loads)
			}
		}
	}
	if looks < 3 {
		t.Errorf("%d functions that look on were found, want Len and Empty of MPMC and Len of SPSC", looks)
	}
}
