package agree

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/benchmarks/editor"
	"github.com/cytisus/cytisus/benchmarks/ground"
)

// How places are drawn.
const (
	placesInFile  = 10
	placesOfCalls = 3 // of each file
	placesOfRole  = 3 // of each role that a kind is only about, of each file
	fileBytesMax  = 300_000
	fileNamesMin  = 20 // files with fewer identifiers have little to ask about
)

// A script is what is asked about a ground.
type script struct {
	root      string
	files     []*source
	questions []*question // file by file
}

// write draws a script of about n places. Kinds that are not wanted have no questions.
func write(g *ground.Ground, n int, seed uint64, wanted func(*kind) bool) (*script, error) {
	r := rand.New(rand.NewPCG(seed, 1))
	paths, err := sources(g)
	if err != nil {
		return nil, err
	}
	s := &script{root: g.Root}
	for _, path := range pick(r, paths, len(paths)) {
		if len(s.files)*placesInFile >= n {
			break
		}
		src, err := parse(path)
		if err != nil || len(src.places) < fileNamesMin {
			continue // what is part of a build and not Go is there to be found wrong
		}
		s.files = append(s.files, src)
		s.ask(src, rand.New(rand.NewPCG(seed, uint64(len(s.files)))), wanted)
	}
	if len(s.questions) == 0 {
		return nil, fmt.Errorf("nothing to ask about in %s", g.Root)
	}
	return s, nil
}

// ask draws the questions of one file.
func (s *script) ask(src *source, r *rand.Rand, wanted func(*kind) bool) {
	places := pick(r, src.places, placesInFile)
	for _, role := range []string{roleFunc, roleMethod, roleType} {
		var of []place
		for _, p := range src.places {
			if p.role == role {
				of = append(of, p)
			}
		}
		places = append(places, pick(r, of, placesOfRole)...)
	}
	for _, at := range pick(r, src.calls, placesOfCalls) {
		places = append(places, place{"(", at, roleCall})
	}
	for _, k := range kinds {
		if !wanted(k) {
			continue
		}
		if k.fits == nil {
			s.questions = append(s.questions, &question{kind: k, file: src})
			continue
		}
		asked := 0
		for i, p := range places {
			fits := k.fits(p.role)
			extra := i >= placesInFile // drawn for kinds that are about few roles
			if !fits || p.role == roleCall && k.name != "signature help" || extra && k.fits(roleBlank) {
				continue
			}
			if asked++; k.share > 1 && asked%k.share != 1 {
				continue
			}
			q := &question{kind: k, file: src, place: p}
			q.at = editor.Position(src.text, p.offset)
			s.questions = append(s.questions, q)
		}
	}
}

// sources are the files of the workspace, tests among them.
func sources(g *ground.Ground) (paths []string, err error) {
	seen := make(map[string]bool)
	for _, p := range g.Packages {
		if p.DepOnly && p.ForTest == "" {
			continue
		}
		for _, path := range p.Sources() {
			if seen[path] || !strings.HasPrefix(path, g.Root+string(filepath.Separator)) {
				continue
			}
			seen[path] = true
			info, err := os.Stat(path)
			if err != nil {
				return nil, err
			}
			if info.Size() <= fileBytesMax {
				paths = append(paths, path)
			}
		}
	}
	slices.Sort(paths)
	return paths, nil
}
