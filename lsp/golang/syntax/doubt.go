package syntax

import (
	"slices"
)

// A Doubt is what is not known for certain of the declarations of a file or package: what syntax
// errors leave open, or what they are on another platform.
type Doubt struct {
	Names []string // of declarations that may be others; sorted
	Open  bool     // there may be further declarations, or further fields and methods

	// Elsewhere: the package is known for one platform, and seen from code for another one that it
	// has other files for. All of it may be otherwise.
	Elsewhere bool
}

// Add adds what else is doubtful.
func (d *Doubt) Add(e Doubt) {
	d.Open = d.Open || e.Open
	d.Elsewhere = d.Elsewhere || e.Elsewhere
	d.Names = append(d.Names, e.Names...)
	slices.Sort(d.Names)
	d.Names = slices.Compact(d.Names)
}

// Has reports whether the declaration of a name may be another.
func (d Doubt) Has(name string) bool {
	_, ok := slices.BinarySearch(d.Names, name)
	return ok
}
