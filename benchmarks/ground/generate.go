package ground

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// The generated module: so many packages, files in each, and functions in each file.
const (
	smallPackages  = 12
	smallFiles     = 3
	smallFunctions = 8
)

// generate writes a module in which each package imports two of those before it.
func generate(env *compare.Env) (string, error) {
	root, err := env.TempDir("small")
	if err != nil {
		return "", err
	}
	files := map[string]string{"go.mod": "module example.org/small\n\ngo 1.26\n"}
	r := env.Rand(1)
	for p := range smallPackages {
		imports := []int{}
		for len(imports) < min(p, 2) {
			if at := r.IntN(p); len(imports) == 0 || imports[0] != at {
				imports = append(imports, at)
			}
		}
		for f := range smallFiles {
			files[fmt.Sprintf("part%d/file%d.go", p, f)] = smallFile(p, f, imports, r.IntN)
		}
		files[fmt.Sprintf("part%d/part_test.go", p)] = fmt.Sprintf(`package part%d

import "testing"

func TestStep(t *testing.T) {
	if got := Step%d(NewState0("a"), 1); got < 0 {
		t.Errorf("Step is %%d", got)
	}
}
`, p, f0(p, 0))
	}
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			return "", err
		}
	}
	return root, nil
}

// f0 is the number of the first function of a file.
func f0(pkg, file int) int { return pkg*1000 + file*100 }

// smallFile is the text of one file: a type with a method, and functions that call those of the
// imports.
func smallFile(pkg, file int, imports []int, intN func(int) int) string {
	var b strings.Builder
	fmt.Fprintf(
		&b,
		"// Package part%d is generated.\npackage part%d\n\nimport (\n\t\"fmt\"\n\t\"strings\"\n",
		pkg,
		pkg,
	)
	if len(imports) > 0 {
		b.WriteString("\n")
	}
	for _, i := range imports {
		fmt.Fprintf(&b, "\t\"example.org/small/part%d\"\n", i)
	}
	fmt.Fprintf(&b, `)

// State%[1]d is what the functions of this file work on.
type State%[1]d struct {
	Name  string
	Count int
}

// NewState%[1]d returns a state of a name.
func NewState%[1]d(name string) *State%[1]d { return &State%[1]d{Name: strings.ToUpper(name)} }

// String describes the state.
func (s *State%[1]d) String() string { return fmt.Sprintf("%%s %%d", s.Name, s.Count) }
`, file)
	for f := range smallFunctions {
		fmt.Fprintf(&b, `
// Step%[1]d adds up what other steps say.
func Step%[1]d(s *State%[2]d, n int) int {
	total := s.Count + n
	for i := range n {
		if strings.Contains(s.Name, fmt.Sprint(i)) {
			total += i
		}
	}
`, f0(pkg, file)+f, file)
		for _, i := range imports {
			other := intN(smallFiles)
			fmt.Fprintf(&b, "\ttotal += part%d.Step%d(part%d.NewState%d(s.Name), total)\n",
				i, f0(i, other)+intN(smallFunctions), i, other)
		}
		if f > 0 {
			fmt.Fprintf(&b, "\ttotal += Step%d(s, n)\n", f0(pkg, file)+intN(f))
		}
		b.WriteString("\treturn total\n}\n")
	}
	return b.String()
}
