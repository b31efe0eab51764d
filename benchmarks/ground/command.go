package ground

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// Command builds the cytisus command of this tree and returns its path.
func Command(ctx context.Context, env *compare.Env) (string, error) {
	tree, err := goCommand(ctx, "", "list", "-m", "-f", "{{.Dir}}", "github.com/cytisus/cytisus")
	if err != nil {
		return "", fmt.Errorf("finding the tree: %w", err)
	}
	path := filepath.Join(env.Dir, "cytisus")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	_, err = goCommand(ctx, strings.TrimSpace(tree), "build", "-o", path, "./lsp/cmd/cytisus")
	return path, err
}
