package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGuideCI: each command of docs/guides/ci.md does what the page says in a module where it finds
// nothing.
func TestGuideCI(t *testing.T) {
	needGit(t)
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no sh")
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "guides", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "cytisus")); err != nil {
		t.Skipf("no symbolic links: %v", err)
	}
	dir := write(t, example)
	gitIn(t, dir, "init", "-q", "-b", "main")
	gitIn(t, dir, "add", ".")
	gitIn(t, dir, "commit", "-q", "-m", "one")
	gitIn(t, dir, "update-ref", "refs/remotes/origin/main", "HEAD")
	home := t.TempDir()
	env := append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), commandEnv+"=1", "HOME="+home,
		"XDG_CACHE_HOME="+filepath.Join(home, "cache"), "GITHUB_WORKSPACE="+dir, "GITHUB_BASE_REF=main")
	for _, name := range []string{"GOPATH", "GOCACHE", "GOMODCACHE", "GOENV"} { // which are below the home otherwise
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, name+"="+strings.TrimSpace(string(value)))
	}
	found, in := 0, ""
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if fence, ok := strings.CutPrefix(line, "```"); ok {
			in = fence
			continue
		}
		if in == "yaml" {
			line = strings.TrimPrefix(line, "- run: ")
		}
		if in == "" || !strings.HasPrefix(line, "cytisus ") {
			if in == "sh" {
				t.Errorf("%q is not run", line)
			}
			continue
		}
		found++
		cmd := exec.CommandContext(t.Context(), shell, "-c", line)
		cmd.Dir, cmd.Env = dir, env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	if found < 10 {
		t.Errorf("%d commands found, there are more", found)
	}
	if _, err := os.Stat(filepath.Join(dir, "cytisus.sarif")); err != nil {
		t.Error(err)
	}
}
