package complete

import (
	"go/ast"
	"path"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// unimportedMost is of how many packages of one name the members are told.
const unimportedMost = 3

// unimported adds packages that the file could import.
func (c *completer) unimported() error {
	if c.source == nil || c.match.typed == "" || c.want.assignable {
		return nil
	}
	seen := map[string]bool{c.v.Package.Path(): true}
	return c.source.Packages(func(p Package) bool {
		if seen[p.Path] || c.imports(p.Path) || !c.mayImport(p.Path) || p.Name == "main" {
			return true
		}
		seen[p.Path] = true
		score, ok := c.match.score(p.Name)
		if !ok || !strings.EqualFold(p.Name[:1], c.match.typed[:1]) {
			return true
		}
		name, edits := c.importing(p.Path, p.Name)
		factor := 0.1
		if p.Near {
			factor = 0.2
		}
		if s, ok := selectorOf(c.path, c.expr); ok && s.Sel.Name != "" && p.Name == c.match.typed {
			factor = 1
		}
		c.items = append(c.items, Item{
			Completion: lsp.Completion{Label: name, Detail: strconv.Quote(p.Path), Kind: lsp.CompletionModule, Text: name, Extra: edits},
			score:      score * factor / float64(1+strings.Count(p.Path, "/")),
		})
		return true
	})
}

// unimportedMembers adds what packages export that the name before the dot could mean.
func (c *completer) unimportedMembers(x ast.Expr) error {
	id, ok := x.(*ast.Ident)
	if !ok || c.source == nil || c.s.Info.Uses[id] != nil {
		return nil
	}
	var near, far []Package
	seen := map[string]bool{c.v.Package.Path(): true}
	err := c.source.Packages(func(p Package) bool {
		if p.Name != id.Name || seen[p.Path] || !c.mayImport(p.Path) {
			return true
		}
		seen[p.Path] = true
		if p.Near {
			near = append(near, p)
		} else {
			far = append(far, p)
		}
		return true
	})
	if err != nil {
		return err
	}
	list := append(near, far...)
	for i, p := range list[:min(len(list), unimportedMost)] {
		exported, err := c.source.Exported(p)
		if err != nil {
			return err
		}
		as := ""
		if path.Base(p.Path) != id.Name && p.Name != id.Name {
			as = id.Name
		}
		edits := importEdits(c.file(), p.Path, as, c.o.Local)
		for _, e := range exported {
			score, ok := c.match.score(e.Name)
			isType := e.Kind == lsp.CompletionStruct || e.Kind == lsp.CompletionInterface || e.Kind == lsp.CompletionClass
			if !ok || c.want.isType && !isType {
				continue
			}
			item := Item{
				Completion: lsp.Completion{
					Label: e.Name, Detail: e.Detail + " (from " + strconv.Quote(p.Path) + ")", Kind: e.Kind, Text: e.Name, Extra: edits,
				},
				Path: p.Path, Name: e.Name,
				score: score / float64(1+i),
			}
			if e.Kind == lsp.CompletionFunction && !c.want.isType {
				c.callText(&item, e.Params)
			}
			c.items = append(c.items, item)
		}
	}
	return nil
}

// mayImport reports whether the package may import one of a path.
func (c *completer) mayImport(imported string) bool {
	above, _, internal := strings.Cut("/"+imported+"/", "/internal/")
	if !internal {
		return !strings.HasPrefix(imported, "vendor/") && imported != "main" && imported != "unsafe" || imported == "unsafe"
	}
	above = strings.TrimPrefix(above, "/")
	own := c.v.Package.Path()
	return above != "" && (own == above || strings.HasPrefix(own, above+"/"))
}

// importPaths adds paths that fit what is typed of one in an import.
func (c *completer) importPaths() error {
	if c.source == nil {
		return nil
	}
	text := c.d.Source
	from := c.d.Cursor.Token.Start + 1
	typed := string(text[from:max(from, c.d.Word.Start+len(c.d.Prefix))])
	dir := typed[:strings.LastIndexByte(typed, '/')+1]
	imported := map[string]bool{}
	for _, spec := range c.file().AST.Imports {
		if at := c.file().Offset(spec.Path.Pos()); at != c.d.Cursor.Token.Start {
			imported[writtenPath(spec)] = true
		}
	}
	seen := map[string]bool{c.v.Package.Path(): true}
	return c.source.Packages(func(p Package) bool {
		if seen[p.Path] || !strings.HasPrefix(p.Path, typed) || !c.mayImport(p.Path) || p.Name == "main" {
			return true
		}
		seen[p.Path] = true
		rest, name := strings.TrimPrefix(p.Path, dir), p.Name
		text := rest
		if i := strings.IndexByte(rest, '/'); i >= 0 && dir != "" { // a directory at a time
			text, name = rest[:i+1], rest[:i+1]
			if seen[dir+text] {
				return true
			}
			seen[dir+text] = true
		}
		factor := 1.0
		if imported[p.Path] {
			factor = 0.1
		}
		if p.Near {
			factor *= 1.5
		}
		c.items = append(c.items, Item{
			Completion: lsp.Completion{
				Label: name, Detail: strconv.Quote(dir + text), Kind: lsp.CompletionModule, Text: c.afterWord(dir, text), Filter: c.afterWord(dir, text),
			},
			score: factor / float64(1+strings.Count(rest, "/")),
		})
		return true
	})
}

// afterWord is what of a path takes the place of the word at the place, which may begin behind the
// last slash.
func (c *completer) afterWord(dir, text string) string {
	from := c.d.Cursor.Token.Start + 1
	whole := dir + text
	if skip := c.d.Word.Start - from; 0 <= skip && skip <= len(whole) {
		return whole[skip:]
	}
	return text
}
