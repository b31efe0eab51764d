package lenses

import (
	"fmt"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	all := map[string]bool{Generate: true, Test: true, Tidy: true, Upgrade: true, Vendor: true}
	const tests = `package a

import t2 "testing"

//go:generate echo hi
//go:generate echo again

func TestMain(m *t2.M) {}
func TestA(t *t2.T)    {}
func Testable(t *t2.T) {}
func (x) TestB(*t2.T)  {}
func TestC(t, u *t2.T) {}
func TestD(t *testing.T) {}
func FuzzE(f *t2.F)    {}
func BenchmarkF(b *t2.B) {}
func Benchmark(b *t2.B) {}
`
	const module = "module m\n\nrequire a.com/a v1.0.0\n\nrequire (\n\tb.com/b v1.0.0 // indirect\n)\n"
	for _, c := range []struct{ name, uri, text, want string }{
		{
			"tests", "file:///m/a_test.go", tests,
			"1 run file benchmarks go.test [Benchmark BenchmarkF]\n5 run go generate go.generate\n5 run go generate ./... go.generate\n" +
				"9 run test go.test [TestA]\n14 run test go.test [FuzzE]\n15 run benchmark go.test [BenchmarkF]\n16 run benchmark go.test [Benchmark]\n",
		},
		{"no tests", "file:///m/a.go", "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {}\n//go:generated\n", ""},
		{"half typed", "file:///m/a_test.go", "package a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {\n", "5 run test go.test [TestA]\n"},
		{
			"a module", "file:///m/go.mod", module,
			"1 Create vendor directory go.vendor\n1 Run go mod tidy go.tidy\n3 Upgrade direct dependencies go.upgrade [a.com/a]\n3 Upgrade transitive dependencies go.upgrade\n",
		},
		{"a module without dependencies", "file:///m/go.mod", "module m\n", "1 Run go mod tidy go.tidy\n"},
		{"no module", "file:///m/go.mod", "modul m\n", ""},
	} {
		var got strings.Builder
		for _, l := range Of(c.uri, []byte(c.text), all) {
			line := 1 + strings.Count(c.text[:l.Span.Start], "\n")
			fmt.Fprintf(&got, "%d %s %s", line, l.Title, l.Command)
			for _, list := range []string{"tests", "benchmarks", "modules"} {
				if _, names, ok := strings.Cut(string(l.Arguments[0]), `"`+list+`":[`); ok {
					names, _, _ = strings.Cut(names, "]")
					words := strings.Split(strings.ReplaceAll(names, `"`, ""), ",")
					if len(words) > 1 && words[0] > words[1] {
						words[0], words[1] = words[1], words[0]
					}
					fmt.Fprintf(&got, " %v", words)
				}
			}
			got.WriteString("\n")
		}
		if got.String() != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.name, &got, c.want)
		}
		if list := Of(c.uri, []byte(c.text), nil); len(list) > 0 {
			t.Errorf("%s: %v though nobody wants any", c.name, list)
		}
	}
}
