package golang

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/internal/testfiles"
	"github.com/cytisus/cytisus/lsp/partition"
	"github.com/cytisus/cytisus/runtime"
)

// A happening is what an engine with one worker does about packages and open files, in order.
type happening struct {
	mu    sync.Mutex
	steps []string // guarded by mu
}

func (h *happening) note(step string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.steps = append(h.steps, step)
}

// since returns the steps from a number on.
func (h *happening) since(n int) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.steps[n:])
}

// first leaves out steps that there were before: a package is checked in two ways, of which the
// second finds nothing to do.
func first(steps []string) (out []string) {
	for _, step := range steps {
		if !slices.Contains(out, step) {
			out = append(out, step)
		}
	}
	return out
}

// importers is a module whose packages import one other. Each file of them but the first is sound.
func importers(n int) string {
	var b strings.Builder
	b.WriteString("-- go.mod --\nmodule example.com/m\n\ngo 1.24\n-- base/base.go --\npackage base\n\nfunc F() {}\n")
	for i := range n {
		fmt.Fprintf(&b, "-- p%02d/p.go --\npackage p%02d\n\nimport \"example.com/m/base\"\n\nfunc P() { base.F() }\n", i, i)
	}
	return b.String()
}

// openOrdered opens a workspace whose checks and judgements are noted, with some files open.
func openOrdered(t *testing.T, archive string, opened ...string) (*fixture, *happening) {
	t.Helper()
	h := &happening{}
	root := testfiles.TempDir(t)
	found := testfiles.Write(t, root, archive)
	eng, err := runtime.Open("", runtime.Options{Workers: 1, AuditShare: -1, Trace: func(ev runtime.TraceEvent) {
		if _, path, ok := strings.Cut(ev.Key, "example.com/m/"); ok && (ev.Query == "golang/check" || ev.Query == "golang/findings") && ev.What.String() == "run" {
			h.note("check of " + strings.TrimRight(path, `"}`))
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	f := openFixtureOn(t, eng, root, found, lsp.WorkspaceOptions{})
	stop, err := partition.Judgements.Watch(eng, runtime.All(), func(uri string, _, now *partition.Judgement) bool {
		if now != nil {
			h.note("judged " + f.relative(uri))
		}
		return false
	}, func(*runtime.Task, runtime.Changes) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	for _, name := range opened {
		f.open(name)
	}
	return f, h
}

// TestOpenFilesAreJudgedBeforeOthersAreChecked: what follows an edit is said of an open file as
// soon as it is known, and of all open files before a package is looked at in which none is open:
// the edited one, too. An index that finds the edit on the disk does it in this order, too.
func TestOpenFilesAreJudgedBeforeOthersAreChecked(t *testing.T) {
	const packages = 12
	open := []string{"p03/p.go", "p09/p.go"}
	want := []string{"check of p03", "judged p03/p.go", "check of p09", "judged p09/p.go"}
	for _, how := range []string{"an event", "an index"} {
		f, h := openOrdered(t, importers(packages), open...)
		f.index()
		f.settle()
		n := len(h.since(0))
		f.edit("base/base.go", "func F()", "func G()")
		if how == "an event" {
			if err := f.w.FilesChanged(f.ctx, []string{f.uri("base/base.go")}); err != nil {
				t.Fatal(err)
			}
			f.settle()
		} else {
			f.index()
			f.settle()
		}
		got := first(h.since(n))
		if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
			t.Errorf("after %s:\n%s\nwant first\n%s", how, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		checked := 0
		for _, step := range got {
			if strings.HasPrefix(step, "check of ") {
				checked++
			}
		}
		if checked != packages+1 {
			t.Errorf("after %s: %d packages were checked, want %d", how, checked, packages+1)
		}
	}
}

// TestOlderStateIsNotSaidOfAnOpenFile: what is known of a text is not published when the file has
// another by then.
func TestOlderStateIsNotSaidOfAnOpenFile(t *testing.T) {
	f, h := openOrdered(t, importers(1), "p00/p.go")
	f.index()
	f.settle()
	if err := f.w.SetOverlay(f.ctx, f.uri("p00/p.go"), []byte("package p00\n\nvar x int = \"\"\n")); err != nil {
		t.Fatal(err)
	}
	f.settle()
	old := f.eng.Snapshot()
	defer old.Release()
	if err := f.w.SetOverlay(f.ctx, f.uri("p00/p.go"), []byte("package p00\n")); err != nil {
		t.Fatal(err)
	}
	f.settle()
	n := len(h.since(0))
	err := f.eng.Submit(f.ctx, laneOfOpen, func(t *runtime.Task) error {
		f.w.sayAgain() // so that nothing but the text speaks against it
		return f.w.publishWave(t, []string{f.root}, []string{f.uri("p00/p.go")})
	}, runtime.At(old))
	if err != nil {
		t.Fatal(err)
	}
	if got := h.since(n); len(got) > 0 || len(f.published("p00/p.go")) > 0 {
		t.Errorf("published of a text that is gone: %q; %q", got, f.published("p00/p.go"))
	}
}
