package load

import (
	"maps"
	"slices"
	"strings"
)

// variants are the packages that are compiled for the tests of a unit: the unit with its tests in
// the package, its external tests, and what else reaches the unit and is reached by the test
// binary, which is compiled anew against the unit with its tests.
func (l *loader) variants(u *unit) (out []Package, err error) {
	internal, external := false, false
	for _, f := range u.contents.files {
		internal = internal || f.test && !f.external
		external = external || f.external
	}
	if !internal && !external {
		return nil, nil
	}
	suffix := " [" + u.path + ".test]"
	// A program is compiled anew for its tests, since it is not a program there.
	anew := internal || u.contents.name == "main" && external
	as := map[*unit]string{}
	if anew {
		as[u] = u.path + suffix
		for _, v := range l.recompiled(u) {
			as[v] = v.path + suffix
		}
		for i := range u.contents.files {
			if f := &u.contents.files[i]; f.test && !f.external {
				for _, p := range f.imports {
					if to := u.imports[p]; to != nil && as[to] != "" {
						return nil, doubtf("tests of %s import %s, which imports it", u.path, to.path)
					}
				}
			}
		}
	}
	if internal || anew {
		p := l.packageOf(u, u.path+suffix, func(f *file) bool { return !f.external }, as)
		p.ForTest = u.path
		out = append(out, p)
	}
	if external {
		p := l.packageOf(u, u.path+"_test"+suffix, func(f *file) bool { return f.external }, as)
		p.Name += "_test"
		p.Standard = false // as go list has it
		p.ForTest = u.path
		out = append(out, p)
	}
	byPath := func(a, b *unit) int { return strings.Compare(a.path, b.path) }
	for _, v := range slices.SortedFunc(maps.Keys(as), byPath) {
		if v == u {
			continue
		}
		p := l.packageOf(v, v.path+suffix, func(f *file) bool { return !f.test }, as)
		p.ForTest, p.DepOnly = u.path, true
		out = append(out, p)
	}
	for i := range out {
		if id := out[i].ImportPath; id != u.path+suffix && id != u.path+"_test"+suffix {
			out[i].DepOnly = true
		}
	}
	return out, nil
}

// recompiled are the packages, beside u, that the test binary of u reaches and that reach u.
func (l *loader) recompiled(u *unit) (list []*unit) {
	reached := map[*unit]bool{}
	var walk func(v *unit, tests bool)
	walk = func(v *unit, tests bool) {
		for _, f := range v.contents.files {
			if f.test && !tests {
				continue
			}
			for _, p := range f.imports {
				if to := v.imports[p]; to != nil && !reached[to] {
					reached[to] = true
					walk(to, false)
				}
			}
		}
	}
	walk(u, true)
	for _, p := range testImports {
		if to := l.units[p]; to != nil && !reached[to] {
			reached[to] = true
			walk(to, false)
		}
	}
	// Whether one reaches u is known after those that it imports.
	reaches := map[*unit]bool{u: true}
	seen := map[*unit]bool{u: true}
	var visit func(v *unit) bool
	visit = func(v *unit) bool {
		if seen[v] {
			return reaches[v]
		}
		seen[v] = true
		for _, f := range v.contents.files {
			if f.test {
				continue
			}
			for _, p := range f.imports {
				if to := v.imports[p]; to != nil && visit(to) {
					reaches[v] = true
				}
			}
		}
		return reaches[v]
	}
	for v := range reached {
		if v != u && visit(v) {
			list = append(list, v)
		}
	}
	return list
}
