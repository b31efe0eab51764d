package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	layoutSeed   = flag.Uint64("layouts.seed", 0, "seed of TestLayoutsAgainstScratch; 0 takes a new one")
	layoutRounds = flag.Int("layouts.rounds", 5, "rounds of TestLayoutsAgainstScratch")
)

// The universe of TestLayoutsAgainstScratch: directories that may hold modules, and texts for
// files.
var (
	layoutDirs  = []string{"", "a", "a/in", "b", "b/deep/er"}
	layoutTexts = []string{
		"package %s\n",
		"package %s\n\nfunc F() int { return 1 }\n",
		"package %s\n\nfunc F() string { return \"\" }\n",
		"package %s\n\nvar N int = F()\n",
		"package %s\n\nimport \"ex.org/a\"\n\nvar A int = a.F()\n",
		"package %s\n\nimport b \"ex.org/b\"\n\nvar B string = b.F()\n",
		"package %s\n\nimport \"ex.org/a/in\"\n\nvar In = in.N\n",
		"//go:build never\n\npackage %s\n\nfunc F() int { return 2 }\n",
		"package other%s\n",
		"package %s\n\nfunc F( {\n",
	}
	layoutMods = []string{
		"module ex.org/%s\n\ngo 1.26\n",
		"module ex.org/%s\n\ngo 1.26\n\nrequire ex.org/b v0.0.0\n\nreplace ex.org/b => %s\n",
		"module ex.org/%s\n\ngo 1.26\n\nnonsense\n",
	}
	layoutWorks = []string{
		"go 1.26\n\nuse ./a\n", "go 1.26\n\nuse (\n\t./a\n\t./b\n)\n", "go 1.26\n\nuse .\n", "go 1.26\n\nuse ./nothing\n",
	}
)

// Modules, go.work files and Go files come, go, move and change, open files are edited, and events
// about it come late and in any order. When all have come, a session says what a session says that
// sees only the end.
func TestLayoutsAgainstScratch(t *testing.T) {
	seed := *layoutSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("again with -layouts.seed=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 7))
	p := newPlayer(t)
	defer p.end()
	l := &layoutPlayer{player: p, rng: rng}
	for range 6 {
		l.step()
	}
	l.waiting = nil
	for round := range *layoutRounds {
		for range 1 + rng.IntN(6) {
			l.step()
		}
		l.report(len(l.waiting))
		got, err := p.begun().check()
		if err != nil {
			t.Fatalf("round %d: %v\n%s", round, err, strings.Join(l.log, "\n"))
		}
		clean := newPlayer(t)
		clean.top, clean.folders = p.top, p.folders
		for path, d := range p.session.docs {
			clean.begun().open(path, d.text)
		}
		want, err := clean.begun().check()
		clean.end()
		if err != nil || got != want {
			t.Fatalf("round %d: %v\nthe session says\n%s\n\na new one\n%s\n\n%s", round, err, got, want, strings.Join(l.log, "\n"))
		}
	}
}

// A layoutPlayer changes the disk at random.
type layoutPlayer struct {
	*player
	rng     *rand.Rand
	waiting []string // paths whose events are still to come
	log     []string
}

func (l *layoutPlayer) note(format string, args ...any) {
	l.log = append(l.log, fmt.Sprintf(format, args...))
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// step changes something, and may report some of what has not been reported.
func (l *layoutPlayer) step() {
	dir := pick(l.rng, layoutDirs)
	name := pick(l.rng, []string{"x.go", "y.go", "x_test.go"})
	file := filepath.Join(dir, name)
	pkg := filepath.Base(dir)
	if dir == "" {
		pkg = "top"
	}
	switch n := l.rng.IntN(16); {
	case n < 6:
		l.write(file, fmt.Sprintf(pick(l.rng, layoutTexts), pkg))
	case n < 8:
		l.remove(file)
	case n == 8:
		l.remove(dir)
	case n < 11:
		mod := pick(l.rng, layoutMods)
		if strings.Count(mod, "%s") == 2 {
			up, _ := filepath.Rel(filepath.Join(l.top, dir), filepath.Join(l.top, "b"))
			mod = fmt.Sprintf(mod, pkg, "./"+filepath.ToSlash(up))
		} else {
			mod = fmt.Sprintf(mod, pkg)
		}
		l.write(filepath.Join(dir, "go.mod"), mod)
	case n == 11:
		l.remove(filepath.Join(dir, "go.mod"))
	case n == 12:
		l.write("go.work", pick(l.rng, layoutWorks))
	case n == 13:
		l.remove("go.work")
	case n == 14:
		l.rename(file, filepath.Join(pick(l.rng, layoutDirs), pick(l.rng, []string{"x.go", "z.go"})))
	case l.session != nil:
		l.edit(file, fmt.Sprintf(pick(l.rng, layoutTexts), pkg))
	}
	if l.session != nil && l.rng.IntN(2) == 0 {
		l.report(l.rng.IntN(len(l.waiting) + 1))
	}
}

func (l *layoutPlayer) write(file, text string) {
	l.note("write %s %q", file, text)
	l.put(file, text)
	l.waiting = append(l.waiting, file)
}

// remove takes a file or what is in a directory away; the editor tells of the directory only.
func (l *layoutPlayer) remove(file string) {
	if file == "" || !exists(l.path(file)) {
		return
	}
	l.note("remove %s", file)
	if err := os.RemoveAll(l.path(file)); err != nil {
		l.t.Fatal(err)
	}
	l.waiting = append(l.waiting, file)
}

func (l *layoutPlayer) rename(from, to string) {
	if !exists(l.path(from)) || os.MkdirAll(filepath.Dir(l.path(to)), 0o755) != nil {
		return
	}
	l.note("rename %s %s", from, to)
	if err := os.Rename(l.path(from), l.path(to)); err != nil {
		l.t.Fatal(err)
	}
	l.waiting = append(l.waiting, from, to)
}

// edit opens a file, changes it, or closes it.
func (l *layoutPlayer) edit(file, text string) {
	path := l.path(file)
	switch {
	case l.session.docs[path] == nil:
		l.note("open %s %q", file, text)
		l.session.open(path, text)
	case l.rng.IntN(2) == 0:
		l.note("change %s %q", file, text)
		_ = l.session.changeText(path, text) // it is open
	default:
		l.note("close %s", file)
		_ = l.session.closeText(path) // it is open
	}
}

// report tells the session of some changes, in any order.
func (l *layoutPlayer) report(n int) {
	l.rng.Shuffle(len(l.waiting), func(i, j int) { l.waiting[i], l.waiting[j] = l.waiting[j], l.waiting[i] })
	for _, file := range l.waiting[:n] {
		kind := "change"
		if !exists(l.path(file)) || slices.Contains(layoutDirs, filepath.ToSlash(file)) {
			kind = "delete" // of a directory only this is told, even if there is another one by now
		}
		l.note("event %s %s", kind, file)
		if err := l.begun().event(kind, []string{l.path(file)}); err != nil {
			l.t.Fatal(err)
		}
	}
	l.waiting = slices.Delete(l.waiting, 0, n)
}
