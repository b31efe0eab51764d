package golang

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// atSnapshot runs fn as a task in the generation of a snapshot.
func (f *fixture) atSnapshot(s *runtime.Snapshot, fn func(t *runtime.Task) error) {
	f.t.Helper()
	h, err := f.eng.Go(f.ctx, lane.Default, fn, runtime.At(s))
	if err == nil {
		err = h.Wait(context.Background())
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// A publication that began from one saying does not end over another that was made meanwhile (P2):
// what differs between that one and its own state it has not looked for.
func TestPublicationBeginsAgainFromANewerSaying(t *testing.T) {
	const right, wrong = "package p\n\nfunc b() int { return 0 }\n", "package p\n\nfunc b() int { return wrong }\n"
	f := newFixture(t, wideModule(1), lsp.WorkspaceOptions{})
	f.index()
	state := func(text string) *runtime.Snapshot {
		f.write("p000/b.go", text)
		if err := f.w.FilesChanged(f.ctx, []string{f.uri("p000/b.go")}); err != nil {
			t.Fatal(err)
		}
		f.settle()
		s := f.eng.Snapshot()
		t.Cleanup(s.Release)
		return s
	}
	first, second := state(right), state(wrong)
	third := state(right)

	var roots []string
	for _, b := range f.w.currentBuilds() {
		roots = append(roots, b.Root)
	}
	publication := func(at *runtime.Snapshot, was *saying) (now *saying, found map[string]finding) {
		f.atSnapshot(at, func(task *runtime.Task) (err error) {
			p := f.w.newPublication(task, roots)
			if now, err = p.now(); err != nil || was == nil {
				return err
			}
			files, err := p.differences(was, now)
			if err == nil {
				found, err = p.judge(slices.Sorted(maps.Keys(files)))
			}
			return err
		})
		return now, found
	}
	// All that is published is that of the first state, as it is that of the third.
	was, _ := publication(first, nil)
	f.w.publishing.Lock()
	f.w.saying = was
	f.w.publishing.Unlock()

	// While a publication of the third is about to end, one of the second does.
	now, found := publication(third, was)
	if len(found) != 0 {
		t.Fatalf("%v differ between two states that are the same", found)
	}
	f.atSnapshot(second, func(task *runtime.Task) error { return f.w.publishDifferences(task, roots, nil) })
	if list := f.published("p000/b.go"); len(list) == 0 {
		t.Fatal("the second state was not published")
	}
	f.atSnapshot(third, func(task *runtime.Task) error {
		done, err := f.w.publish(task, found, was, now)
		if done || err != nil {
			t.Errorf("a publication ended over what it did not begin from: %v, %v", done, err)
		}
		return f.w.publishDifferences(task, roots, nil)
	})
	if list := f.published("p000/b.go"); len(list) != 0 {
		t.Errorf("published are %q, which are of the state before", list)
	}
}
