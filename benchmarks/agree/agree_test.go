package agree

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/ground"
)

// drawn is what is asked about the small ground, without its directory.
func drawn(t *testing.T, g *ground.Ground, seed uint64) string {
	t.Helper()
	s, err := write(g, 40, seed, func(*kind) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, q := range s.questions {
		if got := q.file.text[q.offset:]; q.kind.fits != nil && q.role != roleCall && !strings.HasPrefix(got, q.name) {
			t.Errorf("%s: offset %d of %s is %.20q", q, q.offset, q.file.path, got)
		}
		fmt.Fprintln(&b, q, q.file.path, q.offset)
	}
	return b.String()
}

// TestScriptFollowsSeed checks that equal seeds give equal questions, and others other ones, and
// that each kind is asked.
func TestScriptFollowsSeed(t *testing.T) {
	env := &compare.Env{Seed: 1, Dir: t.TempDir(), Logf: t.Logf}
	g, err := ground.Load(t.Context(), env, "small")
	if err != nil {
		t.Fatal(err)
	}
	one, same, other := drawn(t, g, 1), drawn(t, g, 1), drawn(t, g, 2)
	if one != same {
		t.Errorf("one seed, two scripts:\n%s\n%s", one, same)
	}
	if one == other {
		t.Error("two seeds, one script")
	}
	for _, k := range kinds {
		if !strings.Contains(one, k.name+" ") {
			t.Errorf("%s is not asked", k.name)
		}
	}
}

// TestRoles checks what places are taken for.
func TestRoles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.go")
	text := `package p

import f "fmt"

type T[P any] struct {
	E
	x int
}

func (r *T[P]) M(a int) {
loop:
	for {
		break loop
	}
	switch y := any(a).(type) {
	default:
		_ = y
	}
	f.Print(T[int]{x: a}, len("")) 
}
`
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := parse(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range s.places {
		got = append(got, p.name+": "+p.role)
	}
	for _, want := range []string{
		"p: " + rolePackage, "f: " + roleImport, "T: " + roleType, "P: " + roleParam, "E: " + roleEmbedded,
		"x: " + roleField, "M: " + roleMethod, "a: " + roleParam, "loop: " + roleLabel, "y: " + roleSwitch,
		"_: " + roleBlank, "f: " + roleQualifier, "Print: " + roleSelector, "x: " + roleKey,
		"len: " + roleBuiltin, "a: " + roleOther,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q among %q", want, got)
		}
	}
	if len(s.calls) != 4 || len(s.bodies) != 1 {
		t.Errorf("%d calls and %d bodies", len(s.calls), len(s.bodies))
	}
}

// TestReaders checks what is read of answers.
func TestReaders(t *testing.T) {
	r := &reader{root: "/r", legend: []string{"type", "keyword"}}
	f := &source{path: "/r/a.go", text: "package p\n"}
	at := `{"start":{"line":1,"character":2},"end":{"line":1,"character":5}}`
	many := ""
	for i, label := range []string{"D", "B", "name(x int)", "A"} {
		many += fmt.Sprintf(`,{"label":%q,"sortText":"%d"}`, label, i)
	}
	for _, test := range []struct {
		kind, answer string
		want         []string
	}{
		{"definition", `[{"uri":"file:///r/a.go","range":` + at + `}]`, []string{"a.go:2:3-2:6"}},
		{"definition", `{"uri":"file:///s/a.go","range":` + at + `}`, []string{"/s/a.go:2:3-2:6"}},
		{"definition", `[{"targetUri":"file:///r/b.go","targetSelectionRange":` + at + `}]`, []string{"b.go:2:3-2:6"}},
		{"hover", `{"contents":{"value":"x\n` + "```go" + `\ntype  T struct { // size=8\n"}}`, []string{"type T struct"}},
		{"rename", `{"changes":{"file:///r/a.go":[{"range":` + at + `,"newText":"xRenamed"}]}}`, []string{"a.go:2:6-2:6 Renamed"}},
		{"signature help", `{"signatures":[{"label":"f(x  int)"}],"activeParameter":0}`, []string{"f(x int) #0"}},
		{"completion, first three", "[" + many[1:] + "]", []string{expected}},
		{"completion, first three", `{"items":[{"label":"Z"}` + many + "]}", []string{expected}},
		{"completion, first three", `[{"label":"X","sortText":"00"}` + many + "]", []string{"not " + expected}},
		{"tokens", `{"data":[0,1,2,1,0,1,3,4,0,0]}`, []string{"1:2+2 keyword", "2:4+4 type"}},
		{"errors", `{"items":[{"range":` + at + `,"severity":1,"message":"m"},{"severity":2}]}`, []string{"2:3 m"}},
		{"symbols", `[{"name":"T","kind":5,"selectionRange":` + at + `,"children":[{"name":"f"}]}]`, []string{"T kind 5 2:3-2:6", "T.f kind 0 1:1-1:1"}},
		{"workspace symbols", `[{"name":"p.name","kind":1,"location":{"uri":"file:///r/a.go"}},{"name":"names"}]`, []string{"kind 1 a.go:1:1-1:1"}},
		{"folding", `[{"startLine":1,"endLine":3}]`, []string{"2-4"}},
		{"highlight", `[{"range":` + at + `}]`, []string{"2:3-2:6"}},
		{"incoming calls", `[{"from":{"uri":"file:///r/a.go","selectionRange":` + at + `}}]`, []string{"a.go:2:3-2:6"}},
		{"subtypes", `[{"uri":"file:///r/a.go","selectionRange":` + at + `}]`, []string{"a.go:2:3-2:6"}},
		{"formatting", `[]`, []string{" ;\n\n\n    package p\n"}},
	} {
		i := slices.IndexFunc(kinds, func(k *kind) bool { return k.name == test.kind })
		q := &question{kind: kinds[i], file: f, place: place{name: "name"}}
		got, err := q.kind.read(r, q, []byte(test.answer))
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %s is read as %q, %v, want %q", test.kind, test.answer, got, err, test.want)
		}
	}
}

// TestCounts checks what counts as agreement, and that what is not announced is left out.
func TestCounts(t *testing.T) {
	r := &Report{counts: make(map[string]*count), unasked: make(map[string]string)}
	whole := func(name string) *question {
		i := slices.IndexFunc(kinds, func(k *kind) bool { return k.name == name })
		return &question{kind: kinds[i], file: &source{path: "/a.go"}}
	}
	ask := func(name string, mine, other answer) { r.add("small", whole(name), mine, other) }
	lines := func(l ...string) answer { return answer{lines: l} }
	ask("definition", lines("a"), lines("a"))
	ask("definition", lines("a"), lines("a", "b"))
	ask("definition", answer{refused: "no"}, answer{})
	ask("definition", answer{failed: "late"}, answer{failed: "late"})
	ask("symbols", lines("a", "b"), lines("b", "c"))
	ask("folding", answer{unasked: true}, lines("b", "c"))
	if c := r.counts["definition"]; c.points != 3 || c.agree != 2 || c.failed != [2]int{1, 1} {
		t.Errorf("definition: %+v", c)
	}
	r.add("small", &question{kind: whole("references").kind, file: &source{path: "/a.go"}, place: place{role: roleBuiltin}},
		lines("a"), answer{refused: "builtin"})
	if c := r.counts["references"]; c.points != 1 || c.agree != 0 || c.by[ours] != 1 {
		t.Errorf("references: %+v", c)
	}
	if c := r.counts["symbols"]; c.points != 3 || c.agree != 1 {
		t.Errorf("symbols: %+v", c)
	}
	var table, differences strings.Builder
	if err := r.WriteTable(&table); err != nil {
		t.Fatal(err)
	}
	r.WriteDifferences(&differences, false)
	for _, want := range []string{"| 66.7 %", "folding: not asked, as cytisus does not announce it."} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no %q in\n%s", want, table.String())
		}
	}
	if !strings.Contains(differences.String(), "only gopls' (1)\n\t\tb") {
		t.Errorf("differences:\n%s", differences.String())
	}
}

// TestExplanations checks what the reasons for a difference go by.
func TestExplanations(t *testing.T) {
	f := &source{path: "/a.go", text: "package p\n\nvar a = `one %d\ntwo %s`\nvar b, c = 1, 2\n"}
	explained := func(name string, d difference) side {
		i := slices.IndexFunc(kinds, func(k *kind) bool { return k.name == name })
		d.q = &question{kind: kinds[i], file: f, place: place{name: "name", role: roleMethod}}
		if d.explain(); d.reason == nil {
			return ""
		}
		return d.reason.side
	}
	whole, parts := "3:9+7 string", []string{"3:9+5 string", "3:14+2 string"}
	for _, test := range []struct {
		what, kind string
		d          difference
		want       side
	}{
		{"a part of a string", "tokens", difference{line: parts[1], mine: parts, other: []string{whole}}, ours},
		{"the whole of it", "tokens", difference{line: whole, mine: parts, other: []string{whole}}, ours},
		{"a string of nobody else", "tokens", difference{line: "4:1+3 string", mine: []string{"4:1+3 string"}, other: []string{whole}}, ""},
		{"an assignment", "tokens", difference{line: "5:10+1 operator", mine: []string{"5:10+1 operator"}, other: parts}, taste},
		{"another operator", "tokens", difference{line: "5:12+1 operator", mine: []string{"5:12+1 operator"}, other: parts}, ""},
		{"a directive", "highlight", difference{mine: []string{"3:14-3:16"}, other: []string{"3:15-3:17"}}, ours},
		{"a caller elsewhere", "incoming calls", difference{mine: []string{"/m/b.go:1:1-1:2", "a.go:1:1-1:2"}, other: []string{"a.go:1:1-1:2"}}, ours},
		{"a caller here", "incoming calls", difference{mine: []string{"b.go:1:1-1:2", "a.go:1:1-1:2"}, other: []string{"a.go:1:1-1:2"}}, ""},
		{"a name further down", "completion, first ten", difference{line: "x", mine: []string{"x"}, offered: [2][]string{{"x"}, {"y", "x(a int)"}}}, taste},
		{"a name that only we offer", "completion, first ten", difference{line: "x", mine: []string{"x"}, offered: [2][]string{{"x"}, {"y"}}}, ""},
		{"a package", "completion, first ten", difference{line: "x", mine: []string{"x"}, offered: [2][]string{{"x" + packageMark}, {"y"}}}, taste},
	} {
		if got := explained(test.kind, test.d); got != test.want {
			t.Errorf("%s: explained as %q, want %q", test.what, got, test.want)
		}
	}
}

// TestWrapped checks the lines of a document.
func TestWrapped(t *testing.T) {
	got := wrapped("- "+strings.Repeat("seven77 ", 14), "  ")
	want := "- " + strings.TrimSuffix(strings.Repeat("seven77 ", 12), " ") + "\n  seven77 seven77"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
