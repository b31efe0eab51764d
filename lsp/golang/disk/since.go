package disk

import (
	"bytes"
	goversion "go/version"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// apiFiles are the lists of what each version of Go has added to the standard library, which a Go
// tree has in its directory api.
type apiFiles struct {
	once     sync.Once
	texts    []apiFile // the oldest first
	mu       sync.Mutex
	packages map[string]map[string]string // guarded by mu: versions by path, then symbol
}

// An apiFile is the list of one version, as "go1.21".
type apiFile struct {
	version string
	text    []byte
}

// trees are the lists of the Go trees that were asked about, by their directories.
var trees sync.Map

// Since is the version of Go that a symbol of a package of the standard library came with, such as
// "go1.21"; "" if it is as old as the first, or not known. A method or field goes by its type: T.M.
// The lists are read once in the life of the process, some megabytes.
func Since(goRoot, path, symbol string) string {
	known, _ := trees.LoadOrStore(goRoot, new(apiFiles))
	a := known.(*apiFiles)
	a.once.Do(func() { a.read(filepath.Join(goRoot, "api")) })
	a.mu.Lock()
	defer a.mu.Unlock()
	symbols, ok := a.packages[path]
	if !ok {
		symbols = a.symbols(path)
		a.packages[path] = symbols
	}
	return symbols[symbol]
}

func (a *apiFiles) read(dir string) {
	a.packages = map[string]map[string]string{}
	entries, _ := os.ReadDir(dir) // some distributions leave it out
	for _, e := range entries {
		version, ok := strings.CutSuffix(e.Name(), ".txt")
		if !ok || !goversion.IsValid(version) {
			continue
		}
		if text, err := ReadInput(filepath.Join(dir, e.Name())); err == nil {
			a.texts = append(a.texts, apiFile{version, text})
		}
	}
	slices.SortFunc(a.texts, func(a, b apiFile) int { return goversion.Compare(a.version, b.version) })
}

// symbols says since when a package has what it has; "" for what it always had. What is there for
// some systems only is left out.
func (a *apiFiles) symbols(path string) map[string]string {
	out := map[string]string{}
	for _, f := range a.texts {
		version, text := f.version, f.text
		if version == "go1" {
			version = ""
		}
		prefix := []byte("pkg " + path + ", ")
		for at := bytes.Index(text, prefix); at >= 0; {
			rest := text[at:]
			line, _, _ := bytes.Cut(rest, []byte("\n"))
			if at == 0 || text[at-1] == '\n' {
				name := apiSymbol(string(line[len(prefix):]))
				if _, known := out[name]; !known && name != "" {
					out[name] = version
				}
			}
			next := bytes.Index(text[at+1:], prefix)
			if next < 0 {
				break
			}
			at += 1 + next
		}
	}
	return out
}

// apiSymbol is what a line of the lists is about, in the terms of Since.
func apiSymbol(line string) string {
	kind, rest, _ := strings.Cut(line, " ")
	end := strings.IndexAny(rest, " ([")
	if end < 0 {
		end = len(rest)
	}
	switch kind {
	case "func", "var", "const":
		return rest[:end]
	case "type":
		name := rest[:end]
		_, member, ok := strings.Cut(rest, " struct, ")
		if !ok {
			if _, member, ok = strings.Cut(rest, " interface, "); !ok {
				return name
			}
		}
		if i := strings.IndexAny(member, " ("); i >= 0 {
			member = member[:i]
		}
		return name + "." + member
	case "method":
		recv, method, ok := strings.Cut(strings.TrimPrefix(rest, "("), ") ")
		if !ok {
			return ""
		}
		recv = strings.TrimPrefix(recv, "*")
		recv, _, _ = strings.Cut(recv, "[")
		method, _, _ = strings.Cut(method, "(")
		return recv + "." + method
	}
	return ""
}
