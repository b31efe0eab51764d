package floor

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/cytisus/cytisus/benchmarks/ground"
)

// parseAll parses every file of a ground once.
func parseAll(ctx context.Context, g *ground.Ground) error {
	seen := make(map[string]bool)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	fset := token.NewFileSet()
	for _, p := range g.Packages {
		for _, path := range p.Sources() {
			if seen[path] {
				continue
			}
			seen[path] = true
			group.Go(func() error {
				_, err := parse(ctx, fset, path)
				return err
			})
		}
	}
	return group.Wait()
}

func parse(ctx context.Context, fset *token.FileSet, path string) (*ast.File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parser.ParseFile(fset, path, text, parser.SkipObjectResolution|parser.ParseComments)
}

// A checking is a package that is checked once all it imports are.
type checking struct {
	done  chan struct{} // closed when types and err are there
	types *types.Package
	err   error
}

// checkAll parses and checks every package of a ground.
func checkAll(ctx context.Context, g *ground.Ground) error {
	all := make(map[string]*checking)
	for _, p := range g.Packages {
		all[p.ImportPath] = &checking{done: make(chan struct{})}
	}
	fset := token.NewFileSet()
	// Imports come first in the list, so of those that have a turn one never waits.
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	group, ctx := errgroup.WithContext(ctx)
	for _, p := range g.Packages {
		if len(p.Sources()) == 0 {
			close(all[p.ImportPath].done)
			continue
		}
		turns <- struct{}{}
		group.Go(func() error {
			defer func() { <-turns }()
			c := all[p.ImportPath]
			defer close(c.done)
			c.types, c.err = check(ctx, fset, p, all)
			return c.err
		})
	}
	return group.Wait()
}

func check(
	ctx context.Context,
	fset *token.FileSet,
	p *ground.Package,
	all map[string]*checking,
) (*types.Package, error) {
	var files []*ast.File
	for _, path := range p.Sources() {
		f, err := parse(ctx, fset, path)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	config := types.Config{
		FakeImportC: true,
		Sizes:       types.SizesFor("gc", runtime.GOARCH),
		Importer: importer(func(path string) (*types.Package, error) {
			if path == "unsafe" {
				return types.Unsafe, nil
			}
			if mapped := p.ImportMap[path]; mapped != "" {
				path = mapped
			}
			c := all[path]
			if c == nil {
				return nil, fmt.Errorf("%s is not listed", path)
			}
			<-c.done
			return c.types, c.err
		}),
	}
	return config.Check(p.ImportPath, fset, files, new(types.Info))
}

type importer func(path string) (*types.Package, error)

func (i importer) Import(path string) (*types.Package, error) { return i(path) }
