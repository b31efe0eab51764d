package oracle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

const (
	modulePath = "example.com/world"
	packages   = 5 // named p0 to p4; at first each imports only those before it
	slots      = 3 // names of each kind in a package: more declarations than that collide
)

// A source is one Go file as the generator sees it. It is not changed once it is part of a world:
// an edit makes another one.
type source struct {
	pkg     int
	name    string // of the package clause
	imports []int  // packages of the module
	std     bool   // imports container/list
	decls   []decl
	damage  damage
}

// A decl is one declaration. Shape chooses among signatures, body among bodies: a change of the one
// is visible to importers, a change of the other is not.
type decl struct {
	kind, slot  int
	shape, body int
	uses        []use
	doc         string
}

// A use is a mention of a declaration of another package, or of the same one.
type use struct{ pkg, kind, slot int }

// Kinds of declarations.
const (
	kindFunc = iota
	kindType
	kindConst
	kindVar
	kindInterface
	kinds
)

// damage is text that stands where it does not belong; none if empty.
type damage struct {
	at   int // in thousandths of the text
	text string
}

func (d *decl) name() string {
	return fmt.Sprintf("%s%d", [kinds]string{"F", "T", "C", "V", "I"}[d.kind], d.slot)
}

func (u use) expr(self int) string {
	d := decl{kind: u.kind, slot: u.slot}
	name := d.name()
	if u.pkg != self {
		name = fmt.Sprintf("p%d.%s", u.pkg, name)
	}
	switch u.kind {
	case kindFunc:
		return "_ = " + name
	case kindType:
		return "_ = " + name + "{}.X"
	case kindInterface:
		return "_ = func(i " + name + ") { i.M() }"
	}
	return "_ = int(" + name + ")"
}

// render writes the file.
func (s *source) render() string {
	var b strings.Builder
	fmt.Fprintf(&b, "package %s\n\n", s.name)
	for _, p := range s.imports {
		fmt.Fprintf(&b, "import \"%s/p%d\"\n", modulePath, p)
	}
	if s.std {
		b.WriteString("import \"container/list\"\n\nvar _ list.List\n")
	}
	for i := range s.decls {
		s.decls[i].render(&b, s.pkg)
	}
	text := b.String()
	if s.damage.text != "" {
		at := len(text) * s.damage.at / 1000
		text = text[:at] + s.damage.text + text[at:]
	}
	return text
}

func (d *decl) render(b *strings.Builder, self int) {
	name := d.name()
	fmt.Fprintf(b, "\n// %s %s\n", name, d.doc)
	switch d.kind {
	case kindFunc:
		head := []string{"(n int) int", "(n int64, more ...string) int", "[E any](n int, e E) int", "(n int) (r int)"}[d.shape%4]
		fmt.Fprintf(b, "func %s%s {\n", name, head)
		d.renderBody(b, self, "n")
		b.WriteString("\treturn int(n)\n}\n")
	case kindType:
		fields := []string{"X int", "X, Y int", "X int\n\tZ string", "X int64"}[d.shape%4]
		fmt.Fprintf(b, "type %s struct {\n\t%s\n}\n\nfunc (t *%s) M() {\n", name, fields, name)
		d.renderBody(b, self, "t.X")
		b.WriteString("}\n")
	case kindConst:
		fmt.Fprintf(b, "const %s = %d\n", name, d.shape)
	case kindVar:
		fmt.Fprintf(b, "var %s = %s(func() int {\n", name, []string{"int", "int32", "float64", "uint8"}[d.shape%4])
		d.renderBody(b, self, name+"()"[:0])
		b.WriteString("\treturn 1\n}())\n")
	case kindInterface:
		fmt.Fprintf(b, "type %s interface {\n\tM()\n%s}\n", name, []string{"", "\tN(int) error\n", "\tcomparable\n", "\tunexported()\n"}[d.shape%4])
	}
}

func (d *decl) renderBody(b *strings.Builder, self int, subject string) {
	switch d.body % 4 {
	case 1:
		b.WriteString("\tfor i := range 3 {\n\t\t_ = i\n\t}\n")
	case 2:
		b.WriteString("\tvar a, b = 1, \"two\"\n\t_, _ = a, b\n")
	case 3:
		if d.kind != kindVar { // a variable that reads itself is an initialisation cycle
			fmt.Fprintf(b, "\tif %s > 0 {\n\t\tunused := 1\n\t}\n", subject)
		}
	}
	for _, u := range d.uses {
		fmt.Fprintf(b, "\t%s\n", u.expr(self))
	}
}

// newSource makes a file that compiles beside those of the packages before it: body 3 apart, which
// is left to edits.
func newSource(rng *rand.Rand, pkg, file int) *source {
	s := &source{pkg: pkg, name: fmt.Sprintf("p%d", pkg), std: pkg == 0 && file == 0}
	for p := range pkg {
		if rng.IntN(3) > 0 {
			s.imports = append(s.imports, p)
		}
	}
	for kind := range kinds {
		if kind%2 != file%2 { // two files of a package declare different things
			continue
		}
		for slot := range slots - 1 {
			d := decl{kind: kind, slot: slot, body: rng.IntN(3), doc: "is there."}
			if kind == kindFunc || kind == kindInterface {
				d.shape = 0
			}
			s.decls = append(s.decls, d)
		}
	}
	for _, p := range s.imports { // every import is used, by what can use it
		i := slices.IndexFunc(s.decls, func(d decl) bool { return d.kind != kindConst && d.kind != kindInterface })
		s.decls[i].uses = append(s.decls[i].uses, use{pkg: p, kind: rng.IntN(kinds), slot: rng.IntN(slots - 1)})
	}
	return s
}

// clone is a copy to change.
func (s *source) clone() *source {
	c := *s
	c.imports = slices.Clone(s.imports)
	c.decls = slices.Clone(s.decls)
	for i := range c.decls {
		c.decls[i].uses = slices.Clone(c.decls[i].uses)
	}
	return &c
}

// mutate makes another file of s.
func (s *source) mutate(rng *rand.Rand) *source {
	c := s.clone()
	if len(c.decls) == 0 {
		c.decls = append(c.decls, decl{slot: rng.IntN(slots)})
	}
	d := &c.decls[rng.IntN(len(c.decls))]
	switch rng.IntN(12) {
	case 0, 1:
		d.body++
	case 2:
		d.shape++
	case 3:
		d.doc = []string{"is there.", "was there.", "has\n//\n// paragraphs."}[rng.IntN(3)]
	case 4:
		d.uses = append(d.uses, use{pkg: rng.IntN(packages), kind: rng.IntN(kinds), slot: rng.IntN(slots)})
	case 5:
		d.uses = nil
	case 6: // imports any package: a cycle, maybe, or one that is not there
		if p := rng.IntN(packages + 1); !slices.Contains(c.imports, p) {
			c.imports = append(c.imports, p)
			d.uses = append(d.uses, use{pkg: p, kind: rng.IntN(kinds), slot: rng.IntN(slots)})
		}
	case 7:
		if n := len(c.imports); n > 0 {
			c.imports = slices.Delete(c.imports, n-1, n)
		}
	case 8:
		c.decls = append(c.decls, decl{kind: rng.IntN(kinds), slot: rng.IntN(slots), shape: rng.IntN(4), body: rng.IntN(4)})
	case 9:
		i := rng.IntN(len(c.decls))
		c.decls = slices.Delete(c.decls, i, i+1)
	case 10:
		if c.damage.text == "" {
			texts := []string{"}", "{", "x", "\"", "/*", "func (", "\x00", "\xff", "import \"p1\"\n", "//go:build never\n", "π", "\n)\n"}
			c.damage = damage{at: rng.IntN(1001), text: texts[rng.IntN(len(texts))]}
		} else {
			c.damage = damage{}
		}
	case 11:
		c.std = !c.std
		if rng.IntN(4) == 0 {
			c.name = fmt.Sprintf("p%d", rng.IntN(packages))
		}
	}
	return c
}
