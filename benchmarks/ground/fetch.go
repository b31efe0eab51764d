package ground

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cytisus/cytisus/benchmarks/compare"
)

// largeModule is what is measured as a large module.
const largeModule = "github.com/prometheus/prometheus@v0.312.0"

// fetch copies the large module out of the module cache.
func fetch(ctx context.Context, env *compare.Env) (string, error) {
	out, err := goCommand(ctx, env.Dir, "mod", "download", "-json", largeModule)
	if err != nil {
		return "", fmt.Errorf("%w: %w", compare.ErrAbsent, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal([]byte(out), &module); err != nil {
		return "", fmt.Errorf("what go mod download says: %w", err)
	}
	root, err := env.TempDir("large")
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(root, os.DirFS(module.Dir)); err != nil {
		return "", err
	}
	if err := os.Remove(filepath.Join(root, "go.work")); err != nil &&
		!errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	// Its imports are fetched when it is listed; without a network they are not to be had.
	if _, err := goCommand(ctx, root, "list", "-deps", "-test", "./..."); err != nil {
		return "", fmt.Errorf("%w: %w", compare.ErrAbsent, err)
	}
	return root, nil
}
