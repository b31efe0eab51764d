package main

import (
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

var (
	editSeed   = flag.Uint64("edits.seed", 0, "seed of TestEditsAgainstScratch; 0 takes a new one")
	editRounds = flag.Int("edits.rounds", 5, "rounds of TestEditsAgainstScratch")
)

// editModule is where TestEditsAgainstScratch begins: packages that see each other through what
// they embed, alias, instantiate and promote, with tests and files of other platforms.
const editModule = `
-- go.mod --
module ex.org/m

go 1.26
-- base/base.go --
package base

import "fmt"

type Shape interface{ Area() int }

type Square struct{ Side, Unit int }

func (s Square) Area() int { return s.Side * s.Side }

func (s *Square) Grow(n int) { s.Side += n }

type List[T any] struct{ items []T }

func (l *List[T]) Add(x T) { l.items = append(l.items, x) }

func (l *List[T]) All() []T { return l.items }

func Map[T, U any](l *List[T], f func(T) U) *List[U] {
	out := new(List[U])
	for _, x := range l.All() {
		out.Add(f(x))
	}
	return out
}

const Limit = 10

var Default Shape = Square{Side: Limit}

func Show(s Shape) string { return fmt.Sprint(s.Area(), help(1)) }
-- base/help.go --
package base

func help(n int) string {
	if n > Limit {
		return "much"
	}
	return "little"
}
-- base/help_windows.go --
package base

func Handle() int { return len(help(2)) }
-- base/base_test.go --
package base

import "testing"

func TestShow(t *testing.T) {
	if Show(Default) == "" || Testing().Side != 1 {
		t.Fatal(help(3))
	}
}

func Testing() Square { return Square{1, 2} }
-- base/out_test.go --
package base_test

import (
	"testing"

	"ex.org/m/base"
	"ex.org/m/mid"
)

func TestOut(t *testing.T) {
	var l mid.Squares
	l.Add(base.Testing())
	_ = base.Show(mid.New(base.Limit))
}
-- mid/mid.go --
package mid

import (
	"fmt"

	"ex.org/m/base"
)

type Box struct {
	base.Square
	Label string
}

type Squares = base.List[base.Square]

type Namer interface {
	base.Shape
	fmt.Stringer
}

func (b *Box) String() string { return b.Label }

func New(n int) *Box { return &Box{Square: base.Square{Side: n}, Label: "box"} }

var _ Namer = New(base.Limit)
-- mid/gen.go --
//go:build ignore

package main

import "ex.org/m/mid"

func New() { fmt := mid.New(1); _ = fmt.Label }
-- top/top.go --
package main

import (
	. "ex.org/m/base"
	named "ex.org/m/mid"
)

func main() {
	b := named.New(Limit)
	b.Grow(2)
	var l named.Squares
	l.Add(b.Square)
	areas := Map(&l, Square.Area)
loop:
	for i, a := range areas.All() {
		switch s := any(a).(type) {
		case int:
			println(s + i)
		case Shape:
			break loop
		}
	}
	println(Show(b), b.String())
}
`

// Texts are edited token by token, saved, undone and closed, and files are changed, moved and put
// back on the disk with events that come late and in any order, while questions are asked. When all
// events have come, the diagnostics and answers at random places are those of a session that sees
// only the end.
func TestEditsAgainstScratch(t *testing.T) {
	seed := *editSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("again with -edits.seed=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 11))
	p := newPlayer(t)
	defer p.end()
	e := &editPlayer{layoutPlayer: layoutPlayer{player: p, rng: rng}, before: map[string][]string{}}
	for _, f := range txtar.Parse([]byte(editModule)).Files {
		p.texts[f.Name] = string(f.Data)
		p.put(f.Name, string(f.Data))
	}
	for round := range *editRounds {
		for range 1 + rng.IntN(8) {
			e.step()
		}
		e.report(len(e.waiting))
		clean := newPlayer(t)
		clean.top, clean.folders = p.top, p.folders
		for _, path := range slices.Sorted(maps.Keys(p.begun().docs)) {
			clean.begun().open(path, p.session.docs[path].text)
		}
		got, err := p.begun().check()
		want, wantErr := clean.begun().check()
		if err != nil || wantErr != nil || got != want {
			t.Fatalf("round %d: %v, %v\nthe session says\n%s\n\na new one\n%s\n\n%s", round, err, wantErr, got, want, strings.Join(e.log, "\n"))
		}
		for range 15 {
			path, text, offset := e.place()
			for _, verb := range []string{"def", "hover", "refs"} {
				got, err := p.session.askAt(verb, path, text, offset)
				want, wantErr := clean.session.askAt(verb, path, text, offset)
				if err != nil || wantErr != nil || got != want {
					t.Fatalf("round %d: %s at %d of %s: %v, %v\nthe session says\n%s\n\na new one\n%s\n\n%s",
						round, verb, offset, path, err, wantErr, got, want, strings.Join(e.log, "\n"))
				}
			}
		}
		got, err = p.session.symbols("a")
		if want, wantErr = clean.session.symbols("a"); err != nil || wantErr != nil || got != want {
			t.Fatalf("round %d: symbols: %v, %v\nthe session says\n%s\n\na new one\n%s\n\n%s", round, err, wantErr, got, want, strings.Join(e.log, "\n"))
		}
		clean.end()
	}
}

// An editPlayer edits texts at random.
type editPlayer struct {
	layoutPlayer
	before map[string][]string // texts that open files had
}

var (
	editToken    = regexp.MustCompile(`\w+|"[^"\n]*"|[^\s\w]`)
	editExported = regexp.MustCompile(`\b[A-Z]\w*\b`)
	editFunction = regexp.MustCompile(`(?ms)^func .*?\n}\n|^func [^\n]*}\n`)
	editPackage  = regexp.MustCompile(`(?m)^package \w+`)
)

// goFiles are those on the disk, relative to the top.
func (e *editPlayer) goFiles() (list []string) {
	err := filepath.WalkDir(e.top, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			list = append(list, e.relative(path))
		}
		return err
	})
	if err != nil {
		e.t.Fatal(err)
	}
	if len(list) == 0 {
		e.restore()
		return e.goFiles()
	}
	return list
}

func (e *editPlayer) disk(file string) string {
	raw, err := os.ReadFile(e.path(file))
	if err != nil {
		e.t.Fatal(err)
	}
	return string(raw)
}

// place is a random name in a random file, as an editor shows it.
func (e *editPlayer) place() (path, text string, offset int) {
	path = e.path(pick(e.rng, e.goFiles()))
	text, err := e.begun().text(path)
	if err != nil {
		e.t.Fatal(err)
	}
	if at := editToken.FindAllStringIndex(text, -1); len(at) > 0 {
		offset = pick(e.rng, at)[0]
	}
	return path, text, offset
}

func (e *editPlayer) step() {
	file := pick(e.rng, e.goFiles())
	switch n := e.rng.IntN(20); {
	case n < 9:
		e.change(file)
	case n < 11:
		e.write(file, e.mutated(e.disk(file)))
	case n == 11:
		e.remove(file)
	case n == 12:
		e.rename(file, filepath.Join(pick(e.rng, []string{"base", "mid", "top", "new"}), pick(e.rng, []string{"x.go", "x_test.go", "x_windows.go"})))
	case n == 13:
		to := pick(e.rng, e.goFiles())
		text := e.disk(file)
		if f := editFunction.FindString(text); f != "" && to != file {
			e.write(file, strings.Replace(text, f, "", 1))
			e.write(to, e.disk(to)+"\n"+f)
		}
	case n == 14:
		e.restore()
	case n < 17:
		path, text, offset := e.place()
		e.note("ask %s %d", e.relative(path), offset)
		if _, err := e.session.askAt(pick(e.rng, []string{"def", "refs", "hover"}), path, text, offset); err != nil {
			e.t.Fatal(err)
		}
	case n == 17:
		if _, err := e.begun().check(); err != nil {
			e.t.Fatal(err)
		}
	default:
		e.finish()
	}
	if e.session != nil && e.rng.IntN(2) == 0 {
		e.report(e.rng.IntN(len(e.waiting) + 1))
	}
}

// change opens a file, or changes one that is open, perhaps back to what it was.
func (e *editPlayer) change(file string) {
	s := e.begun()
	if open := slices.Sorted(maps.Keys(s.docs)); len(open) > 0 && e.rng.IntN(3) > 0 {
		path := pick(e.rng, open)
		text := e.mutated(s.docs[path].text)
		if e.rng.IntN(3) == 0 {
			text = pick(e.rng, e.before[path])
		}
		e.before[path] = append(e.before[path], s.docs[path].text)
		e.note("change %s %q", e.relative(path), text)
		_ = s.changeText(path, text) // it is open
		return
	}
	if path := e.path(file); s.docs[path] == nil {
		text := e.disk(file)
		e.before[path] = []string{text}
		e.note("open %s", file)
		s.open(path, text)
	}
}

// finish saves or closes a file that is open.
func (e *editPlayer) finish() {
	s := e.begun()
	open := slices.Sorted(maps.Keys(s.docs))
	if len(open) == 0 {
		return
	}
	path := pick(e.rng, open)
	file := e.relative(path)
	if e.rng.IntN(2) == 0 {
		e.note("close %s", file)
		_ = s.closeText(path) // it is open
		return
	}
	e.note("save %s", file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		e.t.Fatal(err)
	}
	if err := s.save(path); err != nil {
		e.t.Fatal(err)
	}
	e.waiting = append(e.waiting, file)
}

// restore puts the disk back to what it was in the beginning, as a checkout does.
func (e *editPlayer) restore() {
	e.note("restore")
	for _, name := range slices.Sorted(maps.Keys(e.texts)) {
		if raw, err := os.ReadFile(e.path(name)); err != nil || string(raw) != e.texts[name] {
			e.write(name, e.texts[name])
		}
	}
	for _, file := range e.goFiles() {
		if _, ok := e.texts[file]; !ok {
			e.remove(file)
		}
	}
}

// mutated is a text with a small change.
func (e *editPlayer) mutated(text string) string {
	at := editToken.FindAllStringIndex(text, -1)
	if len(at) == 0 {
		return "package base\n"
	}
	one, other := pick(e.rng, at), pick(e.rng, at)
	switch e.rng.IntN(9) {
	case 0:
		return text[:one[0]] + text[one[1]:]
	case 1, 2:
		return text[:one[0]] + text[other[0]:other[1]] + text[one[1]:]
	case 3, 4: // a name, wherever it stands in the file
		if names := editExported.FindAllString(text, -1); len(names) > 0 {
			name := pick(e.rng, names)
			to := strings.TrimSuffix(name, "s")
			if to == name {
				to += "s"
			}
			return regexp.MustCompile(`\b`+name+`\b`).ReplaceAllString(text, to)
		}
	case 5:
		if f := editFunction.FindAllString(text, -1); len(f) > 0 {
			return strings.Replace(text, pick(e.rng, f), "", 1)
		}
	case 6:
		return text + fmt.Sprintf("\nfunc Added%d() int { return %d }\n", e.rng.IntN(3), e.rng.IntN(100))
	case 7:
		return editPackage.ReplaceAllString(text, "package "+pick(e.rng, []string{"base", "mid", "main", "base_test"}))
	}
	return text[:one[0]] + "/* " + text[one[0]:one[1]] + " */" + text[one[1]:]
}
