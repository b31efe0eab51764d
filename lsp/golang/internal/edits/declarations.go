package edits

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"slices"
	"strings"
)

// A replacement is a piece of text in the place of another.
type replacement struct {
	start, end token.Pos
	text       string
}

// Declaration changes what a text declares outside of bodies, at random, and says how. The edit is
// nil if there is nothing to change in that way. Texts with edits need not compile.
func Declaration(rng *rand.Rand, text []byte) (edited []byte, how string) {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
	if err != nil {
		return nil, ""
	}
	d := declared{text: text, file: file, end: file.FileStart + token.Pos(len(text))}
	d.collect()
	kind := declarationEdits[rng.IntN(len(declarationEdits))]
	list := kind.of(&d)
	if len(list) == 0 {
		return nil, kind.name
	}
	r := list[rng.IntN(len(list))]
	from, to := r.start-file.FileStart, r.end-file.FileStart
	return slices.Concat(text[:from], []byte(r.text), text[to:]), kind.name
}

// A declared is what a file declares.
type declared struct {
	text    []byte
	file    *ast.File
	end     token.Pos
	funcs   []*ast.FuncDecl
	types   []*ast.TypeSpec
	values  []*ast.ValueSpec // constants and variables
	structs []*ast.StructType
	ifaces  []*ast.InterfaceType
}

func (d *declared) collect() {
	for _, decl := range d.file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			d.funcs = append(d.funcs, decl)
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					d.types = append(d.types, spec)
					ast.Inspect(spec, func(n ast.Node) bool {
						switch n := n.(type) {
						case *ast.StructType:
							d.structs = append(d.structs, n)
						case *ast.InterfaceType:
							d.ifaces = append(d.ifaces, n)
						}
						return true
					})
				case *ast.ValueSpec:
					d.values = append(d.values, spec)
				}
			}
		}
	}
}

// source is what stands for a node in the text.
func (d *declared) source(n ast.Node) string {
	return string(d.text[n.Pos()-d.file.FileStart : n.End()-d.file.FileStart])
}

func (d *declared) append(text string) []replacement {
	return []replacement{{d.end, d.end, "\n" + text + "\n"}}
}

func into(list *ast.FieldList, text string) replacement {
	return replacement{list.Opening + 1, list.Opening + 1, text}
}

func instead(n ast.Node, text string) replacement { return replacement{n.Pos(), n.End(), text} }

func behind(n ast.Node, text string) replacement { return replacement{n.End(), n.End(), text} }

// fieldsOf are the fields of some lists, of which each may be nil.
func fieldsOf(lists ...*ast.FieldList) (fields []*ast.Field) {
	for _, l := range lists {
		if l != nil {
			fields = append(fields, l.List...)
		}
	}
	return fields
}

func (d *declared) parameters() (fields []*ast.Field) {
	for _, f := range d.funcs {
		fields = append(fields, fieldsOf(f.Type.Params, f.Type.Results)...)
	}
	return fields
}

func (d *declared) structFields() (fields []*ast.Field) {
	for _, s := range d.structs {
		fields = append(fields, fieldsOf(s.Fields)...)
	}
	return fields
}

// retyped gives fields another type.
func (d *declared) retyped(fields []*ast.Field) (list []replacement) {
	for _, f := range fields {
		if _, variadic := f.Type.(*ast.Ellipsis); !variadic && len(f.Names) > 0 {
			list = append(list, instead(f.Type, "[]"+d.source(f.Type)), instead(f.Type, "int"))
		}
	}
	return list
}

// receiver is a type as receivers of methods have it.
func receiver(t *ast.TypeSpec) string {
	if t.TypeParams == nil {
		return t.Name.Name
	}
	var names []string
	for _, f := range t.TypeParams.List {
		for range f.Names {
			names = append(names, "_")
		}
	}
	return t.Name.Name + "[" + strings.Join(names, ", ") + "]"
}

var declarationEdits = []struct {
	name string
	of   func(d *declared) []replacement
}{
	{"a function is added", func(d *declared) []replacement {
		return d.append("func AddedFunction(x int) string { panic(x) }")
	}},
	{"a type is added", func(d *declared) []replacement {
		return d.append("type AddedType struct{ Field int }")
	}},
	{"unexported names are added", func(d *declared) []replacement {
		return d.append("func addedFunction() {}\n\ntype addedType struct{}\n\nvar addedVariable addedType")
	}},
	{"a function or method is gone", func(d *declared) (list []replacement) {
		for _, f := range d.funcs {
			list = append(list, instead(f, ""))
		}
		return list
	}},
	{"a function or method is renamed", func(d *declared) (list []replacement) {
		for _, f := range d.funcs {
			list = append(list, instead(f.Name, f.Name.Name+"X"))
		}
		return list
	}},
	{"a type is renamed", func(d *declared) (list []replacement) {
		for _, t := range d.types {
			list = append(list, instead(t.Name, t.Name.Name+"X"))
		}
		return list
	}},
	{"another type in a signature", func(d *declared) []replacement { return d.retyped(d.parameters()) }},
	{"another name in a signature", func(d *declared) (list []replacement) {
		for _, f := range d.parameters() {
			for _, id := range f.Names {
				if id.Name != "_" {
					list = append(list, instead(id, id.Name+"0"))
				}
			}
		}
		return list
	}},
	{"another receiver", func(d *declared) (list []replacement) {
		for _, f := range d.funcs {
			if f.Recv == nil || len(f.Recv.List) == 0 {
				continue
			}
			if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
				list = append(list, instead(star, d.source(star.X)))
			} else {
				list = append(list, instead(f.Recv.List[0].Type, "*"+d.source(f.Recv.List[0].Type)))
			}
		}
		return list
	}},
	{"a field is added", func(d *declared) (list []replacement) {
		for _, s := range d.structs {
			list = append(list, into(s.Fields, "AddedField int;"))
		}
		return list
	}},
	{"a field that cannot be compared is added", func(d *declared) (list []replacement) {
		for _, s := range d.structs {
			list = append(list, into(s.Fields, "addedField func();"))
		}
		return list
	}},
	{"a type is embedded", func(d *declared) (list []replacement) {
		for _, s := range d.structs {
			list = append(list, into(s.Fields, "error;"))
		}
		return list
	}},
	{"a field is gone", func(d *declared) (list []replacement) {
		for _, f := range d.structFields() {
			list = append(list, instead(f, ""))
		}
		return list
	}},
	{"a field of another type", func(d *declared) []replacement { return d.retyped(d.structFields()) }},
	{"a field with a tag", func(d *declared) (list []replacement) {
		for _, f := range d.structFields() {
			if f.Tag == nil {
				list = append(list, behind(f.Type, " `added:\"\"`"))
			} else {
				list = append(list, instead(f.Tag, ""))
			}
		}
		return list
	}},
	{"a method is added", func(d *declared) (list []replacement) {
		for _, t := range d.types {
			list = append(list, d.append("func (*"+receiver(t)+") AddedMethod() {}")...)
		}
		return list
	}},
	{"a method that others may have is added", func(d *declared) (list []replacement) {
		for _, t := range d.types {
			list = append(list, d.append("func ("+receiver(t)+") String() string { panic(0) }")...)
		}
		return list
	}},
	{"an interface wants more", func(d *declared) (list []replacement) {
		for _, i := range d.ifaces {
			list = append(list, into(i.Methods, "AddedMethod();"), into(i.Methods, "addedMethod();"))
		}
		return list
	}},
	{"an interface wants less", func(d *declared) (list []replacement) {
		for _, i := range d.ifaces {
			for _, f := range i.Methods.List {
				list = append(list, instead(f, ""))
			}
		}
		return list
	}},
	{"another value", func(d *declared) (list []replacement) {
		for _, v := range d.values {
			for _, e := range v.Values {
				list = append(list, instead(e, "7"))
			}
		}
		return list
	}},
	{"a type is an alias, or no longer", func(d *declared) (list []replacement) {
		for _, t := range d.types {
			if t.Assign.IsValid() {
				list = append(list, replacement{t.Assign, t.Assign + 1, ""})
			} else {
				list = append(list, replacement{t.Type.Pos(), t.Type.Pos(), "= "})
			}
		}
		return list
	}},
	{"type parameters", func(d *declared) (list []replacement) {
		for _, f := range d.funcs {
			if f.Recv == nil && f.Type.TypeParams == nil {
				list = append(list, behind(f.Name, "[AddedParameter any]"))
			}
		}
		return list
	}},
	{"another underlying type", func(d *declared) (list []replacement) {
		for _, t := range d.types {
			if !t.Assign.IsValid() {
				list = append(list, replacement{t.Type.Pos(), t.Type.Pos(), "[]"})
			}
		}
		return list
	}},
}
