package ground

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// A Ground is a workspace with what it imports.
type Ground struct {
	Name     string
	Root     string     // directory of the workspace
	Packages []*Package // of the workspace with its tests, and all that they import; imports first

	// Files are the workspace's files that are part of this build, without tests and cgo.
	Files []string

	// SourceBytes counts the Go files of all packages, each once.
	SourceBytes int64
}

// Sizes are the names of the grounds by size, small ones first.
func Sizes() []string { return []string{"small", "std", "large"} }

// Kinds are the names of the grounds with real code, by the kind of it.
func Kinds() []string {
	return []string{
		"std", "large", "generic", "cgo", "generated",
		"logging", "commands", "web", "consensus", "rpc",
	}
}

// Env is the environment in which a ground is listed and served: outside of any go.work, and never
// with another toolchain than the one in use.
func Env() []string { return append(os.Environ(), "GOWORK=off", "GOTOOLCHAIN=local") }

// Load makes or fetches a ground.
func Load(ctx context.Context, env *compare.Env, name string) (*Ground, error) {
	var (
		root string
		err  error
	)
	switch name {
	case "small":
		root, err = generate(env)
	case "std":
		root, err = goCommand(ctx, "", "env", "GOROOT")
		root = filepath.Join(strings.TrimSpace(root), "src")
	default:
		root, err = fetch(ctx, env, name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// The go command and servers name files by their real paths.
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	g := &Ground{Name: name, Root: root}
	if g.Packages, _, err = List(ctx, root); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := g.count(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	env.Logf("%s: %d packages with tests and imports, %.1f MB of Go, %d files to ask about, in %s",
		name, len(g.Packages), float64(g.SourceBytes)/1e6, len(g.Files), root)
	return g, nil
}

// count looks at the files of all packages.
func (g *Ground) count() error {
	counted := make(map[string]bool)
	for _, p := range g.Packages {
		for _, file := range p.Sources() {
			if counted[file] {
				continue
			}
			counted[file] = true
			info, err := os.Stat(file)
			if err != nil {
				return err
			}
			g.SourceBytes += info.Size()
		}
		if p.DepOnly || p.ForTest != "" || p.generated() || len(p.CgoFiles) > 0 {
			continue
		}
		for _, name := range p.GoFiles {
			g.Files = append(g.Files, filepath.Join(p.Dir, name))
		}
	}
	if len(g.Packages) == 0 {
		return fmt.Errorf("%s has no packages", g.Root)
	}
	return nil
}

// ByImportPath are the packages by the paths that files of the workspace import them with, without
// their variants for tests.
func (g *Ground) ByImportPath() map[string]*Package {
	by := make(map[string]*Package)
	for _, p := range g.Packages {
		if p.ForTest == "" && !p.generated() {
			by[p.ImportPath] = p
		}
	}
	return by
}
