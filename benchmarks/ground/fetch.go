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

// modules are the grounds that are fetched.
var modules = map[string]string{
	"large":     "github.com/prometheus/prometheus@v0.312.0",
	"generic":   "github.com/samber/lo@v1.52.0",
	"cgo":       "github.com/mattn/go-sqlite3@v1.14.32",
	"generated": "google.golang.org/protobuf@v1.36.10",
	"logging":   "go.uber.org/zap@v1.28.0",
	"commands":  "github.com/spf13/cobra@v1.10.2",
	"web":       "github.com/gin-gonic/gin@v1.12.0",
	"consensus": "github.com/hashicorp/raft@v1.8.0",
	"rpc":       "google.golang.org/grpc@v1.85.0",
}

// fetch copies a module out of the module cache.
func fetch(ctx context.Context, env *compare.Env, name string) (string, error) {
	pinned, ok := modules[name]
	if !ok {
		return "", errors.New("there is no such ground")
	}
	out, err := goCommand(ctx, env.Dir, "mod", "download", "-json", pinned)
	if err != nil {
		return "", fmt.Errorf("%w: %w", compare.ErrAbsent, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal([]byte(out), &module); err != nil {
		return "", fmt.Errorf("what go mod download says: %w", err)
	}
	root, err := env.TempDir(name)
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
