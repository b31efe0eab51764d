package refactor

import (
	"go/ast"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"unicode"

	"github.com/cytisus/cytisus/lsp"
)

// taggable are the fields of a struct that are selected: those on the lines of the selection, or
// all of them for a caret that is on no field.
func (r *Request) taggable() (fields []*ast.Field) {
	s, _, ok := enclosing[*ast.StructType](r)
	if !ok || s.Fields == nil {
		return nil
	}
	first, last := r.line(r.Pos(r.Start)), r.line(r.Pos(r.End))
	for _, f := range s.Fields.List {
		if r.line(f.Pos()) <= last && first <= r.line(f.End()) {
			fields = append(fields, f)
		}
	}
	if r.Start == r.End {
		at := r.Pos(r.Start)
		on := len(fields) == 1 && fields[0].Pos() <= at && at <= fields[0].End()
		if !on || r.onType(fields[0], at) {
			return s.Fields.List
		}
	}
	return fields
}

// onType reports whether a caret stands on the type of a field.
func (r *Request) onType(f *ast.Field, at token.Pos) bool {
	return len(f.Names) > 0 && f.Type.Pos() <= at && at <= f.Type.End()
}

// tagName is what a field is called in a tag: its words in lower case, joined by underscores.
func tagName(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, c := range runes {
		if unicode.IsUpper(c) {
			startsWord := i > 0 && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
			if startsWord && runes[i-1] != '_' {
				b.WriteByte('_')
			}
			c = unicode.ToLower(c)
		}
		b.WriteRune(c)
	}
	return b.String()
}

// addTags gives fields a JSON tag that they lack.
func addTags(r *Request) []Change {
	var edits []lsp.TextEdit
	for _, f := range r.taggable() {
		if len(f.Names) != 1 {
			continue
		}
		tag := `json:"` + tagName(f.Names[0].Name) + `"`
		if f.Tag == nil {
			edits = append(edits, r.replace(f.Type.End(), f.Type.End(), " `"+tag+"`"))
			continue
		}
		had, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			continue
		}
		if _, ok := reflect.StructTag(had).Lookup("json"); ok {
			continue
		}
		both := strings.TrimSpace(had + " " + tag)
		text := strconv.Quote(both)
		if strconv.CanBackquote(both) {
			text = "`" + both + "`"
		}
		edits = append(edits, r.replace(f.Tag.Pos(), f.Tag.End(), text))
	}
	if len(edits) == 0 {
		return nil
	}
	return []Change{{Title: "Add struct tags", Make: func() (*lsp.WorkspaceEdit, error) { return r.edit(edits...) }}}
}

// removeTags takes the tags of fields away.
func removeTags(r *Request) []Change {
	var edits []lsp.TextEdit
	for _, f := range r.taggable() {
		if f.Tag != nil {
			edits = append(edits, r.replace(f.Type.End(), f.Tag.End(), ""))
		}
	}
	if len(edits) == 0 {
		return nil
	}
	return []Change{{Title: "Remove struct tags", Make: func() (*lsp.WorkspaceEdit, error) { return r.edit(edits...) }}}
}
