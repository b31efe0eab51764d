package golang

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// TestReferencesGoThroughPackagesOnce asks for the references of a method of an interface that the
// types of many packages implement, and counts how often a package is looked into. The places that
// are found are counted, too: of each method the call in its own package, and of the interface's
// the one in the last.
func TestReferencesGoThroughPackagesOnce(t *testing.T) {
	const packages = 24
	var s strings.Builder
	s.WriteString("-- go.mod --\nmodule m\n\ngo 1.26\n-- p0/a.go --\npackage p0\n\ntype I interface{ /*@asked*/Do() }\n")
	for i := 1; i <= packages; i++ {
		fmt.Fprintf(&s, "-- p%d/a.go --\npackage p%d\n\nimport before \"m/p%d\"\n\n", i, i, i-1)
		fmt.Fprintf(&s, "type T%d struct{}\n\nfunc (T%d) Do() {}\n\n", i, i)
		fmt.Fprintf(&s, "func F(t T%d, b *before.%s) { t.Do() }\n", i, map[bool]string{true: "I", false: fmt.Sprintf("T%d", i-1)}[i == 1])
	}
	fmt.Fprintf(&s, "-- last/a.go --\npackage last\n\nimport (\n\t\"m/p0\"\n\t_ \"m/p%d\"\n)\n\nfunc F(i p0.I) { i.Do() }\n", packages)
	f := newFixture(t, s.String(), lsp.WorkspaceOptions{})
	f.index()
	at := f.at("asked")
	asked := func() uint64 {
		q := f.eng.Stats().Queries["golang/check"]
		return q.Ran + q.Reused + q.Validated
	}
	var looks uint64
	for range 2 { // the first question makes what later ones have
		before := asked()
		list, err := f.references(at.URI, at.Span.Start, false)
		if err != nil || len(list) != packages+1 {
			t.Fatalf("%d places, %v: %v", len(list), err, list)
		}
		looks = asked() - before
	}
	if most := uint64(4 * packages); looks > most {
		t.Errorf("checks of %d packages were asked for %d times, more than %d", packages, looks, most)
	}
}
