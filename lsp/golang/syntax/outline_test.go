package syntax

import (
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

func TestOutline(t *testing.T) {
	text := `package p

import "fmt"

const (
	A = iota
	B
)

var x, _ = 1, fmt.Sprint(
	"x")

type S struct {
	F, G int
	*fmt.Stringer
	In struct{ Deep struct { X int }}
}

type I interface {
	M(a int) error
	fmt.Stringer
	~int | string
	~bool | struct{int}
}

var V struct{ f func(int) }

type (
	E     interface{}
	Empty struct{}
	F     func(a int)
)

func _() {}

type G[T any] []T

func (s *S) Do(a, b int) (int, error) { return 0, nil }

func (g G[T]) Len() int { return len(g) }

func (*P[ K,V ]) Both() {}

func Map[T, U any](f func(T) struct { x U }) []U { return nil }

func broken( {
`
	tree := Parse("file:///p.go", []byte(text))
	var lines []string
	var show func(list []lsp.Symbol, indent string)
	show = func(list []lsp.Symbol, indent string) {
		for _, s := range list {
			if text[s.NameSpan.Start:s.NameSpan.End] != s.Name && !strings.HasSuffix(s.Name, "."+text[s.NameSpan.Start:s.NameSpan.End]) {
				t.Errorf("the name of %s is at %q", s.Name, text[s.NameSpan.Start:s.NameSpan.End])
			}
			if s.NameSpan.Start < s.Span.Start || s.NameSpan.End > s.Span.End {
				t.Errorf("%s: name %v outside of %v", s.Name, s.NameSpan, s.Span)
			}
			lines = append(lines, strings.TrimRight(indent+s.Kind.String()+" "+s.Name+" "+s.Detail, " "))
			show(s.Children, indent+"  ")
		}
	}
	show(Outline(tree), "")
	want := `constant A
constant B
variable x
struct S struct{...}
  field F int
  field G int
  field Stringer *fmt.Stringer
  field In struct{...}
    field Deep struct{...}
      field X int
interface I interface{...}
  method M func(a int) error
  field Stringer fmt.Stringer
  field ~int | string
  field ~bool | struct{int}
variable V struct{...}
  field f func(int)
interface E interface{}
struct Empty struct{}
function F func(a int)
class G []T
method (*S).Do func(a, b int) (int, error)
method (G[T]).Len func() int
method (*P[K,V]).Both func()
function Map func[T, U any](f func(T) struct {x U}) []U`
	if got := strings.Join(lines, "\n"); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
