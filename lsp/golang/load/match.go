package load

import (
	"bytes"
	"go/build"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A matcher decides which files of a directory a build has, by the rules of go/build.
type matcher struct {
	context build.Context
}

func newMatcher(c *Config) *matcher {
	ctx := build.Default
	ctx.GOROOT, ctx.GOOS, ctx.GOARCH = c.GoRoot, c.GoOS, c.GoArch
	ctx.CgoEnabled, ctx.Compiler = c.Cgo, "gc"
	ctx.BuildTags = c.Tags
	ctx.ReleaseTags = releaseTags(c.GoVersion)
	if ctx.ToolTags = c.ToolTags; ctx.ToolTags == nil {
		ctx.ToolTags = build.Default.ToolTags
	}
	return &matcher{ctx}
}

// releaseTags are "go1.1" up to the release of a toolchain.
func releaseTags(version string) (tags []string) {
	v, ok := strings.CutPrefix(version, "go1.")
	if !ok {
		return build.Default.ReleaseTags
	}
	end := 0
	for end < len(v) && '0' <= v[end] && v[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(v[:end])
	if err != nil {
		return build.Default.ReleaseTags
	}
	for i := 1; i <= n; i++ {
		tags = append(tags, "go1."+strconv.Itoa(i))
	}
	return tags
}

// byName reports whether a name can be one of the build's, whatever the file says.
func (m *matcher) byName(name string) bool {
	if !strings.ContainsRune(strings.TrimSuffix(name, "_test.go"), '_') {
		return true // go/build reads systems and processors behind an underscore only
	}
	return m.match(name, []byte("package p\n"))
}

// byHeader reports whether what a file says lets the build have it.
func (m *matcher) byHeader(name string, h *header) bool {
	if h.name == "documentation" {
		return false
	}
	if len(h.constraints) == 0 || !bytes.Contains(h.constraints, []byte("build")) {
		return true
	}
	return m.match(name, append(bytes.Clone(h.constraints), "\npackage p\n"...))
}

func (m *matcher) match(name string, text []byte) bool {
	ctx := m.context
	ctx.OpenFile = func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)), nil
	}
	ok, err := ctx.MatchFile(string(filepath.Separator), name)
	return err == nil && ok
}

// A directory is what a build has in one directory.
type directory struct {
	anyGo    bool // there is a Go file, whether or not the build has it
	name     string
	files    []file // those of the build
	twoNames bool   // the package's files do not agree on its name
	broken   bool   // a header cannot be read
	unread   error
}

// A file is one of a build.
type file struct {
	name     string
	test     bool
	external bool // belongs to the external test package
	cgo      bool
	imports  []string
}

// isGoName reports whether the go command looks at a file of this name.
func isGoName(name string) bool {
	return strings.HasSuffix(name, ".go") && name[0] != '_' && name[0] != '.'
}

// directory reads a directory.
func (l *loader) directory(dir string) *directory {
	d := new(directory)
	entries, err := os.ReadDir(dir)
	if err != nil {
		d.unread = err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if isGoName(e.Name()) && !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	names = l.overlaid(dir, names)
	d.anyGo = len(names) > 0
	d.read(l, dir, names)
	return d
}

// read reads the files of the directory.
func (d *directory) read(l *loader, dir string, names []string) {
	for _, name := range names {
		if !l.matcher.byName(name) {
			continue
		}
		h, err := l.header(filepath.Join(dir, name))
		if err != nil {
			d.unread = err
			continue
		}
		if !l.matcher.byHeader(name, &h) {
			continue
		}
		f := file{name: name, test: strings.HasSuffix(name, "_test.go"), imports: h.imports}
		for _, path := range h.imports {
			f.cgo = f.cgo || path == "C"
		}
		d.broken = d.broken || h.broken
		own := h.name
		if f.test && strings.HasSuffix(h.name, "_test") && own != d.name {
			f.external = true
			own = strings.TrimSuffix(own, "_test")
		}
		switch {
		case d.name == "":
			d.name = own
		case d.name != own:
			d.twoNames = true
		}
		if !f.cgo || l.config.Cgo {
			d.files = append(d.files, f)
		}
	}
}
