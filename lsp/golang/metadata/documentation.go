package metadata

// Builtin is the path under which the declarations of the language itself are documented.
const Builtin = "builtin"

// IsSyntaxOnly reports whether a package documents the language itself. Its declarations are not Go
// that could be checked: they are indexed as written, under the names by which nameOf calls the
// objects of the universe and of package unsafe.
func IsSyntaxOnly(p *Package) bool {
	return p.Standard && (p.Path == Builtin || p.Path == "unsafe")
}
