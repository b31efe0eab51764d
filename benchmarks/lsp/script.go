package lsp

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/ground"
)

// How much a script has.
const (
	scriptOpen     = 8   // files that are open, beside those of the dependants
	scriptDepend   = 6   // exported functions with a dependant
	scriptUnopened = 400 // files that are not open
	quickUnopened  = 10
)

// A script is what is asked of a ground.
type script struct {
	ground     *ground.Ground
	opened     []*source // all that is edited
	unopened   []*source
	dependants []dependant
}

// A dependant is an exported function and a file of another package that uses it.
type dependant struct {
	declared *source
	function function
	used     *source
	lines    map[int]bool // of the uses, counted from 0
}

// write draws a script.
func write(g *ground.Ground, env *compare.Env) (*script, error) {
	r := env.Rand(2)
	files := slices.Clone(g.Files)
	r.Shuffle(len(files), func(i, k int) { files[i], files[k] = files[k], files[i] })
	s := &script{ground: g}
	parsed := make(map[string]*source)
	read := func(path string) (*source, error) {
		if parsed[path] == nil {
			src, err := parse(path)
			if err != nil {
				return nil, fmt.Errorf("%s is part of the build and not Go: %w", path, err)
			}
			parsed[path] = src
		}
		return parsed[path], nil
	}
	open := func(src *source) {
		if !slices.Contains(s.opened, src) {
			s.opened = append(s.opened, src)
		}
	}
	unopened, plain := scriptUnopened, 0
	if env.Quick {
		unopened = quickUnopened
	}
	byPath := g.ByImportPath()
	for _, path := range files {
		src, err := read(path)
		if err != nil {
			return nil, err
		}
		switch {
		case slices.Contains(s.opened, src) || len(src.functions) < 2 || len(src.names) < 20:
		case plain < scriptOpen:
			plain++
			open(src)
		case len(s.dependants) < scriptDepend:
			d, ok, err := s.findDependant(src, byPath, read, r)
			if err != nil {
				return nil, err
			}
			if ok {
				open(d.declared)
				open(d.used)
				s.dependants = append(s.dependants, d)
			}
		case len(s.unopened) < unopened:
			s.unopened = append(s.unopened, src)
		default:
			return s, nil
		}
	}
	if plain == 0 || len(s.dependants) == 0 || len(s.unopened) == 0 {
		return nil, fmt.Errorf("%s is too small to ask about", g.Root)
	}
	return s, nil
}

// findDependant finds a function of another package of the ground that a file calls.
func (s *script) findDependant(
	src *source,
	byPath map[string]*ground.Package,
	read func(string) (*source, error),
	r *rand.Rand,
) (d dependant, ok bool, err error) {
	for _, i := range r.Perm(len(src.calls)) {
		c := src.calls[i]
		p := byPath[c.importPath]
		if p == nil || p.DepOnly {
			continue
		}
		for _, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			if !slices.Contains(s.ground.Files, path) {
				continue
			}
			declared, err := read(path)
			if err != nil {
				return d, false, err
			}
			at := slices.IndexFunc(
				declared.functions,
				func(f function) bool { return f.name == c.name && !f.method },
			)
			if at < 0 {
				continue
			}
			d = dependant{declared, declared.functions[at], src, make(map[int]bool)}
			for _, other := range src.calls {
				if other.importPath == c.importPath && other.name == c.name {
					d.lines[src.line(other.offset)] = true
				}
			}
			return d, true, nil
		}
	}
	return d, false, nil
}
