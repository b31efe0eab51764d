package golang

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/lenses"
	"github.com/cytisus/cytisus/runtime"
)

// Lenses implements lsp.Lenser.
func (w *workspace) Lenses(uri string, text []byte) []lsp.Lens {
	kinds := maps.Clone(lenses.Default)
	maps.Copy(kinds, w.set().Lenses)
	return lenses.Of(uri, text, kinds)
}

// goArguments is what the go command is given for a command of a lens.
func goArguments(command string, a lenses.Arguments) []string {
	alternatives := func(names []string) string {
		quoted := make([]string, len(names))
		for i, n := range names {
			quoted[i] = regexp.QuoteMeta(n)
		}
		return "^(" + strings.Join(quoted, "|") + ")$"
	}
	switch command {
	case lenses.RunGenerate:
		if a.Recursive {
			return []string{"generate", "-x", "./..."}
		}
		return []string{"generate", "-x"}
	case lenses.RunTest:
		args := []string{"test", "-v", "-count=1", "-run", "^$"}
		if len(a.Tests) > 0 {
			args[len(args)-1] = alternatives(a.Tests)
		}
		if len(a.Benchmarks) > 0 {
			args = append(args, "-bench", alternatives(a.Benchmarks))
		}
		return args
	case lenses.RunTidy:
		return []string{"mod", "tidy"}
	case lenses.RunVendor:
		return []string{"mod", "vendor"}
	case lenses.RunUpgrade:
		if len(a.Modules) == 0 {
			return []string{"get", "-u", "-t", "./..."}
		}
		args := []string{"get"}
		for _, m := range a.Modules {
			args = append(args, m+"@upgrade")
		}
		return args
	}
	return nil
}

// outputBytes bounds what is told of what the go command printed: its end.
const outputBytes = 64 << 10

// runLens runs the command of a lens on what is saved, and tells what the go command said.
func (w *workspace) runLens(t *runtime.Task, command string, arguments [][]byte) (lsp.CommandResult, error) {
	var a lenses.Arguments
	if len(arguments) == 0 {
		return lsp.CommandResult{}, fmt.Errorf("%s: no arguments", command)
	}
	if err := json.Unmarshal(arguments[0], &a); err != nil {
		return lsp.CommandResult{}, fmt.Errorf("%s: arguments: %w", command, err)
	}
	path, ok := files.Path(a.URI)
	if !ok {
		return lsp.CommandResult{}, &lsp.FileError{URI: a.URI, Offset: -1, Err: lsp.ErrUnknownFile}
	}
	args := goArguments(command, a)
	for _, m := range a.Modules {
		if strings.HasPrefix(m, "-") {
			return lsp.CommandResult{}, fmt.Errorf("%s: %q is no module", command, m)
		}
	}
	var out []byte
	err := t.Blocking(func() (err error) {
		out, err = disk.Go(t.Context(), filepath.Dir(path), w.o.Env, args...)
		return err
	})
	said := struct {
		OK     bool   `json:"ok"`
		Output string `json:"output"`
	}{OK: err == nil, Output: string(out)}
	if failure, ok := errors.AsType[*disk.CommandError](err); ok {
		said.Output = string(failure.Output) + failure.Text
	} else if err != nil {
		return lsp.CommandResult{}, err
	}
	said.Output = strings.ToValidUTF8(said.Output[max(0, len(said.Output)-outputBytes):], "")
	raw, err := json.Marshal(said)
	if err != nil {
		return lsp.CommandResult{}, fmt.Errorf("%s: what it said: %w", command, err)
	}
	word := "done"
	if !said.OK {
		word = "failed"
	}
	message := "go " + strings.Join(args, " ") + ": " + word
	if !said.OK || command == lenses.RunTest {
		message += "\n" + said.Output
	}
	return lsp.CommandResult{Value: raw, Message: message, Failed: !said.OK}, nil
}

// Commands implements lsp.Commander.
func (*workspace) Commands() []string { return append(slices.Clone(lenses.Commands), CommandLint) }

// Execute implements lsp.Commander.
func (w *workspace) Execute(t *runtime.Task, command string, arguments [][]byte) (lsp.CommandResult, error) {
	if command != CommandLint {
		return w.runLens(t, command, arguments)
	}
	if len(arguments) == 0 {
		arguments = [][]byte{[]byte("{}")}
	}
	return w.lintAll(t, arguments[0])
}
