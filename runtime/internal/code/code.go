// Package code tells apart builds of a program by the code of one package and all that it rests on.
//
// What a binary says of itself is the modules it was built from, each with a sum of its contents,
// the toolchain and the settings (debug.ReadBuildInfo); of the main module it says nothing that a
// change would be seen by. So packages of the main module embed their sources, and a version is a
// hash of the sources of the package and of all packages of the main module that they import,
// directly or not, with the rest of what the binary says. Where one of these is missing, or has
// parts that its sources do not show, the version is the hash of the whole binary: it changes with
// each change.
package code

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed *.go
var own embed.FS

var _ = Version("github.com/cytisus/cytisus/runtime/internal/code", own)

// A sources is what a package says of itself.
type sources struct {
	sum     [sha256.Size]byte
	imports []string
	partial string // why the sources are not all of the package; "": they are
}

var known struct {
	mu       sync.Mutex
	packages map[string]*sources // guarded by mu: by import path
	binary   []byte              // guarded by mu: the hash of the executable; nil: not yet made
}

// Caller returns the import path of the package whose function calls the skip-th function up, as
// the linker knows it: "main" is one.
func Caller(skip int) string {
	pc, _, _, ok := runtime.Caller(skip + 1)
	if !ok {
		return ""
	}
	name := runtime.FuncForPC(pc).Name()
	slash := strings.LastIndexByte(name, '/') + 1
	dot := strings.IndexByte(name[slash:], '.')
	if dot < 0 {
		return ""
	}
	if pkg, err := url.PathUnescape(name[:slash+dot]); err == nil {
		return pkg
	}
	return ""
}

// Version returns the version of a package of the program by its embedded sources, which the
// packages that import it find from then on.
func Version(pkg string, files fs.FS) uint32 {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return shortened(binaryHash())
	}
	if pkg == "main" {
		pkg = info.Path
	}
	s := read(files)
	known.mu.Lock()
	if known.packages == nil {
		known.packages = map[string]*sources{}
	}
	known.packages[pkg] = s
	known.mu.Unlock()
	sum, why := versionOf(pkg, info)
	if why != "" {
		return shortened(binaryHash())
	}
	return shortened(sum)
}

// shortened is the part of a hash that fits a version, which is never zero.
func shortened(sum []byte) uint32 { return max(binary.LittleEndian.Uint32(sum)&^(1<<31), 1) }

// versionOf hashes all that a package rests on; why says what is missing.
func versionOf(pkg string, info *debug.BuildInfo) (sum []byte, why string) {
	known.mu.Lock()
	defer known.mu.Unlock()
	main := info.Main.Path
	if main == "" {
		return nil, "the binary does not say which module it is of"
	}
	todo, used := []string{pkg}, map[string]*sources{}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if used[p] != nil || !within(p, main) {
			continue // a module with a sum, or the standard library
		}
		s := known.packages[p]
		if s == nil {
			return nil, "package " + p + " has not given its sources"
		}
		if s.partial != "" {
			return nil, "package " + p + ": " + s.partial
		}
		used[p] = s
		todo = append(todo, s.imports...)
	}
	h := sha256.New()
	line := func(words ...string) {
		for _, w := range words {
			fmt.Fprintf(h, "%d %s ", len(w), w)
		}
		io.WriteString(h, "\n")
	}
	line("go", info.GoVersion)
	for _, s := range info.Settings {
		if !strings.HasPrefix(s.Key, "vcs") {
			line("setting", s.Key, s.Value)
		}
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Sum == "" {
			return nil, "module " + m.Path + " has no sum"
		}
		line("module", m.Path, m.Version, m.Sum)
	}
	for _, p := range slices.Sorted(maps.Keys(used)) {
		line("package", p, string(used[p].sum[:]))
	}
	return h.Sum(nil), ""
}

func within(pkg, module string) bool { return pkg == module || strings.HasPrefix(pkg, module+"/") }

// read takes up the sources of a package.
func read(files fs.FS) *sources {
	s := &sources{}
	h := sha256.New()
	fset := token.NewFileSet()
	var (
		patterns   []string
		bodyless   bool
		assembly   bool
		goFiles    int
		importPath = map[string]bool{}
	)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%d %s %d ", len(name), name, len(text))
		h.Write(text)
		if path.Ext(name) == ".s" {
			assembly = true
		}
		if path.Dir(name) != "." || path.Ext(name) != ".go" {
			return nil
		}
		goFiles++
		f, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, imp := range f.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			importPath[p] = true
		}
		for _, g := range f.Comments {
			for _, c := range g.List {
				if rest, ok := strings.CutPrefix(c.Text, "//go:embed "); ok {
					patterns = append(patterns, strings.Fields(rest)...)
				}
				if strings.HasPrefix(c.Text, "//go:linkname ") {
					s.partial = cmp.Or(s.partial, name+" links to code that it does not import")
				}
			}
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body == nil {
				bodyless = true
			}
		}
		return nil
	})
	h.Sum(s.sum[:0])
	for _, p := range patterns {
		if found, err := fs.Glob(files, strings.Trim(strings.TrimPrefix(p, "all:"), "\"`")); err != nil || len(found) == 0 {
			s.partial = cmp.Or(s.partial, "what it embeds is not all among its sources: "+p)
		}
	}
	switch {
	case err != nil:
		s.partial = err.Error()
	case goFiles == 0:
		s.partial = "there is no Go file among its sources"
	case importPath["C"]:
		s.partial = "it has parts in C"
	case bodyless && !assembly:
		s.partial = "it has functions without a body, and no assembly among its sources"
	}
	s.imports = slices.Sorted(maps.Keys(importPath))
	return s
}

// binaryHash returns hashExecutable, made once.
func binaryHash() []byte {
	known.mu.Lock()
	defer known.mu.Unlock()
	if known.binary == nil {
		known.binary = hashExecutable()
	}
	return known.binary
}
