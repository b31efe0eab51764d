package golang

import (
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
)

const hierarchyArchive = `
-- go.mod --
module m

go 1.26
-- a/a.go --
package /*@pkg*/a

import "unsafe"

type /*@Runner*/Runner interface{ /*@Run*/Run() }

type /*@Both*/Both interface {
	Runner
	Stop()
}

type /*@Job*/Job struct{ after func() }

func (Job) /*@JobRun*/Run() { /*@helperUse*/helper() }
func (Job) Stop() {}

func /*@helper*/helper() {}

func generic[T any](T) {}

func /*@main*/main(r Runner) {
	r.Run()
	func() { helper(); helper() }()
	generic[int](1)
	Job{}.after()
	_ = len("")
	_ = unsafe.String(nil, 0)
	_ = int(0)
	f := helper
	f()
}

var /*@x*/x, y = func() int { helper(); return 0 }(), 1
-- a/a_test.go --
package a

func /*@test*/test() { main(Job{}) }
-- b/b.go --
package b

import "m/a"

func /*@other*/other(r a.Runner) { r.Run() }
`

func TestHierarchies(t *testing.T) {
	f := newFixture(t, hierarchyArchive, lsp.WorkspaceOptions{Tests: true})
	f.index()
	calls := func(ask func(*runtime.Task, string, int) ([]lsp.Call, error)) func(*runtime.Task, string, int) ([]lsp.HierarchyItem, error) {
		return func(t *runtime.Task, uri string, offset int) (items []lsp.HierarchyItem, err error) {
			list, err := ask(t, uri, offset)
			for _, c := range list {
				items = append(items, c.Item)
			}
			return items, err
		}
	}
	for _, c := range []struct {
		what string
		ask  func(*runtime.Task, string, int) ([]lsp.HierarchyItem, error)
		mark string
		want string // names
	}{
		{"callables", f.w.Callables, "helperUse", "helper"},
		{"callables", f.w.Callables, "Job", ""},
		{"callers", calls(f.w.IncomingCalls), "helper", "Run main x"},
		{"callers", calls(f.w.IncomingCalls), "main", "test"},
		{"callers", calls(f.w.IncomingCalls), "Run", "main other"},
		{"callers", calls(f.w.IncomingCalls), "JobRun", "main other"}, // through Runner
		{"callees", calls(f.w.OutgoingCalls), "main", "Run String generic helper"},
		{"callees", calls(f.w.OutgoingCalls), "x", "helper"},
		{"callees", calls(f.w.OutgoingCalls), "helper", ""},
		{"types", f.w.Types, "Job", "Job"},
		{"types", f.w.Types, "helper", ""},
		{"supertypes", f.w.Supertypes, "Job", "Both Runner"},
		{"supertypes", f.w.Supertypes, "Both", "Runner"},
		{"subtypes", f.w.Subtypes, "Runner", "Both Job"},
		{"subtypes", f.w.Subtypes, "Job", ""},
	} {
		at := f.at(c.mark)
		var got []string
		err := f.in(func(t *runtime.Task) error {
			list, err := c.ask(t, at.URI, at.Span.Start)
			for _, item := range list {
				got = append(got, item.Name)
			}
			return err
		})
		slices.Sort(got)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s of %s: got %q, %v; want %q", c.what, c.mark, got, err, c.want)
		}
	}
	at := f.at("helper")
	err := f.in(func(t *runtime.Task) error {
		list, err := f.w.IncomingCalls(t, at.URI, at.Span.Start)
		for _, c := range list {
			if c.Item.Name == "main" && len(c.Spans) != 3 {
				f.t.Errorf("main names helper at %v", c.Spans)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
