package markers

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

// An archive is one file of the marker tests.
type archive struct {
	name  string // relative to the directory of the archives, with slashes
	text  *txtar.Archive
	files map[string]string            // of the workspace, by name
	gold  map[string]map[string]string // golden content by identifier, then by file, "" for its own
	proxy map[string]string            // of the module proxy, by name
	notes []*note

	settings     map[string]any
	capabilities map[string]any
	env          map[string]string
	skip         string // why gopls skips it itself

	flags flags
}

// flags are what the file "flags" of an archive says.
type flags struct {
	minGo, maxGo, minCommand, maxCommand string
	cgo, extraDiagnostics                bool
	filterBuiltins, filterKeywords       bool
	goos, goarch, sumIn                  list
}

// A list is a flag of words with commas between them.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(text string) error {
	*l = append(*l, strings.Split(text, ",")...)
	return nil
}

func (f *flags) parse(name string, words []string) error {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.minGo, "min_go", "", "")
	set.StringVar(&f.maxGo, "max_go", "", "")
	set.StringVar(&f.minCommand, "min_go_command", "", "")
	set.StringVar(&f.maxCommand, "max_go_command", "", "")
	set.BoolVar(&f.cgo, "cgo", false, "")
	set.BoolVar(&f.extraDiagnostics, "ignore_extra_diags", false, "")
	set.BoolVar(&f.filterBuiltins, "filter_builtins", true, "")
	set.BoolVar(&f.filterKeywords, "filter_keywords", true, "")
	set.Bool("errors_ok", false, "")
	set.Bool("mcp", false, "")
	set.Var(&f.goos, "skip_goos", "")
	set.Var(&f.goarch, "skip_goarch", "")
	set.Var(&f.sumIn, "write_sumfile", "")
	return set.Parse(words)
}

// load reads all archives below a directory, sorted by name.
func load(dir string) (all []*archive, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".txt") {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		a, err := parse(filepath.ToSlash(name), data)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, a)
		return nil
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("no archives in %s", dir)
	}
	return all, err
}

// parse reads one archive.
func parse(name string, data []byte) (*archive, error) {
	a := &archive{
		name: name, text: txtar.Parse(data), files: make(map[string]string),
		gold: make(map[string]map[string]string), proxy: make(map[string]string),
		env: make(map[string]string),
	}
	var words []string
	for _, f := range a.text.Files {
		text := string(f.Data)
		switch {
		case f.Name == "skip":
			a.skip = strings.Join(strings.Fields(text), " ")
		case f.Name == "flags":
			words = strings.Fields(text)
		case f.Name == "settings.json":
			if err := json.Unmarshal(f.Data, &a.settings); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
		case f.Name == "capabilities.json":
			if err := json.Unmarshal(f.Data, &a.capabilities); err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
		case f.Name == "env":
			for _, field := range strings.Fields(text) {
				key, value, _ := strings.Cut(field, "=")
				a.env[key] = value
			}
		case strings.HasPrefix(f.Name, "@"):
			id, file, _ := strings.Cut(f.Name[1:], "/")
			if a.gold[id] == nil {
				a.gold[id] = make(map[string]string)
			}
			a.gold[id][file] = text
		case strings.HasPrefix(f.Name, "proxy/"):
			a.proxy[strings.TrimPrefix(f.Name, "proxy/")] = text
		default:
			a.files[f.Name] = text
			notes, err := notesOf(f.Name, text)
			if err != nil {
				return nil, err
			}
			a.notes = append(a.notes, notes...)
		}
	}
	return a, a.flags.parse(name, words)
}

// has reports whether an archive has a check of a wanted kind.
func (a *archive) has(wanted func(kind string) bool) bool {
	if wanted(extraKind) && !a.flags.extraDiagnostics {
		return true
	}
	return slices.ContainsFunc(a.notes, func(n *note) bool { return wanted(kindOf(n.name)) })
}

// errSkipped is in the error of an archive that is not run.
var errSkipped = errors.New("skipped")

// runnable says why an archive cannot be run with a version of Go, which is 1.X for X.
func (a *archive) runnable(point int, cgo bool) error {
	f := &a.flags
	for _, bound := range []struct {
		text string
		fits func(int) bool
		what string
	}{
		{f.minGo, func(x int) bool { return point >= x }, "needs at least "},
		{f.minCommand, func(x int) bool { return point >= x }, "needs at least "},
		{f.maxGo, func(x int) bool { return point <= x }, "needs at most "},
		{f.maxCommand, func(x int) bool { return point <= x }, "needs at most "},
	} {
		if bound.text == "" {
			continue
		}
		x, err := pointOf(bound.text)
		if err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		if !bound.fits(x) {
			return fmt.Errorf("%w: %s%s", errSkipped, bound.what, bound.text)
		}
	}
	switch {
	case a.skip != "":
		return fmt.Errorf("%w: gopls skips it: %s", errSkipped, a.skip)
	case slices.Contains(f.goos, runtime.GOOS):
		return fmt.Errorf("%w: not on %s", errSkipped, runtime.GOOS)
	case slices.Contains(f.goarch, runtime.GOARCH):
		return fmt.Errorf("%w: not on %s", errSkipped, runtime.GOARCH)
	case f.cgo && !cgo:
		return fmt.Errorf("%w: needs cgo", errSkipped)
	}
	return nil
}

// pointOf is the X of a version go1.X or go1.X.Y.
func pointOf(version string) (int, error) {
	rest, ok := strings.CutPrefix(version, "go1.")
	if !ok {
		return 0, fmt.Errorf("%q is no version of Go", version)
	}
	digits := rest
	if end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = rest[:end]
	}
	return strconv.Atoi(digits)
}
