package ground

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A Package is what the go command says of one.
type Package struct {
	Dir        string
	ImportPath string // with " [p.test]" behind it in the variant for the tests of p
	Name       string
	ForTest    string // of which package this is a variant for its tests
	DepOnly    bool   // only imported, not of the workspace
	GoFiles    []string
	CgoFiles   []string
	ImportMap  map[string]string // paths as written, where they differ from those of packages
	Error      *struct{ Err string }
}

// generated reports whether a package is the main package of a test binary.
func (p *Package) generated() bool {
	return p.Name == "main" && strings.HasSuffix(p.ImportPath, ".test")
}

// Sources are the paths of the files, none for what the go command generates.
func (p *Package) Sources() (files []string) {
	if p.generated() {
		return nil
	}
	for _, list := range [][]string{p.GoFiles, p.CgoFiles} {
		for _, name := range list {
			files = append(files, filepath.Join(p.Dir, name))
		}
	}
	return files
}

// fields are those that go list is asked for.
const fields = "Dir,ImportPath,Name,ForTest,DepOnly,GoFiles,CgoFiles,ImportMap,Error"

// List lists the packages below a directory with their tests and all that they import.
// It returns the processor time that the go command took, too.
func List(ctx context.Context, dir string) (list []*Package, cpu time.Duration, err error) {
	out, cpu, err := timedCommand(
		ctx,
		dir,
		"list",
		"-e",
		"-deps",
		"-test",
		"-json="+fields,
		"./...",
	)
	if err != nil {
		return nil, 0, err
	}
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		p := new(Package)
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return list, cpu, nil
		} else if err != nil {
			return nil, 0, fmt.Errorf("what go list says of %s: %w", dir, err)
		}
		if p.Error != nil && !p.DepOnly {
			return nil, 0, fmt.Errorf("go list: %s: %s", p.ImportPath, p.Error.Err)
		}
		list = append(list, p)
	}
}

// goCommand runs the go command and returns what it prints.
func goCommand(ctx context.Context, dir string, args ...string) (string, error) {
	out, _, err := timedCommand(ctx, dir, args...)
	return out, err
}

// timedCommand is goCommand with the processor time that it took.
func timedCommand(ctx context.Context, dir string, args ...string) (string, time.Duration, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stderr = dir, Env(), &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", 0, fmt.Errorf(
			"go %s: %w: %s",
			strings.Join(args, " "),
			err,
			bytes.TrimSpace(stderr.Bytes()),
		)
	}
	return string(out), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}
