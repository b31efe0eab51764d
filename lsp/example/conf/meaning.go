package conf

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/tree"
	"github.com/cytisus/cytisus/runtime"
)

// parsed is what the text of a file says.
var parsed = runtime.NewQuery("conf/parsed", 1, func(t *runtime.Task, uri string) (File, error) {
	text, err := tree.Text(t, uri)
	return parse(string(text)), err
})

// visible lists the files whose declarations a file sees: itself, and all that it includes.
var visible = runtime.NewQuery("conf/visible", 1, func(t *runtime.Task, uri string) (seen []string, err error) {
	seen = []string{uri}
	for i := 0; i < len(seen); i++ {
		f, failed := parsed.Get(t, seen[i])
		err = errors.Join(err, failed)
		for _, s := range f.Statements {
			target := includedBy(seen[i], s)
			there, failed := tree.Has(t, target)
			if err = errors.Join(err, failed); there && !slices.Contains(seen, target) {
				seen = append(seen, target)
			}
		}
	}
	return seen, err
})

// includedBy is the URI of the file that a statement includes; "none" if it includes none.
func includedBy(uri string, s Statement) string {
	if s.Keyword != "include" || s.Name.Text == "" {
		return "none"
	}
	return files.URI(filepath.Join(filepath.Dir(files.PathOf(uri)), filepath.FromSlash(s.Name.Text)))
}

// A Declaration is a statement, or a parameter of one, as what a name stands for.
type Declaration struct {
	URI       string
	Statement Statement
	Name      Name // that is declared
}

// symbol names the declaration in the whole workspace.
func (d Declaration) symbol() string {
	if d.Name != d.Statement.Name {
		return d.URI + "#" + d.Statement.Name.Text + "(" + d.Name.Text
	}
	return d.URI + "#" + d.Name.Text
}

// lookup finds what a name stands for in a statement of a file.
func lookup(t *runtime.Task, uri string, in Statement, name string) (d Declaration, ok bool, err error) {
	for _, p := range in.Params {
		if p.Text == name {
			return Declaration{uri, in, p}, true, nil
		}
	}
	err = seen(t, uri, func(uri string, s Statement) {
		if s.Name.Text == name && !ok {
			d, ok = Declaration{uri, s, s.Name}, true
		}
	})
	return d, ok, err
}

// seen calls fn with the declarations that a file sees.
func seen(t *runtime.Task, uri string, fn func(in string, s Statement)) error {
	files, err := visible.Get(t, uri)
	for _, in := range files {
		f, failed := parsed.Get(t, in)
		err = errors.Join(err, failed)
		for _, s := range f.Statements {
			if s.Name.Text != "" && s.Keyword != "include" {
				fn(in, s)
			}
		}
	}
	return err
}

// Names are the names of a file that stand for something, and what a reader is shown of each.
type Names struct {
	Occurrences []lsp.Occurrence
	Hovers      []lsp.Hover
}

var names = runtime.NewQuery("conf/names", 1, func(t *runtime.Task, uri string) (out Names, err error) {
	f, err := parsed.Get(t, uri)
	for _, s := range f.Statements {
		note := func(n Name, declares bool) {
			d, ok, failed := lookup(t, uri, s, n.Text)
			if err = errors.Join(err, failed); !ok || n.Text == "" {
				return
			}
			out.Occurrences = append(out.Occurrences, lsp.Occurrence{Span: n.Span, Symbol: d.symbol(), Declares: declares})
			h := lsp.Hover{Span: n.Span, Signature: d.Statement.String(), Doc: d.Statement.Doc, Language: "conf"}
			if d.Name != d.Statement.Name {
				h.Signature, h.Doc = n.Text, "A parameter of "+d.Statement.Name.Text+"."
			}
			out.Hovers = append(out.Hovers, h)
		}
		switch s.Keyword {
		case "include":
			out.Occurrences = append(out.Occurrences, lsp.Occurrence{Span: s.Name.Span, Symbol: includedBy(uri, s)})
		case "let", "def":
			note(s.Name, true)
			for _, p := range s.Params {
				note(p, true)
			}
			s.Body.walk(func(e *Expr) {
				if e.Kind == "name" || e.Kind == "call" {
					note(Name{e.Text, e.Name}, false)
				}
			})
		}
	}
	return out, err
})

// diagnose says what is wrong with a file.
func diagnose(t *runtime.Task, uri string) (list []lsp.Diagnostic, err error) {
	f, err := parsed.Get(t, uri)
	list = slices.Clone(f.Problems)
	say := func(at lsp.Span, format string, args ...any) {
		list = append(list, wrong(at, "names", format, args...))
	}
	declared := map[string]bool{}
	for _, s := range f.Statements {
		if s.Keyword == "include" && s.Name.Text != "" {
			there, failed := tree.Has(t, includedBy(uri, s))
			if err = errors.Join(err, failed); !there {
				say(s.Name.Span, "there is no file %s", s.Name.Text)
			}
			continue
		}
		if s.Name.Text != "" && declared[s.Name.Text] {
			say(s.Name.Span, "%s is declared twice", s.Name.Text)
		}
		declared[s.Name.Text] = true
		s.Body.walk(func(e *Expr) {
			if e.Kind != "name" && e.Kind != "call" {
				return
			}
			d, ok, failed := lookup(t, uri, s, e.Text)
			err = errors.Join(err, failed)
			takes := len(d.Statement.Params)
			if d.Name != d.Statement.Name {
				takes = 0 // a parameter
			}
			if !ok {
				say(e.Name, "%s is not declared", e.Text)
			} else if takes != len(e.Args) {
				say(e.Span, "%s takes %d values, not %d", e.Text, takes, len(e.Args))
			}
		})
	}
	return list, err
}
