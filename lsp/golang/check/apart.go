package check

import (
	"fmt"

	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// Apart is Package for texts that no editor has, such as those that a change would make, with the
// bodies of functions. What is kept for edits is not touched.
func Apart(
	p *metadata.Package, files []*syntax.Tree, imports []Import, doubtOf func(path string) syntax.Doubt,
) (c Result, err error) {
	defer recovered(p, &err)
	k := &checked{}
	if k.session, err = newSession(p, imports); err != nil {
		return c, fmt.Errorf("checking %s: %w", p.ID, err)
	}
	fit, left, told := sortOut(files)
	k.syntax = told
	found := k.check(p, fit, left, doubtOf, true)
	c.Diagnostics = k.diagnostics(found, true)
	x := k.indexOf(found)
	c.Index, c.Symbols, c.References = x.data, x.symbols, x.references
	k.end()
	return c, nil
}
