package profiles

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"os"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

//go:embed page.html
var pageText string

// A Part of a report is one kind of profile.
type Part struct {
	Kind  string // "cpu", "allocs"
	Value string // the type of the values that are shown, such as "alloc_space"
	File  string // the profile
	Base  string // the other revision's, "" without one
	Link  string // File and Base as the page links to them
	Other string
}

// A Report is what the page says besides profiles.
type Report struct {
	Suite string
	Kind  string
	Head  string // what was measured
	Base  string // what it is compared with, "" for nothing
	Lines []string
	Parts []Part
}

// topLines is how long a table is.
const topLines = 40

// Write writes the page.
func (r *Report) Write(w io.Writer) error {
	type view struct {
		Part
		Total, BaseTotal string
		Whole            *graph
		Groups           []groupView
		Top              string
	}
	data := struct {
		*Report
		Made  string
		Views []view
	}{Report: r, Made: time.Now().UTC().Format("2006-01-02 15:04 UTC")}
	for _, part := range r.Parts {
		head, err := load(part.File)
		if err != nil {
			return err
		}
		var base *profile.Profile
		if part.Base != "" {
			if base, err = load(part.Base); err != nil {
				return err
			}
		}
		list, whole, err := groups(head, base, part.Value)
		if err != nil {
			return fmt.Errorf("%s: %w", part.File, err)
		}
		unit := ""
		for _, t := range head.SampleType {
			if t.Type == part.Value {
				unit = t.Unit
			}
		}
		v := view{Part: part, Total: amount(whole.Head, unit), Whole: graphOf(whole, whole.Width(), unit, base != nil)}
		if base != nil {
			v.BaseTotal = amount(whole.Base, unit)
		}
		for _, g := range list {
			gv := groupView{Name: g.Name}
			for _, root := range g.Graphs {
				gv.Graphs = append(gv.Graphs, graphOf(root, whole.Width(), unit, base != nil))
			}
			v.Groups = append(v.Groups, gv)
		}
		if v.Top, err = Top(part.File, part.Base, part.Value, topLines); err != nil {
			return err
		}
		v.Top = withoutModule(v.Top)
		data.Views = append(data.Views, v)
	}
	if err := page.Execute(w, data); err != nil {
		return fmt.Errorf("profiles: %w", err)
	}
	return nil
}

func load(file string) (*profile.Profile, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		return nil, fmt.Errorf("profiles: %s: %w", file, err)
	}
	return p, nil
}

type groupView struct {
	Name   string
	Graphs []*graph
}

// A graph is a flame graph, or a box of one.
type graph struct {
	Name   string
	Value  string  // in words, for the box's title
	Share  string  // of everything
	Width  float64 // percent of the box above
	Class  string
	Boxes  []*graph
	Change string // beside the name of a whole graph
}

// graphOf makes the boxes of a tree; all is everything's width.
func graphOf(n *Node, all int64, unit string, compared bool) *graph {
	g := &graph{Name: n.Name, Value: amount(n.Head, unit), Class: kindOf(n.Name), Width: 100}
	if all > 0 {
		g.Share = fmt.Sprintf("%.1f %%", 100*float64(n.Head)/float64(all))
	}
	if compared {
		g.Change = signed(n.Delta(), unit)
		g.Value = fmt.Sprintf("%s, %s before, %s", g.Value, amount(n.Base, unit), g.Change)
		g.Class = changeOf(n)
	}
	for _, c := range n.Children {
		b := graphOf(c, all, unit, compared)
		b.Width = 100 * float64(c.Width()) / float64(max(n.Width(), 1))
		g.Boxes = append(g.Boxes, b)
	}
	// Two revisions' boxes may need more than there is, as each is as wide as its larger value.
	var sum float64
	for _, b := range g.Boxes {
		sum += b.Width
	}
	if sum > 100 {
		for _, b := range g.Boxes {
			b.Width *= 100 / sum
		}
	}
	return g
}

// kindOf is the colour of a function by where it is from.
func kindOf(name string) string {
	for _, k := range []struct{ prefix, kind string }{
		{"lsp/", "front"},
		{"cytisus/runtime.", "engine"},
		{"runtime/debug.", "go"},
		{"runtime/metrics.", "go"},
		{"runtime/pprof.", "go"},
		{"runtime/trace.", "go"},
		{"runtime/", "engine"},
		{"mmapcas", "engine"},
		{"queue", "engine"},
		{"epoch", "engine"},
		{"arena", "engine"},
		{"affinity", "engine"},
		{"benchmarks/", "bench"},
		{"main.", "bench"},
		{"runtime.", "go"},
		{"internal/", "go"},
		{"sync", "go"},
		{"syscall", "go"},
	} {
		if strings.HasPrefix(name, k.prefix) {
			return k.kind
		}
	}
	return "other"
}

// changeOf is the colour of a function by how it changed: by a twentieth at least, or not.
func changeOf(n *Node) string {
	d := float64(n.Delta()) / float64(max(n.Width(), 1))
	switch {
	case d > 0.5:
		return "more2"
	case d > 0.05:
		return "more1"
	case d < -0.5:
		return "less2"
	case d < -0.05:
		return "less1"
	}
	return "same"
}

func signed(n int64, unit string) string {
	if n < 0 {
		return "−" + amount(-n, unit)
	}
	return "+" + amount(n, unit)
}

// amount is a value in words.
func amount(n int64, unit string) string {
	switch unit {
	case "nanoseconds":
		return time.Duration(n).Round(10 * time.Microsecond).String()
	case "bytes":
		switch {
		case n < 1<<10:
			return fmt.Sprintf("%d B", n)
		case n < 1<<20:
			return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
		case n < 1<<30:
			return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
		}
		return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30))
	}
	return fmt.Sprint(n)
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"width": func(w float64) template.CSS { return template.CSS(fmt.Sprintf("width:%.3f%%", w)) },
}).Parse(pageText))
