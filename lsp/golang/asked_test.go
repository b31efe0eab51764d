package golang

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// wideModule is a module of so many packages of two files. Half of them import one more.
func wideModule(packages int) string {
	var b strings.Builder
	b.WriteString("-- go.mod --\nmodule example.com/wide\n\ngo 1.24\n-- base/base.go --\npackage base\n\nfunc Base() int { return 1 }\n")
	for i := range packages {
		imports, use := "", ""
		if i%2 == 0 {
			imports, use = "import \"example.com/wide/base\"\n", "var _ = base.Base()\n"
		}
		fmt.Fprintf(&b, "-- p%03d/a.go --\npackage p\n\n%s\n%sfunc A() int { return b() }\n", i, imports, use)
		fmt.Fprintf(&b, "-- p%03d/b.go --\npackage p\n\nfunc b() int { return 0 }\n", i)
	}
	return b.String()
}

// answers counts the answers that were asked for and found, and the functions that ran, by query.
func (f *fixture) answers() (asked, ran map[string]uint64) {
	asked, ran = map[string]uint64{}, map[string]uint64{}
	for name, q := range f.eng.Stats().Queries {
		asked[name] = q.Reused + q.Steady + q.Validated + q.Ran + q.Failed
		ran[name] = q.Ran + q.Failed
	}
	return asked, ran
}

func sumOfDifferences(was, now map[string]uint64) (sum uint64, parts []string) {
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if n := now[name] - was[name]; n > 0 {
			sum += n
			parts = append(parts, fmt.Sprintf("%s %d", name, n))
		}
	}
	return sum, parts
}

// TestEditAsksWhatItChanged counts the answers that an edit of a body has asked, until its
// diagnostics are published: they do not grow with the workspace.
func TestEditAsksWhatItChanged(t *testing.T) {
	if testing.Short() {
		t.Skip("asks the go command about hundreds of packages")
	}
	const most = 250 // up to 150 are; each level of a gathering adds 16 or so
	for _, packages := range []int{40, 400} {
		t.Run(fmt.Sprint(packages), func(t *testing.T) {
			f := newFixture(t, wideModule(packages), lsp.WorkspaceOptions{})
			f.index()
			uri := f.uri("p003/b.go")
			body := func(text string) {
				t.Helper()
				if err := f.w.SetOverlay(f.ctx, uri, []byte("package p\n\nfunc b() int { "+text+" }\n")); err != nil {
					t.Fatal(err)
				}
				f.settle()
			}
			body("return 0")
			for i, c := range []struct{ body, wrong string }{
				{"return 1", ""},
				{"return wrong", "wrong: types: undefined: wrong"},
				{"return 2", ""},
				{"return 3", ""},
				{"return worse", "worse: types: undefined: worse"},
			} {
				asked, ran := f.answers()
				body(c.body)
				nowAsked, nowRan := f.answers()
				if got := strings.Join(f.published("p003/b.go"), "; "); got != c.wrong {
					t.Fatalf("after %q: %q, want %q", c.body, got, c.wrong)
				}
				n, parts := sumOfDifferences(asked, nowAsked)
				r, runs := sumOfDifferences(ran, nowRan)
				t.Logf("%d packages, edit %d: %d asked: %s; %d ran: %s", packages, i, n, strings.Join(parts, ", "), r, strings.Join(runs, ", "))
				once := func(query string) bool { return nowRan[query]-ran[query] == 1 }
				if n > most || !once("golang/findings") || !once("golang/check") {
					t.Errorf("%d packages, edit %d: %d answers asked, want at most %d, "+
						"one check and one index: %s; ran: %s", packages, i, n, most, strings.Join(parts, ", "), strings.Join(runs, ", "))
				}
			}
		})
	}
}
