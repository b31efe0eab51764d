package disk

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/mod/modfile"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// A directive is a line of a go.mod or go.work file that problems may be about.
type directive struct {
	verb string // "module", "go", "toolchain", "require", "replace", "use"
	path string // of a module, or of a directory
	line int    // from 1
}

// A ModuleFile is a go.mod or go.work file taken apart.
type ModuleFile struct {
	directives []directive
	targets    []string // directories that replace modules, as they are written
	Errors     []lsp.Diagnostic
}

// ParseModuleFile takes the text of a file apart as far as that is possible.
func ParseModuleFile(name string, text []byte) ModuleFile {
	if filepath.Base(name) == "go.work" {
		return parseWorkFile(name, text)
	}
	var m ModuleFile
	f, err := modfile.Parse(filepath.Base(name), text, nil)
	m.Errors = moduleErrors(text, err)
	if err != nil {
		// Lax parsing passes over what it does not know, but some of what is wrong stops it, too.
		if f, err = modfile.ParseLax(filepath.Base(name), text, nil); err != nil {
			return m
		}
	}
	if f.Module != nil {
		m.add("module", f.Module.Mod.Path, f.Module.Syntax)
	} else if len(m.Errors) == 0 {
		m.Errors = append(m.Errors, ModuleError(text, 1, "missing module declaration: a go.mod file says what its module is called, as in: module example.com/name"))
	}
	m.addVersions(f.Go, f.Toolchain)
	first := map[string]int{}
	for _, r := range f.Require {
		m.add("require", r.Mod.Path, r.Syntax)
		line := lineOf(r.Syntax)
		if at, twice := first[r.Mod.Path]; twice {
			d := ModuleError(text, line, fmt.Sprintf("duplicate requirement of %s, which line %d requires as well", r.Mod.Path, at))
			d.Severity = lsp.SeverityWarning
			m.Errors = append(m.Errors, d)
		} else {
			first[r.Mod.Path] = line
		}
	}
	m.addReplaces(f.Replace)
	return m
}

func parseWorkFile(name string, text []byte) ModuleFile {
	var m ModuleFile
	f, err := modfile.ParseWork(filepath.Base(name), text, nil)
	m.Errors = moduleErrors(text, err)
	if err != nil {
		return m
	}
	m.addVersions(f.Go, f.Toolchain)
	first := map[string]int{}
	for _, u := range f.Use {
		m.add("use", u.Path, u.Syntax)
		line, clean := lineOf(u.Syntax), path.Clean(u.Path)
		if at, twice := first[clean]; twice {
			m.Errors = append(m.Errors, ModuleError(text, line, fmt.Sprintf("path %s appears multiple times in workspace: line %d uses it as well", u.Path, at)))
		} else {
			first[clean] = line
		}
	}
	m.addReplaces(f.Replace)
	return m
}

func (m *ModuleFile) add(verb, path string, at *modfile.Line) {
	m.directives = append(m.directives, directive{verb, path, lineOf(at)})
}

func (m *ModuleFile) addVersions(g *modfile.Go, t *modfile.Toolchain) {
	if g != nil {
		m.add("go", g.Version, g.Syntax)
	}
	if t != nil {
		m.add("toolchain", t.Name, t.Syntax)
	}
}

func (m *ModuleFile) addReplaces(list []*modfile.Replace) {
	for _, r := range list {
		if m.add("replace", r.Old.Path, r.Syntax); r.New.Version == "" {
			m.targets = append(m.targets, r.New.Path)
		}
	}
}

func lineOf(l *modfile.Line) int {
	if l == nil {
		return 0
	}
	return l.Start.Line
}

// moduleErrors turns what the parser of module files says into diagnostics.
func moduleErrors(text []byte, err error) []lsp.Diagnostic {
	if err == nil {
		return nil
	}
	list, ok := errors.AsType[modfile.ErrorList](err)
	if !ok {
		return []lsp.Diagnostic{ModuleError(text, 1, err.Error())}
	}
	var out []lsp.Diagnostic
	for _, e := range list {
		bare := e
		bare.Filename, bare.Pos = "", modfile.Position{}
		d := ModuleError(text, e.Pos.Line, strings.TrimPrefix(bare.Error(), ": "))
		if e.Pos.LineRune > 1 && d.Span.Start < e.Pos.Byte && e.Pos.Byte <= d.Span.End {
			d.Span.Start = e.Pos.Byte
		}
		out = append(out, d)
	}
	return out
}

// ModuleError is something wrong with a line of a module file, comments apart.
func ModuleError(text []byte, line int, message string) lsp.Diagnostic {
	return lsp.Diagnostic{Span: LineSpan(text, line), Severity: lsp.SeverityError, Code: "module", Source: metadata.SourceList, Message: message}
}

// LineSpan is what stands in a line, from 1, without the white space around it and a comment behind
// it.
func LineSpan(text []byte, line int) lsp.Span {
	start := syntax.OffsetOf(text, max(line, 1), 1)
	end := start
	for end < len(text) && text[end] != '\n' {
		end++
	}
	content, _, _ := strings.Cut(string(text[start:end]), "//")
	trimmed := strings.TrimLeft(content, " \t")
	start += len(content) - len(trimmed)
	return lsp.Span{Start: start, End: start + len(strings.TrimRight(trimmed, " \t\r"))}
}

// IsModuleFile reports whether a file is one that ParseModuleFile knows.
func IsModuleFile(path string) bool {
	name := filepath.Base(path)
	return name == "go.mod" || name == "go.work"
}

var (
	modulePosition = regexp.MustCompile(`^(?:go list: |go: )*(.*(?:go\.mod|go\.work|go\.sum|modules\.txt)):(\d+)(?::(\d+))?: (.*)$`)
	needsGo        = regexp.MustCompile(`requires go >= `)
)

// A Placer finds the lines of module files that messages of the go command are about.
type Placer struct {
	env   *Environment
	files map[string]ModuleFile // by path, as they are on disk
	order []string              // the keys of files, the most important first
}

// NewPlacer takes the module files of a build apart; texts are by path.
func NewPlacer(env *Environment, texts map[string][]byte) *Placer {
	p := &Placer{env: env, files: map[string]ModuleFile{}}
	for path, text := range texts {
		if IsModuleFile(path) && text != nil {
			p.files[path] = ParseModuleFile(path, text)
			p.order = append(p.order, path)
		}
	}
	slices.SortFunc(p.order, func(a, b string) int {
		if x, y := filepath.Base(a) == "go.work", filepath.Base(b) == "go.work"; x != y {
			if x {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return p
}

// Replaced lists the directories that replace modules.
func (p *Placer) Replaced() []string {
	var out []string
	for path, f := range p.files {
		for _, target := range f.targets {
			dir := filepath.FromSlash(target)
			if !filepath.IsAbs(dir) {
				dir = filepath.Join(filepath.Dir(path), dir)
			}
			if dir = filepath.Clean(dir); !slices.Contains(p.env.Own, dir) && utf8.ValidString(dir) {
				out = append(out, dir)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// main is the file that problems without a better place are shown at.
func (p *Placer) main() string {
	switch {
	case p.env.GoWork != "":
		return p.env.GoWork
	case p.env.GoMod != "":
		return p.env.GoMod
	}
	return filepath.Join(p.env.Dir, "go.mod")
}

// Problems places what the go command says about a build as a whole.
func (p *Placer) Problems(message string) []metadata.Problem {
	var out []metadata.Problem
	for line := range strings.Lines(message) {
		m := modulePosition.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		path := m[1]
		if !filepath.IsAbs(path) {
			path = filepath.Join(p.env.Dir, filepath.FromSlash(path))
		}
		at, _ := strconv.Atoi(m[2])
		out = append(out, metadata.Problem{URI: files.URI(path), Line: at, Message: m[4]})
	}
	if len(out) > 0 {
		return out
	}
	message = strings.TrimPrefix(strings.TrimPrefix(message, "go list: "), "go: ") // who says so is the diagnostic's source
	for part := range strings.SplitSeq(message, "\ngo: ") {
		path, line := p.place(part)
		out = append(out, metadata.Problem{URI: files.URI(path), Line: line, Message: part})
	}
	return out
}

// place finds the line that a message without a place is about: one that names what it names.
func (p *Placer) place(message string) (path string, line int) {
	path, line, ok := p.line(func(file string, d directive) int { return p.weight(file, d, message) })
	if ok {
		return path, line
	}
	for _, d := range p.files[p.main()].directives {
		if d.verb == "module" || d.verb == "go" && line == 0 {
			line = d.line
		}
	}
	return p.main(), line
}

// line finds the line that weighs most; ok is false if none weighs anything.
func (p *Placer) line(weight func(file string, d directive) int) (path string, line int, ok bool) {
	best := 0
	for _, name := range p.order {
		for _, d := range p.files[name].directives {
			if w := weight(name, d); w > best {
				best, path, line = w, name, d.line
			}
		}
	}
	return path, line, best > 0
}

// missing places what is wrong with packages, by path, that modules which are required should
// provide.
func (p *Placer) missing(broken map[string]string) []metadata.Problem {
	var out []metadata.Problem
	for path, why := range broken {
		first, _, _ := strings.Cut(why, "\n") // what comes behind it is a command to repair it
		first, _, _ = strings.Cut(first, "; to add")
		if strings.Contains(first, "no required module provides") {
			continue // shown at the import
		}
		name, line, ok := p.line(func(file string, d directive) int {
			switch {
			case d.verb != "require" && d.verb != "replace":
				return 0
			case path == d.path || strings.HasPrefix(path, d.path+"/"):
				return max(p.weight(file, d, first), 2*len(d.path)-1)
			}
			return p.weight(file, d, first)
		})
		if ok {
			out = append(out, metadata.Problem{URI: files.URI(name), Line: line, Message: first})
		}
	}
	return out
}

// weight says how well a directive fits a message; 0 is not at all.
func (p *Placer) weight(file string, d directive, message string) int {
	switch d.verb {
	case "module", "toolchain":
		return 0
	case "go":
		if needsGo.MatchString(message) && (strings.Contains(message, filepath.Base(file)+" requires") || strings.Contains(message, "but go.work lists")) {
			return 1 << 20
		}
		return 0
	case "use":
		dir := filepath.FromSlash(d.path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(filepath.Dir(file), dir)
		}
		rel, _ := filepath.Rel(p.env.Dir, dir)
		for _, name := range []string{dir, rel, d.path} {
			if strings.Contains(message, "go.work") && names(message, filepath.ToSlash(name)) {
				return 1<<10 + len(name)
			}
		}
		return 0
	}
	if !names(message, d.path) {
		return 0
	}
	weight := 2 * len(d.path)
	if d.verb == "replace" && strings.Contains(message, "replace") { // "replaced by", "replacement"
		weight++
	}
	return weight
}

// names reports whether a message holds a path, alone or with what lies below it.
func names(message, path string) bool {
	if path == "" || path == "." {
		return false
	}
	for rest := message; ; {
		i := strings.Index(rest, path)
		if i < 0 {
			return false
		}
		before := i == 0 || strings.ContainsRune(" \t\n(\"'", rune(rest[i-1]))
		end := i + len(path)
		if before && (end == len(rest) || strings.ContainsRune(" \t\n@/:,;)\"'", rune(rest[end]))) {
			return true
		}
		rest = rest[i+1:]
	}
}
