package disk

import (
	"cmp"
	"slices"
	"strings"
)

// withoutForeignTests leaves out what go list tells of the tests of packages that were asked about
// beside those of the build, and lie outside of it: their variants, and what is imported by these
// alone. The go command lists the tests of all that it is asked about.
func withoutForeignTests(env *Environment, all []Listed, extra map[string]bool) []Listed {
	foreign := map[string]bool{}
	for i := range all {
		p := &all[i]
		if isExtra(p, extra) && p.ForTest == "" && !env.within(env.dir(p.Dir)) {
			foreign[p.ImportPath] = true
		}
	}
	isTest := func(p *Listed) bool {
		return foreign[p.ForTest] || isTestMain(p) && foreign[strings.TrimSuffix(p.ImportPath, ".test")]
	}
	if !slices.ContainsFunc(all, func(p Listed) bool { return isTest(&p) }) {
		return all
	}
	at := make(map[string]*Listed, len(all))
	var queue []*Listed
	for i := range all {
		p := &all[i]
		at[p.ImportPath] = p
		if !p.DepOnly && !isTest(p) {
			queue = append(queue, p)
		}
	}
	needed := map[*Listed]bool{}
	for len(queue) > 0 {
		p := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if needed[p] {
			continue
		}
		needed[p] = true
		for _, path := range p.Imports {
			if imported := at[cmp.Or(p.ImportMap[path], path)]; imported != nil {
				queue = append(queue, imported)
			}
		}
	}
	var kept []Listed
	for i := range all {
		if needed[&all[i]] {
			kept = append(kept, all[i])
		}
	}
	return kept
}

// isExtra reports whether a package was asked about beside those of the build.
func isExtra(p *Listed, extra map[string]bool) bool {
	return extra[p.ImportPath] || extra[strings.TrimPrefix(p.ImportPath, "vendor/")]
}
