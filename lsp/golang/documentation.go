package golang

// builtinPackage is the path under which the declarations of the language itself are documented.
const builtinPackage = "builtin"

// isSyntaxOnly reports whether a package documents the language itself. Its declarations are not Go
// that could be checked: they are indexed as written, under the names by which nameOf calls the
// objects of the universe and of package unsafe.
func isSyntaxOnly(p *pkgMeta) bool {
	return p.Standard && (p.Path == builtinPackage || p.Path == "unsafe")
}
