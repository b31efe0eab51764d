package revisions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Tree is one revision, checked out, with programs of its tests.
type Tree struct {
	Name     string // as it was asked for
	Dir      string
	programs map[string]string // by the package's directory below Dir
	bin      string
}

// Checkout makes a tree of a revision in a directory of its own below temp. The revision "" is the
// work tree as it is, which is built where it lies.
func Checkout(ctx context.Context, repository, revision, temp string) (*Tree, error) {
	t := &Tree{Name: revision, Dir: repository, programs: map[string]string{}}
	name := strings.NewReplacer("/", "_", `\`, "_", ":", "_").Replace(revision)
	if revision == "" {
		t.Name, name = "work tree", "worktree"
	} else {
		t.Dir = filepath.Join(temp, "tree-"+name)
		if _, err := run(ctx, repository, "git", "worktree", "add", "--detach", "--quiet", t.Dir, revision); err != nil {
			return nil, err
		}
	}
	t.bin = filepath.Join(temp, "bin-"+name)
	return t, os.MkdirAll(t.bin, 0o755)
}

// Remove takes a checked out tree away.
func (t *Tree) Remove(ctx context.Context, repository string) error {
	if t.Dir == repository {
		return nil
	}
	_, err := run(ctx, repository, "git", "worktree", "remove", "--force", t.Dir)
	return err
}

// Packages lists the directories, below the tree, of the packages that patterns name and that have
// benchmarks.
func (t *Tree) Packages(ctx context.Context, patterns []string) ([]string, error) {
	const format = `{{.Dir}}{{"\t"}}{{range .TestGoFiles}}{{.}} {{end}}{{range .XTestGoFiles}}{{.}} {{end}}`
	out, err := run(ctx, t.Dir, "go", append([]string{"list", "-f", format}, patterns...)...)
	if err != nil {
		return nil, err
	}
	root, err := filepath.EvalSymlinks(t.Dir)
	if err != nil {
		return nil, err
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		dir, files, _ := strings.Cut(strings.TrimSpace(line), "\t")
		has := false
		for _, f := range strings.Fields(files) {
			source, err := os.ReadFile(filepath.Join(dir, f))
			if err != nil {
				return nil, err
			}
			has = has || bytes.Contains(source, []byte("\nfunc Benchmark"))
		}
		if has {
			below, err := filepath.Rel(root, dir)
			if err != nil {
				return nil, err
			}
			found = append(found, filepath.ToSlash(below))
		}
	}
	return found, nil
}

// Build makes the program of a package's tests.
func (t *Tree) Build(ctx context.Context, pkg string) error {
	program := filepath.Join(t.bin, strings.ReplaceAll(pkg, "/", "_")+".test")
	if _, err := run(ctx, t.Dir, "go", "test", "-c", "-o", program, "./"+pkg); err != nil {
		return err
	}
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("revisions: %s of %s has no tests", pkg, t.Name)
	}
	t.programs[pkg] = program
	return nil
}

// Program is the program of a package's tests, which Build has made.
func (t *Tree) Program(pkg string) string { return t.programs[pkg] }

// Run runs the benchmarks of a package once and adds what they come to.
func (t *Tree) Run(ctx context.Context, pkg, benchmarks, benchtime string, into Samples) error {
	out, err := run(ctx, filepath.Join(t.Dir, filepath.FromSlash(pkg)), t.programs[pkg],
		"-test.run=^$", "-test.bench="+benchmarks, "-test.benchmem", "-test.count=1", "-test.benchtime="+benchtime)
	if err != nil {
		return err
	}
	return into.Read(pkg, bytes.NewReader(out))
}

// run returns what a program prints; an error has the end of what it printed as well.
func run(ctx context.Context, dir, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err == nil {
		return out, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	said := strings.TrimSpace(errs.String() + "\n" + string(out))
	if len(said) > 2000 {
		said = "…" + said[len(said)-2000:]
	}
	return nil, errors.Join(fmt.Errorf("revisions: %s %s: %w", filepath.Base(name), strings.Join(args[:min(3, len(args))], " "), err), errors.New(said))
}
