package footprint

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
)

// inputs are what is counted: each fills an engine, and asks.
var inputs = []struct {
	name string
	ask  func(t *testing.T, e *runtime.Engine)
}{
	{"module", askModule},
	{"language", askLanguage},
	{"tiny", askTiny},
	{"tables", askTables},
}

// keysMost is how many keys a query is asked for at the most. From 1,024 runs on the engine may
// find that answers are quicker computed than loaded, by what it has measured, and not store them.
const keysMost = 1000

// commit puts n values, made of their numbers.
func commit[V any](t *testing.T, e *runtime.Engine, p *runtime.Partition[V], n int, make func(i int) (key string, v V)) {
	t.Helper()
	err := e.Commit(t.Context(), func(w *runtime.Writer) (err error) {
		for i := range n {
			key, v := make(i)
			err = errors.Join(err, p.Put(w, key, v))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inTask asks in one task, and so in one order.
func inTask(t *testing.T, e *runtime.Engine, ask func(task *runtime.Task) error) {
	t.Helper()
	if err := e.Submit(t.Context(), lane.RPC0, ask); err != nil {
		t.Fatal(err)
	}
}

// The module: packages that import those before them, with a mistake here and there.
const modulePackages = 24

func modulePackage(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "// Package p%02d is one of many.\npackage p%02d\n\n", i, i)
	from := max(0, i-3)
	for k := from; k < i; k++ {
		fmt.Fprintf(&b, "import \"example.com/fixed/p%02d\"\n", k)
	}
	fmt.Fprintf(&b, "\n// V%d holds values.\ntype V%d struct {\n\tA, B int\n\tNext *V%d\n}\n", i, i, i)
	fmt.Fprintf(&b, "\n// Sum adds up.\nfunc (v *V%d) Sum() (n int) {\n\tfor ; v != nil; v = v.Next {\n\t\tn += v.A + v.B\n\t}\n\treturn n\n}\n", i)
	for f := range 15 {
		fmt.Fprintf(&b, "\n// F%d adds.\nfunc F%d(x int) int {\n\tv := &V%d{A: x, B: %d}\n", f, f, i, f)
		for k := from; k < i; k++ {
			fmt.Fprintf(&b, "\tv.B += p%02d.F%d(v.A)\n", k, f)
		}
		b.WriteString("\treturn v.Sum()\n}\n")
	}
	if i%8 == 7 {
		b.WriteString("\nfunc wrong() string { return F0(1) }\n")
	}
	return b.String()
}

// rootBytes is how long the path of the module is: paths are parts of keys.
const rootBytes = 160

func askModule(t *testing.T, e *runtime.Engine) {
	t.Helper()
	ctx := context.Background() // the workspace closes after the test
	parent, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if len(parent) > rootBytes-2 {
		t.Fatalf("the directory for temporary files has a path of %d bytes: with TMPDIR it may have %d", len(parent), rootBytes-2)
	}
	root := filepath.Join(parent, strings.Repeat("m", rootBytes-len(parent)-1))
	write := func(name, text string) (path string) {
		path = filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("go.mod", "module example.com/fixed\n\ngo 1.24\n")
	var files []string
	for i := range modulePackages {
		files = append(files, write(fmt.Sprintf("p%02d/p.go", i), modulePackage(i)))
	}
	env := []string{"GOFLAGS=", "GOPROXY=off", "GOWORK=off", "GOTOOLCHAIN=local"}
	w, err := golang.Language{}.Open(ctx, e, root, lsp.WorkspaceOptions{Env: env})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := w.Index(ctx, nil); err != nil {
		t.Fatal(err)
	}
	inTask(t, e, func(task *runtime.Task) error {
		wrong := 0
		for i, path := range files {
			u := string(uri.File(path))
			at := strings.Index(modulePackage(i), "F1(x")
			diagnostics, err := w.Diagnostics(task, u)
			if err != nil {
				return err
			}
			wrong += len(diagnostics)
			symbols, err := w.Symbols(task, u)
			if err != nil || len(symbols) < 17 {
				return fmt.Errorf("%d symbols, %w", len(symbols), err)
			}
			defined, err := w.Definition(task, u, at)
			if err != nil || len(defined) != 1 {
				return fmt.Errorf("%d definitions, %w", len(defined), err)
			}
			used, err := w.References(task, u, at, true)
			if want := 1 + min(3, modulePackages-1-i); err != nil || len(used) != want {
				return fmt.Errorf("%d references, want %d, %w", len(used), want, err)
			}
			if _, err := w.Hover(task, u, at); err != nil {
				return err
			}
		}
		if want := modulePackages / 8; wrong != want {
			return fmt.Errorf("%d diagnostics, want %d", wrong, want)
		}
		found, err := w.FindSymbols(task, "Sum", 0)
		if err != nil || len(found) < modulePackages {
			return fmt.Errorf("%d symbols found, %w", len(found), err)
		}
		return nil
	})
}

// The language: definitions such as "total = price * count + 3", one at each key.
type expression struct {
	Op   string // "" for a leaf
	Name string // of a leaf, unless it is a number
	Num  int
	Args []expression
}

var (
	definitions = runtime.NewPartition[string]("footprint/definitions")

	parsed = runtime.NewQuery("footprint/parsed", 1, func(t *runtime.Task, name string) (expression, error) {
		text, err := definitions.Get(t, name)
		if err != nil {
			return expression{}, err
		}
		var sum expression
		for i, term := range strings.Split(text, " + ") {
			product := expression{Op: "*"}
			for factor := range strings.SplitSeq(term, " * ") {
				leaf := expression{Name: factor}
				if n, err := strconv.Atoi(factor); err == nil {
					leaf = expression{Num: n}
				}
				product.Args = append(product.Args, leaf)
			}
			if i == 0 {
				sum.Op = "+"
			}
			sum.Args = append(sum.Args, product)
		}
		return sum, nil
	})

	names = runtime.NewQuery("footprint/names", 1, func(t *runtime.Task, name string) (list []string, err error) {
		x, err := parsed.Get(t, name)
		for _, product := range x.Args {
			for _, leaf := range product.Args {
				if leaf.Name != "" {
					list = append(list, leaf.Name)
				}
			}
		}
		return list, err
	})

	value = func() (q *runtime.Query[string, int]) {
		q = runtime.NewQuery("footprint/value", 1, func(t *runtime.Task, name string) (sum int, err error) {
			x, err := parsed.Get(t, name)
			for _, product := range x.Args {
				n := 1
				for _, leaf := range product.Args {
					v := leaf.Num
					if leaf.Name != "" {
						if v, err = q.Get(t, leaf.Name); err != nil {
							return 0, err
						}
					}
					n = n * v % 1_000_003
				}
				sum += n
			}
			return sum, err
		})
		return q
	}()

	report = runtime.NewQuery("footprint/report", 1, func(t *runtime.Task, prefix string) (string, error) {
		var b strings.Builder
		keys, err := definitions.Keys(t, runtime.Prefix(prefix))
		for _, key := range keys {
			v, err := value.Get(t, key)
			if err != nil {
				return "", err
			}
			used, err := names.Get(t, key)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "%s = %d by %s\n", key, v, strings.Join(used, ", "))
		}
		return b.String(), err
	})
)

func askLanguage(t *testing.T, e *runtime.Engine) {
	t.Helper()
	const n = keysMost
	name := func(i int) string { return fmt.Sprintf("sheet%02d/name%04d", i%20, i) }
	commit(t, e, definitions, n, func(i int) (string, string) {
		if i < 20 {
			return name(i), strconv.Itoa(i + 1)
		}
		return name(i), fmt.Sprintf("%s * %d + %s * %s + %d", name(i/2), i%7, name(i/3), name(i/4), i)
	})
	inTask(t, e, func(task *runtime.Task) error {
		for i := range 20 {
			if text, err := report.Get(task, fmt.Sprintf("sheet%02d/", i)); err != nil || strings.Count(text, "\n") != n/20 {
				return fmt.Errorf("%.100q, %w", text, err)
			}
		}
		return nil
	})
}

// Tiny queries: ten that read one number each, and one above them.
var (
	numbers = runtime.NewPartition[int]("footprint/numbers")
	doubled = runtime.NewQuery("footprint/doubled", 1, func(t *runtime.Task, key string) (int, error) {
		n, err := numbers.Get(t, key)
		return 2 * n, err
	})
	tens = runtime.NewQuery("footprint/tens", 1, func(t *runtime.Task, key string) (sum int, err error) {
		for i := range 10 {
			n, err := doubled.Get(t, fmt.Sprint(key, i))
			if err != nil {
				return 0, err
			}
			sum += n
		}
		return sum, nil
	})
)

func askTiny(t *testing.T, e *runtime.Engine) {
	t.Helper()
	const n = keysMost
	commit(t, e, numbers, n, func(i int) (string, int) { return fmt.Sprintf("%03d", i), i })
	inTask(t, e, func(task *runtime.Task) error {
		sum := 0
		for i := range n / 10 {
			ten, err := tens.Get(task, fmt.Sprintf("%02d", i))
			if err != nil {
				return err
			}
			sum += ten
		}
		if sum != n*(n-1) {
			return fmt.Errorf("the sum is %d", sum)
		}
		return nil
	})
}

// Tables: libraries of functions, and what calls a few of each.
var (
	libraries = runtime.NewPartition[string]("footprint/libraries")
	functions = runtime.NewTable("footprint/functions", 1, func(t *runtime.Task, library string) (map[string]string, error) {
		text, err := libraries.Get(t, library)
		declared := map[string]string{}
		for line := range strings.Lines(text) {
			name, parameters, _ := strings.Cut(strings.TrimSpace(line), " ")
			declared[name] = parameters
		}
		return declared, err
	})
	callSite = runtime.NewQuery("footprint/call", 1, func(t *runtime.Task, key string) (string, error) {
		library, which, _ := strings.Cut(key, ".")
		n, err := strconv.Atoi(which)
		if err != nil {
			return "", err
		}
		calls := ""
		for k := range 3 {
			name := fmt.Sprintf("function%02d", (n+k)%40)
			parameters, there, err := functions.Get(t, library, name)
			if err != nil || !there {
				return "", fmt.Errorf("%s is there: %t, %w", name, there, err)
			}
			calls += name + "(" + parameters + ")"
		}
		return calls, nil
	})
)

func askTables(t *testing.T, e *runtime.Engine) {
	t.Helper()
	const n, sites = keysMost / 40, 40
	name := func(i int) string { return fmt.Sprintf("library%03d", i) }
	commit(t, e, libraries, n, func(i int) (string, string) {
		var b strings.Builder
		for f := range 40 {
			fmt.Fprintf(&b, "function%02d first%d, second%d\n", f, i, f)
		}
		return name(i), b.String()
	})
	inTask(t, e, func(task *runtime.Task) error {
		for i := range n * sites {
			if _, err := callSite.Get(task, fmt.Sprintf("%s.%02d", name(i%n), i/n)); err != nil {
				return err
			}
		}
		return nil
	})
}
