package code

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// versions builds the program of testdata with some files replaced, and returns what it prints.
func versions(t *testing.T, replaced map[string]string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	overlay := map[string]string{}
	for name, text := range replaced {
		at, err := filepath.Abs(filepath.Join("testdata", "prog", name))
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		overlay[at] = file
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	listed := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(listed, list, 0o644); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "prog.exe")
	build := exec.Command("go", "build", "-overlay", listed, "-o", bin, "./testdata/prog")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	out, err := exec.Command(bin).Output()
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]string{}
	words := strings.Fields(string(out))
	for i := 0; i+1 < len(words); i += 2 {
		of[words[i]] = words[i+1]
	}
	if len(of) != 3 {
		t.Fatalf("the program says %q", out)
	}
	return of
}

func replace(t *testing.T, name, old, with string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "prog", name))
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, with, 1)
	if changed == string(text) {
		t.Fatalf("%s has no %q", name, old)
	}
	return map[string]string{name: changed}
}

// A new binary has other versions for what its changes may concern: a package, those that rest on
// it, and those that rest on one which does not give its sources. All others have the same.
func TestVersionsOfTwoBinaries(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go command")
	}
	first := versions(t, nil)
	if again := versions(t, nil); !maps.Equal(first, again) {
		t.Errorf("built twice from the same sources: %v, then %v", first, again)
	}
	for _, c := range []struct {
		what, file, old, with string
		changes               string
	}{
		{"what another package rests on", "helper/helper.go", "return 21", "return 22", "near overbare"},
		{"the package itself", "far/far.go", "embed.FS\n", "embed.FS\n\nconst added = 1\n", "far overbare"},
		{"what gives no sources", "bare/bare.go", "return 1", "return 2", "overbare"},
		{"the command", "main.go", "fmt.Println(", "fmt.Print(\"\"); fmt.Println(", "overbare"},
	} {
		now := versions(t, replace(t, c.file, c.old, c.with))
		var changed []string
		for _, name := range []string{"near", "far", "overbare"} {
			if now[name] != first[name] {
				changed = append(changed, name)
			}
		}
		if got := strings.Join(changed, " "); got != c.changes {
			t.Errorf("%s changed: other versions of %q, want of %q", c.what, got, c.changes)
		}
	}
}

// What the sources of a package do not show of it is known to be missing.
func TestPartialSources(t *testing.T) {
	for what, files := range map[string]map[string]string{
		"":                                {"a.go": "package p\n\nfunc f() {}\n", "a_test.go": "no Go"},
		"it has parts in C":               {"a.go": "package p\n\nimport \"C\"\n"},
		"no Go file among its sources":    {"a.txt": "text"},
		"functions without a body":        {"a.go": "package p\n\nfunc f()\n"},
		"what it embeds is not all":       {"a.go": "package p\n\nimport _ \"embed\"\n\n//go:embed a.txt\nvar s string\n"},
		"code that it does not import":    {"a.go": "package p\n\nimport _ \"unsafe\"\n\n//go:linkname f g.f\nfunc f() {}\n"},
		"expected 'package', found 'EOF'": {"a.go": ""},
	} {
		fsys := fstest.MapFS{}
		for name, text := range files {
			fsys[name] = &fstest.MapFile{Data: []byte(text)}
		}
		if s := read(fsys); !strings.Contains(s.partial, what) || what == "" && s.partial != "" {
			t.Errorf("%q, want %q", s.partial, what)
		}
	}
	whole := read(fstest.MapFS{"a.go": {Data: []byte("package p\n\nfunc f()\n")}, "a.s": {Data: []byte("TEXT")}})
	if whole.partial != "" {
		t.Errorf("with assembly: %s", whole.partial)
	}
}
