package disk

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestModuleCache(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{
		"mod/cache/download/example.com/!big/a/@v/v1.2.0.mod",
		"mod/cache/download/example.com/!big/a/@v/v1.10.0.mod",
		"mod/cache/download/example.com/!big/a/@v/v1.10.0.info",
		"mod/cache/download/example.com/!big/a/@v/list",
		"mod/cache/download/example.com/!big/@v/v1.0.0.mod",
		"mod/cache/download/example.org/x/@v/v1.0.0.mod",
		"work/a/go.mod", "work/a/deep/go.mod", "work/b/go.mod", "work/_c/go.mod", "work/testdata/go.mod",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := &Environment{GoModCache: filepath.Join(dir, "mod")}
	check := func(what string, got []string, want ...string) {
		t.Helper()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	if got := env.CachedVersions("example.com/Big/a"); !slices.Equal(got, []string{"v1.10.0", "v1.2.0"}) {
		t.Errorf("versions are %q", got)
	}
	check("no module", env.CachedVersions("../../.."))
	check("all", env.CachedModules("", 10), "example.com/Big", "example.com/Big/a", "example.org/x")
	check("some", env.CachedModules("example.com/Big/", 10), "example.com/Big/a")
	check("one", env.CachedModules("example.o", 10), "example.org/x")
	check("at most", env.CachedModules("example.", 1)[:1], env.CachedModules("example.", 1)...)
	work := filepath.Join(dir, "work")
	check("below", ModulesBelow(work, "", 10), "./a", "./a/deep", "./b")
	check("below a beginning", ModulesBelow(work, "./a", 10), "./a", "./a/deep")
	check("beside", ModulesBelow(filepath.Join(work, "b"), "../a", 10), "../a", "../a/deep")
	in := filepath.Join(dir, "mod", "example.com", "!big", "a@v1.2.0")
	if got, ok := env.ModuleDir(filepath.Join(in, "sub", "x.go")); !ok || got != in {
		t.Errorf("the module lies in %q, %t", got, ok)
	}
	if got, ok := env.ModuleDir(filepath.Join(work, "x.go")); ok {
		t.Errorf("%s is in no module of the cache, but %s", work, got)
	}
}
