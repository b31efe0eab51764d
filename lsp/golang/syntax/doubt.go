package syntax

import (
	"slices"
)

// A Doubt is what syntax errors leave open about the declarations of a file or package.
type Doubt struct {
	Names []string // of declarations that may be others; sorted
	Open  bool     // there may be further declarations, or further fields and methods
}

// Add adds what else is doubtful.
func (d *Doubt) Add(e Doubt) {
	d.Open = d.Open || e.Open
	d.Names = append(d.Names, e.Names...)
	slices.Sort(d.Names)
	d.Names = slices.Compact(d.Names)
}

// Has reports whether the declaration of a name may be another.
func (d Doubt) Has(name string) bool {
	_, ok := slices.BinarySearch(d.Names, name)
	return ok
}
