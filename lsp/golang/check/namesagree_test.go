package check_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/check/names"
	"github.com/cytisus/cytisus/lsp/golang/internal/edits"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

var (
	namesEdits     = flag.Int("names.edits", 8, "edits of declarations whose importers are checked again")
	namesImporters = flag.Int("names.importers", 4, "importers of each that are looked at")
	namesSeed      = flag.Uint64("names.seed", 1, "seed of the edits")
)

// A stateOfStd is the standard library with some texts.
type stateOfStd struct {
	*purebuild.Build
	tables map[string]names.Table // by ID
}

func (s *stateOfStd) table(id string) names.Table {
	t, ok := s.tables[id]
	if !ok {
		t = check.Names(metadata.PathOf(id), s.Face(id))
		s.tables[id] = t
	}
	return t
}

// check checks a package.
func (s *stateOfStd) check(t *testing.T, p *metadata.Package) check.Result {
	var files []*syntax.Tree
	for _, uri := range p.Files {
		files = append(files, syntax.Parse(uri, s.Text(uri)))
	}
	r, err := check.Package(p, files, s.Imports(p), purebuild.NoDoubt, true)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rows are the digests of what was looked at.
func (s *stateOfStd) rows(p *metadata.Package, looks check.Looks) map[string]names.Digest {
	rows := map[string]names.Digest{}
	for _, e := range p.Imports {
		if e.ID == "" {
			continue
		}
		table := s.table(e.ID)
		for _, row := range looks[metadata.PathOf(e.ID)] {
			rows[e.ID+" "+row] = table[row]
		}
	}
	return rows
}

// misuse makes a text misuse what it imports, so that failed look-ups and odd uses are looked at,
// too.
func misuse(rng *rand.Rand, p *metadata.Package, text []byte) []byte {
	var out strings.Builder
	out.Write(text)
	for i, e := range p.Imports {
		name := e.Import[strings.LastIndexByte(e.Import, '/')+1:]
		switch rng.IntN(4) {
		case 0:
			fmt.Fprintf(&out, "\nvar _ = %s.AddedFunction\n", name)
		case 1:
			fmt.Fprintf(&out, "\nvar _ %s.addedType\n", name)
		case 2:
			fmt.Fprintf(&out, "\nvar _ %s.ADDEDtype\n\nvar _ int = %s.AddedType{}.Field\n", name, name)
		case 3:
			fmt.Fprintf(&out, "\ntype misused%d struct{ %s.AddedType }\n", i, name)
		}
	}
	return []byte(out.String())
}

// TestNamesAgree edits declarations of packages of the standard library, and checks packages that
// depend on them with their faces as they are then. What such a check comes to is what it came to
// before, unless something differs that it had looked at.
func TestNamesAgree(t *testing.T) {
	env, m := purebuild.Std()
	rng := rand.New(rand.NewPCG(*namesSeed, 11))
	before := &stateOfStd{purebuild.New(t, env, m), map[string]names.Table{}}
	importers := map[string][]string{} // direct, by ID
	for i := range m.Packages {
		p := &m.Packages[i]
		if p.Cgo || p.ForTest != "" || strings.Contains(p.ID, " ") || metadata.IsSyntaxOnly(p) {
			continue
		}
		for _, id := range p.Dependencies() {
			importers[id] = append(importers[id], p.ID)
		}
	}
	var ids []string // to edit
	for id, list := range importers {
		if p := m.Find(id); p != nil && !p.Cgo && len(list) >= 2 && id != "unsafe" && id != "runtime" {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	above := func(id string) map[string]bool { // those that depend on it
		seen := map[string]bool{}
		for queue := []string{id}; len(queue) > 0; queue = queue[1:] {
			for _, up := range importers[queue[0]] {
				if !seen[up] {
					seen[up] = true
					queue = append(queue, up)
				}
			}
		}
		return seen
	}
	compared, byFace, byNames, changed := 0, 0, 0, 0
	for n := 0; n < *namesEdits; {
		p := m.Find(ids[rng.IntN(len(ids))])
		uri := p.Files[rng.IntN(len(p.Files))]
		edited, how := edits.Declaration(rng, before.Text(uri))
		if edited == nil {
			continue
		}
		n++
		what := fmt.Sprintf("edit %d of -names.seed=%d: %s: %s", n, *namesSeed, uri, how)
		concerned := above(p.ID)
		after := &stateOfStd{purebuild.New(t, env, m), map[string]names.Table{}}
		for id, face := range before.Faces {
			if id != p.ID && !concerned[id] {
				after.Faces[id] = face
				if table := before.tables[id]; table != nil {
					after.tables[id] = table
				}
			}
		}
		after.Texts[uri] = edited
		direct := slices.Clone(importers[p.ID])
		rng.Shuffle(len(direct), func(i, j int) { direct[i], direct[j] = direct[j], direct[i] })
		further := slices.DeleteFunc(slices.Sorted(maps.Keys(concerned)), func(id string) bool { return slices.Contains(direct, id) })
		rng.Shuffle(len(further), func(i, j int) { further[i], further[j] = further[j], further[i] })
		direct = direct[:min(len(direct), *namesImporters*3/4)]
		for _, id := range append(direct, further[:min(len(further), *namesImporters/4)]...) {
			x := m.Find(id)
			misused := rng.IntN(2) == 0
			if misused {
				text := misuse(rng, x, before.Text(x.Files[0]))
				before.Texts[x.Files[0]], after.Texts[x.Files[0]] = text, text
			}
			was, is := before.check(t, x), after.check(t, x)
			if misused {
				delete(before.Texts, x.Files[0])
				delete(after.Texts, x.Files[0])
			}
			if was.Looked == nil {
				t.Fatalf("%s: what %s looks at is not known", what, id)
			}
			compared++
			for _, dep := range x.Dependencies() {
				if !bytes.Equal(before.Face(dep), after.Face(dep)) {
					byFace++
					break
				}
			}
			again := !reflect.DeepEqual(before.rows(x, was.Looked), after.rows(x, was.Looked))
			if again {
				byNames++
			}
			if reflect.DeepEqual(was.Diagnostics, is.Diagnostics) && bytes.Equal(was.Index, is.Index) {
				continue
			}
			changed++
			if !again {
				t.Errorf("%s: %s came to something else, and looked at nothing that differs: index %s\n%+v\n%+v",
					what, id, firstDifference(is.Index, was.Index), was.Diagnostics, is.Diagnostics)
			}
		}
	}
	t.Logf("%d edits, %d checks of packages above them: the face of an import differs for %d, what they looked at for %d, what they come to for %d",
		*namesEdits, compared, byFace, byNames, changed)
	if changed == 0 || byNames == compared {
		t.Error("the edits show nothing")
	}
}
