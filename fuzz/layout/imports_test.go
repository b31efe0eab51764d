package layout

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cytisus/cytisus/"

// allowed says which packages of the module each package may import, itself apart. "…" stands for
// everything below. Whoever adds a package adds it here; an import against the order is a mistake
// in the design, not in this table.
var allowed = []struct {
	pkg  string
	may  []string
	note string
}{
	{"affinity", nil, "knows the machine and nothing else"},
	{"epoch", []string{"affinity"}, ""},
	{"queue", []string{"affinity"}, ""},
	{"arena", []string{"affinity", "epoch"}, "addresses and bytes, no records"},
	{"mmapcas/vfs", []string{"arena"}, "opens files for mapping"},
	{"mmapcas/hash", []string{"affinity"}, "pure functions of bytes"},
	{"mmapcas/record", []string{"affinity", "arena", "mmapcas/hash"}, "bytes alone"},
	{"mmapcas/index", []string{"affinity", "epoch", "arena", "mmapcas/record"}, "names and addresses: no segment, no file"},
	{"mmapcas", []string{"epoch", "arena", "mmapcas/…"}, "records, no partitions"},
	{"runtime/lane", nil, ""},
	{"runtime/latency", []string{"runtime/lane"}, "durations, counted"},
	{"runtime/sched", []string{"affinity", "epoch", "queue", "runtime/lane", "runtime/latency"}, "runs functions, knows no data"},
	{"runtime/db", []string{"affinity", "arena", "mmapcas"}, "knows no tasks and no queries"},
	{"runtime/memo", []string{"mmapcas", "runtime/db", "runtime/sched"}, ""},
	{"runtime/memo/marks", nil, "a model, in tests only"},
	{"runtime/gc/tricolour", nil, "a model, in tests only"},
	{"runtime/gc", []string{"mmapcas", "runtime/db", "runtime/latency"}, ""},
	{"runtime/account", nil, "numbers and names of what others count"},
	{"runtime/internal/caller", nil, ""},
	{"runtime/internal/code", nil, "what a build says of itself"},
	{"runtime/internal/inside", []string{"mmapcas", "mmapcas/vfs", "runtime/account", "runtime/db", "runtime/gc", "runtime/sched"}, "the door of the face's neighbours"},
	{"runtime/simtest", []string{"mmapcas/vfs", "runtime", "runtime/lane", "runtime/sched", "runtime/internal/…"}, "for the tests of those who embed an engine"},
	{"runtime/inspect", []string{"mmapcas", "runtime", "runtime/account", "runtime/db", "runtime/gc", "runtime/sched", "runtime/internal/…"}, ""},
	{"runtime/profile", nil, "any process; what labels is told through an interface"},
	{"runtime/measure", []string{"runtime", "runtime/latency"}, "what monitoring systems are told"},
	{"runtime/keyed", []string{"runtime", "runtime/internal/…"}, "rests on the face alone"},
	{"runtime", []string{"affinity", "epoch", "arena", "mmapcas", "mmapcas/vfs", "runtime/…"}, "the face: no language, no protocol"},
	{"docs/guides/embed", []string{"runtime"}, "the program of docs/guides/embed.md"},
	{"lsp", []string{"runtime"}, "words only: no language, no wire"},
	{"lsp/position", nil, ""},
	{"lsp/document", []string{"lsp", "lsp/position"}, ""},
	{"lsp/files", []string{"lsp"}, "the one door to the files of a workspace"},
	{"lsp/watch", nil, "what changes on the disk"},
	{"lsp/partition", []string{"lsp", "runtime", "runtime/keyed"}, ""},
	{"lsp/dispatch", []string{"lsp", "runtime", "runtime/lane"}, ""},
	{"lsp/daemon", []string{"lsp", "lsp/position", "lsp/document", "lsp/dispatch"}, ""},
	{"lsp/server", []string{"lsp", "lsp/position", "lsp/document", "lsp/partition", "lsp/dispatch", "lsp/watch", "runtime", "runtime/account", "runtime/inspect", "runtime/lane", "runtime/latency", "runtime/profile", "mmapcas"}, "knows no language"},
	{"lsp/live", []string{"lsp/server", "runtime", "runtime/latency", "runtime/measure", "runtime/profile"}, "what a host does, in a browser"},
	{"lsp/tree", []string{"lsp", "lsp/files", "lsp/partition", "runtime"}, "the files of a root as inputs, for any language"},
	{"lsp/example/conf", []string{"lsp", "lsp/files", "lsp/tree", "runtime"}, "the worked example of docs/guides/language.md"},
	{"lsp/lsptest/editor", []string{"lsp/position", "lsp/dispatch"}, "for tests: the client's side of any connection"},
	{"lsp/lsptest", []string{"lsp", "lsp/position", "lsp/server", "lsp/lsptest/editor", "runtime"}, "for tests of any language"},
	{"lsp/golang/internal/edits", nil, "edits of texts, for the tests of the rooms"},
	{"lsp/golang/check/bodies", nil, "go/types alone: a package again after an edit"},
	{"lsp/golang/check/names", nil, "go/types alone: what importers can see of a package, name by name"},
	{"lsp/golang/check/methods", nil, "go/types and bytes: which types implement which interfaces"},
	{"lsp/golang/syntax", []string{"lsp", "lsp/files"}, "one text: no other file, no types, no engine"},
	{"lsp/golang/flow", []string{"lsp", "lsp/golang/syntax"}, "one text: what belongs together in it, no types"},
	{"lsp/golang/index", []string{"lsp"}, "bytes alone"},
	{"lsp/golang/metadata", []string{"lsp", "lsp/files", "lsp/golang/syntax"}, "packages and edges: no disk, no engine"},
	{"lsp/golang/load", []string{"lsp", "lsp/files"}, "the packages of a build, from files alone"},
	{"lsp/golang/check", []string{"lsp/golang/check/methods", "lsp", "lsp/golang/check/bodies", "lsp/golang/check/names", "lsp/golang/syntax", "lsp/golang/index", "lsp/golang/metadata"}, "types: no disk, no engine"},
	{"lsp/golang/describe", []string{"lsp", "lsp/golang/check", "lsp/golang/flow", "lsp/golang/metadata", "lsp/golang/syntax"}, "types: what a reader is told; no disk, no engine"},
	{"lsp/golang/gofmt", []string{"lsp", "lsp/files", "lsp/golang/syntax"}, "one text and its layout"},
	{"lsp/golang/links", []string{"lsp", "lsp/golang/syntax"}, "one text and what leads out of it"},
	{"lsp/golang/gomod", []string{"lsp", "lsp/files"}, "one module file: what it says, and edits of it"},
	{"lsp/golang/tokens", []string{"lsp", "lsp/golang/syntax", "lsp/golang/check"}, "what the names of a file are, for editors that colour them"},
	{"lsp/golang/relations", []string{"lsp", "lsp/golang/check", "lsp/golang/check/methods", "lsp/golang/syntax"}, "how types and functions of one package go together"},
	{"lsp/golang/refactor", []string{"lsp", "lsp/files", "lsp/golang/syntax", "lsp/golang/index", "lsp/golang/metadata", "lsp/golang/check"}, "changes of code, from the types of one package"},
	{"lsp/golang/lint", []string{"lsp", "lsp/golang/check", "lsp/golang/metadata", "lsp/golang/syntax"}, "what analyzers say of one package"},
	{"lsp/golang/complete", []string{"lsp", "lsp/golang/check", "lsp/golang/syntax", "lsp/golang/index"}, "what could stand at a place: types, no disk, no engine"},
	{"lsp/golang/hints", []string{"lsp", "lsp/golang/syntax", "lsp/golang/check"}, "what a file leaves out"},
	{"lsp/golang/lenses", []string{"lsp", "lsp/files", "lsp/golang/syntax"}, "one text and what can be run of it"},
	{"lsp/golang/disk", []string{"lsp", "lsp/files", "lsp/golang/syntax", "lsp/golang/metadata"}, "the machine and the go command: no types, no engine"},
	{"lsp/golang/internal/goroot", nil, "for tests"},
	{"lsp/golang/internal/testfiles", []string{"lsp", "lsp/files", "lsp/golang/syntax"}, "for tests"},
	{"lsp/golang/internal/fakego", nil, "for tests"},
	{"lsp/golang/internal/purebuild", []string{"lsp", "lsp/files", "lsp/golang/syntax", "lsp/golang/index", "lsp/golang/metadata", "lsp/golang/check", "lsp/golang/disk"}, "for tests"},
	{"lsp/golang", []string{
		"lsp",
		"lsp/files",
		"lsp/golang/check",
		"lsp/golang/check/methods",
		"lsp/golang/check/names",
		"lsp/golang/complete",
		"lsp/golang/describe",
		"lsp/golang/disk",
		"lsp/golang/flow",
		"lsp/golang/gofmt",
		"lsp/golang/gomod",
		"lsp/golang/hints",
		"lsp/golang/index",
		"lsp/golang/lenses",
		"lsp/golang/links",
		"lsp/golang/lint",
		"lsp/golang/load",
		"lsp/golang/metadata",
		"lsp/golang/refactor",
		"lsp/golang/relations",
		"lsp/golang/syntax",
		"lsp/golang/tokens",
		"lsp/partition",
		"runtime",
		"runtime/account",
		"runtime/keyed",
		"runtime/lane",
	}, "queries and workspaces; knows no protocol"},
	{"lsp/cmd/cytisus", []string{"…"}, ""},
	{"fuzz/…", []string{"…"}, "may import anything; tests alone import it"},
}

type listed struct {
	ImportPath string
	Imports    []string
	Doc        string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Doc", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return pkgs
		}
		if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func matches(pattern, pkg string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "…"); ok {
		return strings.HasPrefix(pkg, prefix)
	}
	return pattern == pkg
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		i := slices.IndexFunc(allowed, func(a struct {
			pkg  string
			may  []string
			note string
		},
		) bool {
			return matches(a.pkg, name)
		})
		if i < 0 {
			t.Errorf("%s is not in the table of this test: decide where it belongs", name)
			continue
		}
		for _, imp := range p.Imports {
			imp, ours := strings.CutPrefix(imp, module)
			if ours && !slices.ContainsFunc(allowed[i].may, func(m string) bool { return matches(m, imp) }) {
				t.Errorf("%s imports %s, which is against the order (it may import %q)", name, imp, allowed[i].may)
			}
		}
	}
}

func TestPackagesSayWhatTheyAre(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// kept says which packages outside of the module one package keeps to itself: those that it is
// there to know. "…" stands for everything below.
var kept = []struct {
	imports []string
	by      []string // packages of this module
}{
	{[]string{"go/types", "golang.org/x/tools/go/…"}, []string{
		"lsp/golang/check",
		"lsp/golang/check/bodies",
		"lsp/golang/check/methods",
		"lsp/golang/check/names",
		"lsp/golang/complete",
		"lsp/golang/hints",
		"lsp/golang/describe",
		"lsp/golang/internal/purebuild",
		"lsp/golang/lint",
		"lsp/golang/refactor",
		"lsp/golang/relations",
		"lsp/golang/tokens",
	}},
	{[]string{"os/exec"}, []string{"lsp/golang/disk", "lsp/golang/internal/fakego", "lsp/golang/internal/goroot"}},
}

// Of the Go front end, one package knows types and one starts processes.
func TestWhatOnePackageKeeps(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if !strings.HasPrefix(name, "lsp/golang") {
			continue
		}
		for _, k := range kept {
			if slices.Contains(k.by, name) {
				continue
			}
			for _, imp := range p.Imports {
				if slices.ContainsFunc(k.imports, func(pattern string) bool { return matches(pattern, imp) }) {
					t.Errorf("%s imports %s, which %q alone may", name, imp, k.by)
				}
			}
		}
	}
}
