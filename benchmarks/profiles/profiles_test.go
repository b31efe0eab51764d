package profiles

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

// written writes a profile whose samples are stacks, innermost function first, and returns its
// file.
func written(t *testing.T, name string, samples map[string]int64) string {
	t.Helper()
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"},
		Period:     1,
	}
	functions := map[string]*profile.Location{}
	for stack, value := range samples {
		lane, stack, _ := strings.Cut(stack, ":")
		s := &profile.Sample{Value: []int64{value}}
		if lane != "" {
			s.Label = map[string][]string{"lane": {lane}, "task": {"t"}, "client": {"0"}}
		}
		for f := range strings.FieldsSeq(stack) {
			l := functions[f]
			if l == nil {
				id := uint64(len(functions) + 1)
				fn := &profile.Function{ID: id, Name: f, SystemName: f}
				l = &profile.Location{ID: id, Address: id, Line: []profile.Line{{Function: fn}}}
				functions[f] = l
				p.Function, p.Location = append(p.Function, fn), append(p.Location, l)
			}
			s.Location = append(s.Location, l)
		}
		p.Sample = append(p.Sample, s)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := write(p, file); err != nil {
		t.Fatal(err)
	}
	return file
}

func show(n *Node, depth int, out *strings.Builder) {
	out.WriteString(strings.Repeat(" ", depth) + n.Name + " " + amount(n.Base, "") + " " + amount(n.Head, "") + "\n")
	for _, c := range n.Children {
		show(c, depth+1, out)
	}
}

// Two profiles become one tree for each lane, with both values at each box, the widest first, and
// what is too narrow left out.
func TestGroups(t *testing.T) {
	head, err := load(written(t, "head", map[string]int64{"idle:b a": 600, "idle:c a": 100, "rpc-2:b a": 300, "rpc-2:d a": 1}))
	if err != nil {
		t.Fatal(err)
	}
	base, err := load(written(t, "base", map[string]int64{"idle:b a": 200, "idle:c a": 700}))
	if err != nil {
		t.Fatal(err)
	}
	list, whole, err := groups(head, base, "cpu")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	show(whole, 0, &out)
	if list[0].Name != "lane" {
		t.Fatalf("the first way to divide is by %s", list[0].Name)
	}
	for _, g := range list[0].Graphs {
		show(g, 0, &out)
	}
	const want = `everything 900 1001
 a 900 1001
  b 200 900
  c 700 100
idle 900 700
 a 900 700
  c 700 100
  b 200 600
rpc-2 0 301
 a 0 301
  b 0 300
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	if _, _, err := groups(head, nil, "bytes"); err == nil {
		t.Error("values that are not there were shown")
	}
}

// The page is whole: it names what changed, and what a profile says cannot become part of it.
func TestPage(t *testing.T) {
	r := Report{Suite: "task", Kind: "cpu", Head: "the work tree", Base: "HEAD~1", Parts: []Part{{
		Kind: "cpu", Value: "cpu",
		File: written(t, "head", map[string]int64{"idle:b a": 600e6, "rpc-2:<script> a": 300e6}), Base: written(t, "base", map[string]int64{"idle:b a": 100e6}),
		Link: "head", Other: "base",
	}}}
	var out bytes.Buffer
	if err := r.Write(&out); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, want := range []string{"900ms, 100ms before", "By lane", "&#43;500ms", "&lt;script&gt;", `class="name more2"`, "Type: cpu"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<script") {
		t.Error("a function's name is a part of the page")
	}
	r.Parts[0].File = filepath.Join(t.TempDir(), "absent")
	if err := r.Write(&out); !os.IsNotExist(err) && err == nil {
		t.Error("a profile that is not there was shown")
	}
}

// The engine's package has the name of Go's, and what a box's colour says is not the same of both.
func TestKindOf(t *testing.T) {
	for name, want := range map[string]string{
		"github.com/cytisus/cytisus/runtime.(*Task).Piece":      "engine",
		"github.com/cytisus/cytisus/runtime/memo.(*Table).get":  "engine",
		"github.com/cytisus/cytisus/lsp/golang.checkOf":         "front",
		"github.com/cytisus/cytisus/benchmarks/floor.(*run).do": "bench",
		"runtime.mallocgc":          "go",
		"runtime/pprof.Do":          "go",
		"go/types.(*Checker).Files": "other",
	} {
		if got := kindOf(short(name)); got != want {
			t.Errorf("%s is shown as %s, want %s", name, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	for name, want := range map[string]string{
		"github.com/cytisus/cytisus/runtime/memo.(*Query).eval":              "runtime/memo.(*Query).eval",
		"x.F[go.shape.struct { a.B[go.shape.int] }].func1":                   "x.F[…].func1",
		"github.com/cytisus/cytisus/runtime.Ask[go.shape.int,go.shape.bool]": "cytisus/runtime.Ask[…]",
		"runtime.mallocgc": "runtime.mallocgc",
		"x.F[go.shape.int": "x.F[…]",
	} {
		if got := short(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
