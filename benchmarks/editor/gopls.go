package editor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/ground"
)

// GoplsVersion is that of the pinned gopls, the newest that Go 1.26 builds.
const GoplsVersion = "v0.23.0"

// BuildGopls returns the path of a gopls of the pinned version, and builds it unless it has been
// built before. It does not build if only looks.
func BuildGopls(ctx context.Context, looks bool) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w: gopls: %w", compare.ErrAbsent, err)
	}
	dir := filepath.Join(cache, "cytisus-benchmarks", "gopls-"+GoplsVersion+"-"+runtime.Version())
	path := filepath.Join(dir, "gopls")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if _, err := os.Stat(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	if looks {
		return "", fmt.Errorf(
			"%w: gopls has not been built yet (a run without -quick does)",
			compare.ErrAbsent,
		)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	// The go command writes to another directory first: what has the name is whole.
	building, err := os.MkdirTemp(dir, "building-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(building)
	cmd := exec.CommandContext(ctx, "go", "install", "golang.org/x/tools/gopls@"+GoplsVersion)
	cmd.Dir = building
	cmd.Env = append(ground.Env(), "GOBIN="+building, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf(
			"%w: building gopls: %w: %s",
			compare.ErrAbsent,
			err,
			bytes.TrimSpace(out),
		)
	}
	return path, os.Rename(filepath.Join(building, filepath.Base(path)), path)
}
