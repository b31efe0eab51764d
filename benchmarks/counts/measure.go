package counts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/cytisus/cytisus/benchmarks/revisions"
)

// Measure counts a benchmark of a tree whose package is built. Instructions are Unknown where the
// machine does not count them.
func Measure(ctx context.Context, tree *revisions.Tree, b Benchmark) (Counts, error) {
	c := Counts{Unknown, Unknown, Unknown}
	twice, err := start(ctx, tree, b, 2*b.Times)
	if err != nil {
		return c, err
	}
	for i, unit := range Units[:2] {
		values := twice.samples[revisions.Row{Package: b.Package, Name: b.Name, Unit: unit}]
		if len(values) != 1 {
			return c, fmt.Errorf("counts: no benchmark of %s is named %s: %s", b.Package, b.Name, twice.printed)
		}
		c[i] = int64(values[0])
	}
	if twice.instructions == Unknown {
		return c, nil
	}
	once, err := start(ctx, tree, b, b.Times)
	if err != nil {
		return c, err
	}
	c[2] = max(0, twice.instructions-once.instructions) / int64(b.Times)
	return c, nil
}

type ran struct {
	samples      revisions.Samples
	instructions int64
	printed      string
}

func start(ctx context.Context, tree *revisions.Tree, b Benchmark, times int) (ran, error) {
	cmd := exec.CommandContext(ctx, tree.Program(b.Package), "-test.run=^$", "-test.bench="+exactly(b.Name),
		"-test.benchmem", "-test.count=1", "-test.cpu=1", fmt.Sprintf("-test.benchtime=%dx", times))
	cmd.Dir = filepath.Join(tree.Dir, filepath.FromSlash(b.Package))
	cmd.Env = append(os.Environ(), "GOGC=off", "GOMEMLIMIT=off")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	instructions, err := counting(instructionsOfUser, cmd.Run)
	r := ran{revisions.Samples{}, instructions, strings.TrimSpace(out.String())}
	if err != nil {
		return r, errors.Join(fmt.Errorf("counts: %s: %w", b.Key(), err), errors.New(r.printed))
	}
	return r, r.samples.Read(b.Package, &out)
}

// exactly is the pattern of go test that matches one name.
func exactly(name string) string {
	parts := strings.Split("Benchmark"+name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}
