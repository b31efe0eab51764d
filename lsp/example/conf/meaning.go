package conf

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/tree"
	"github.com/cytisus/cytisus/runtime"
)

// parsed is what the text of a file says.
var parsed = runtime.NewQuery("conf/parsed", 1, func(t *runtime.Task, uri string) (File, error) {
	text, err := tree.Text(t, uri)
	return parse(string(text)), err
})

// visible lists the files whose declarations a file sees: itself, and what it includes, directly or
// not, in that order.
var visible = runtime.NewQuery("conf/visible", 1, func(t *runtime.Task, uri string) ([]string, error) {
	seen := []string{uri}
	for i := 0; i < len(seen); i++ {
		f, err := parsed.Get(t, seen[i])
		if err != nil {
			return nil, err
		}
		for _, s := range f.Statements {
			target := includedBy(seen[i], s)
			if target == "" || slices.Contains(seen, target) {
				continue
			}
			if there, err := tree.Has(t, target); err != nil {
				return nil, err
			} else if there {
				seen = append(seen, target)
			}
		}
	}
	return seen, nil
})

// includedBy is the URI of the file that a statement includes; "" if it includes none.
func includedBy(uri string, s Statement) string {
	if s.Keyword != "include" || s.Name.Text == "" {
		return ""
	}
	return uri[:strings.Index(uri, ":///")+3] + path.Join(path.Dir(uri[strings.Index(uri, ":///")+3:]), s.Name.Text)
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
func lookup(t *runtime.Task, uri string, in Statement, name string) (Declaration, bool, error) {
	for _, p := range in.Params {
		if p.Text == name {
			return Declaration{uri, in, p}, true, nil
		}
	}
	see, err := visible.Get(t, uri)
	for _, uri := range see {
		f, err := parsed.Get(t, uri)
		if err != nil {
			return Declaration{}, false, err
		}
		for _, s := range f.Statements {
			if (s.Keyword == "let" || s.Keyword == "def") && s.Name.Text == name {
				return Declaration{uri, s, s.Name}, true, nil
			}
		}
	}
	return Declaration{}, false, err
}

// occurrences are the names of a file that stand for something.
var occurrences = runtime.NewQuery("conf/occurrences", 1, func(t *runtime.Task, uri string) (list []lsp.Occurrence, err error) {
	f, err := parsed.Get(t, uri)
	for _, s := range f.Statements {
		note := func(n Name, declares bool) {
			d, ok, failed := lookup(t, uri, s, n.Text)
			if err = errors.Join(err, failed); ok && n.Text != "" {
				list = append(list, lsp.Occurrence{Span: n.Span, Symbol: d.symbol(), Declares: declares})
			}
		}
		switch s.Keyword {
		case "include":
			list = append(list, lsp.Occurrence{Span: s.Name.Span, Symbol: includedBy(uri, s)})
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
	return list, err
})

// diagnose says what is wrong with a file.
func diagnose(t *runtime.Task, uri string) (list []lsp.Diagnostic, err error) {
	f, err := parsed.Get(t, uri)
	say := func(span lsp.Span, source, format string, args ...any) {
		list = append(list, lsp.Diagnostic{Span: span, Severity: lsp.SeverityError, Source: source, Message: fmt.Sprintf(format, args...)})
	}
	for _, p := range f.Problems {
		say(p.Span, "syntax", "%s", p.Message)
	}
	declared := map[string]bool{}
	for _, s := range f.Statements {
		if s.Keyword == "include" && s.Name.Text != "" {
			there, failed := tree.Has(t, includedBy(uri, s))
			if err = errors.Join(err, failed); !there {
				say(s.Name.Span, "names", "there is no file %s", s.Name.Text)
			}
			continue
		}
		if s.Name.Text != "" && declared[s.Name.Text] {
			say(s.Name.Span, "names", "%s is declared twice", s.Name.Text)
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
				say(e.Name, "names", "%s is not declared", e.Text)
			} else if takes != len(e.Args) {
				say(e.Span, "names", "%s takes %d values, not %d", e.Text, takes, len(e.Args))
			}
		})
	}
	return list, err
}
