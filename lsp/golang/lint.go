package golang

import (
	"bytes"
	"errors"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/lint"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/runtime"
)

// A lintKey names a package, and the settings of what looks at it.
type lintKey struct{ Root, ID, Settings string }

// lints are what analyzers say of packages.
var lints = runtime.NewQuery("golang/lint", version(1), lintOf)

func lintOf(t *runtime.Task, k lintKey) (found []lint.Finding, err error) {
	p, err := packageOf(t, pkgKey{k.Root, k.ID})
	if err != nil || p == nil || metadata.IsSyntaxOnly(p) || len(p.Files) == 0 {
		return nil, err
	}
	s, err := lint.ReadKey(k.Settings)
	if err != nil {
		return nil, err
	}
	var imported []pkgKey
	for _, id := range p.Checked() {
		imported = append(imported, pkgKey{k.Root, id})
	}
	if _, err := faces.All(t, imported); err != nil { // analyzers look at them as they like
		return nil, err
	}
	err = viewPackage(taskSource{t, k.Root}, k.ID, check.Sight{URI: p.Files[0], Bodies: check.AllBodies}, func(v *view) error {
		found, _ = lint.Run(v.View, s)
		return nil
	})
	if errors.Is(err, check.ErrUnfit) {
		return nil, nil // a diagnostic says so
	}
	return found, err
}

// A linted is what was said of an open file last, and of which text.
type linted struct {
	text []byte
	list []lsp.Diagnostic
}

// carried are diagnostics of an older text that are about what a text still has, where that stands
// now.
func carried(of linted, text []byte) (list []lsp.Diagnostic) {
	before := 0
	for before < len(of.text) && before < len(text) && of.text[before] == text[before] {
		before++
	}
	after := 0
	for after < len(of.text)-before && after < len(text)-before && of.text[len(of.text)-1-after] == text[len(text)-1-after] {
		after++
	}
	// The line that was changed is not what it was.
	before = bytes.LastIndexByte(of.text[:before], '\n') + 1
	if !beginsLine(of.text, len(of.text)-after) || !beginsLine(text, len(text)-after) {
		if n := bytes.IndexByte(of.text[len(of.text)-after:], '\n'); n >= 0 {
			after -= n
		} else {
			after = 0
		}
	}
	for _, d := range of.list {
		switch {
		case d.Span.End <= before:
		case d.Span.Start >= len(of.text)-after:
			d.Span.Start += len(text) - len(of.text)
			d.Span.End += len(text) - len(of.text)
		default:
			continue
		}
		d.Related = nil // which may have moved, too
		list = append(list, d)
	}
	return list
}

func beginsLine(text []byte, at int) bool { return at == 0 || text[at-1] == '\n' }
