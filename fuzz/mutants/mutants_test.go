package mutants

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What is planted in each kind of statement, by name.
func TestPlan(t *testing.T) {
	const src = `package p

func (q *queue[T]) push(v T, last bool) error {
	if q.n < len(q.cells)-1 && last {
		q.cells[q.n] = v // ours
		q.turn.pass(q.n + 1)
		return nil
	}
	defer q.mu.Unlock()
	for q.full() {
		break
	}
	return func() (int, error) { return 0, errFull }()
}

func err() error { return errFull }
`
	want := `
4 operator (*queue).push: q.n < len(q.cells)-1 && last => q.n < len(q.cells)-1 || last
4 operator (*queue).push: q.n < len(q.cells)-1 => q.n <= len(q.cells)-1
4 operator (*queue).push: len(q.cells)-1 => len(q.cells)+1
4 condition (*queue).push: q.n < len(q.cells)-1 && last => !(q.n < len(q.cells)-1 && last)
4 constant (*queue).push: if q.n < len(q.cells)-1 && last { => if q.n < len(q.cells)-2 && last {
5 dropped (*queue).push: dropped q.cells[q.n] = v
5 order (*queue).push: q.cells[q.n] = v; q.turn.pass(q.n + 1) => q.turn.pass(q.n + 1); q.cells[q.n] = v
6 dropped (*queue).push: dropped q.turn.pass(q.n + 1)
6 operator (*queue).push: q.n + 1 => q.n - 1
6 constant (*queue).push: q.turn.pass(q.n + 1) => q.turn.pass(q.n + 2)
9 dropped (*queue).push: dropped defer q.mu.Unlock()
10 condition (*queue).push: q.full() => !(q.full())
11 dropped (*queue).push: dropped break
13 error (*queue).push: return 0, errFull => return 0, nil
13 error (*queue).push: return func() (int, error) { return 0, errFull }() => return nil
13 constant (*queue).push: return func() (int, error) { return 0, errFull }() => return func() (int, error) { return 1, errFull }()
16 error err: return errFull => return nil
`
	ms, err := Plan("p.go", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var got, wanted []string
	for _, m := range ms {
		name := strings.TrimPrefix(m.Name(), "p.go ")
		got = append(got, strings.Join([]string{strconv.Itoa(m.Line), m.Kind, name}, " "))
	}
	wanted = strings.Split(strings.TrimSpace(want), "\n")
	slices.Sort(got)
	slices.Sort(wanted)
	for _, g := range got {
		if !slices.Contains(wanted, g) {
			t.Errorf("not expected: %s", g)
		}
	}
	for _, w := range wanted {
		if !slices.Contains(got, w) {
			t.Errorf("not planned: %s", w)
		}
	}
}

// Equal edits of one function have names of their own, in the order of the text, so that one that
// is argued excuses no other.
func TestEqualEdits(t *testing.T) {
	const src = `package p

func f(on bool) {
	g(on)
	if on {
		g(on)
	}
	g(on)
}

func h(on bool) { g(on) }
`
	ms, err := Plan("p.go", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]int{}
	for _, m := range ms {
		if was, twice := lines[m.Name()]; twice {
			t.Errorf("%s is the name of what is planted in line %d and in line %d", m.Name(), was, m.Line)
		}
		lines[m.Name()] = m.Line
	}
	for name, line := range map[string]int{
		"p.go f: dropped g(on)": 4, "p.go f: dropped g(on) (2)": 6, "p.go f: dropped g(on) (3)": 8, "p.go h: dropped g(on)": 11,
	} {
		if lines[name] != line {
			t.Errorf("%s is planted in line %d, want %d", name, lines[name], line)
		}
	}
}

// What becomes of each mistake in a package whose tests are known, and the tree is not written.
func TestJudge(t *testing.T) {
	if testing.Short() {
		t.Skip("builds some twenty test binaries")
	}
	before, err := os.ReadFile("testdata/small/small.go")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open("testdata/small", "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Patience = 5 * time.Second
	ms, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Verdict{}
	if err := s.Each(ms, 2, func(m Mutant, v Verdict) {
		got[strings.TrimPrefix(m.Name(), "testdata/small/small.go ")] = v
	}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Verdict{
		"(*Box).Add: n >= 10 => n > 10":                            Found,
		"(*Box).Add: dropped b.n += n":                             Found,
		`(*Box).Add: return errors.New("too large") => return nil`: Unbuilt, // errors is not used then
		"(*Box).Add: dropped defer b.mu.Unlock()":                  Late,
		"Untested: 1 + 2 => 1 - 2":                                 Unreached,
		"Loose: on => !(on)":                                       Survived,
		"Loose: return 2 => return 3":                              Survived,
		"Untested: func Untested() int { return 1 + 2 } => func Untested() int { return 2 + 2 }": Unreached,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s: %v (planned: %v), want %v", name, v, ok, want)
		}
	}
	if after, err := os.ReadFile("testdata/small/small.go"); err != nil || string(after) != string(before) {
		t.Errorf("the file was written: %v", err)
	}
}

// What is argued can still be planted: a line about code that is gone excuses nothing.
func TestArguedStands(t *testing.T) {
	argued, err := Argued("argued.txt")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join("..", ".."))
	planned := map[string]map[string]bool{}
	for name := range argued {
		file, _, _ := strings.Cut(name, " ")
		if planned[file] == nil {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			ms, err := Plan(file, src)
			if err != nil {
				t.Fatal(err)
			}
			planned[file] = map[string]bool{}
			for _, m := range ms {
				planned[file][m.Name()] = true
			}
		}
		if !planned[file][name] {
			t.Errorf("nothing to plant: %s", name)
		}
	}
}

func TestArguedNeedsAReason(t *testing.T) {
	for text, want := range map[string]string{
		"a.go f: dropped g()\n":                                           "no reason",
		"a.go f: dropped g() -- \n":                                       "no reason",
		"a.go f: dropped g() -- why\na.go f: dropped g() -- again\n":      "twice",
		"# only this\n\na.go f: dropped g() -- g changes nothing twice\n": "",
	} {
		file := filepath.Join(t.TempDir(), "argued")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Argued(file)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
