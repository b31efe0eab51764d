package check

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"weak"

	"golang.org/x/tools/go/gcexportdata"
)

// A world is what the files of one package can see: the packages they import, decoded from export
// data, and whatever of further packages their declarations mention.
//
// Export data is deep: it describes every type that the declarations of a package mention, of
// whichever package. A check thus reads nothing but the faces of its direct imports, and an edit
// two imports away that does not show in them is no reason to check again. The price is that worlds
// are not shared between packages, but for faces of one state (takeOf); the last ones are kept.
//
// A world of one list of imports is complete when it is decoded, and all who ask for that list have
// the same: the session of a package, the views of it, and checks at the same time (K1). A world
// with a state grows, and has one user at a time: it is taken out of the pool and put back.
type world struct {
	key      [sha256.Size]byte
	state    any                       // nil: the world is of one list of imports; else see takeOf
	faces    map[string]string         // by path: what is decoded in whole; of a world with a state
	spoilt   bool                      // what could not be decoded has left something behind
	bytes    int                       // export data read
	packages map[string]*types.Package // by path
	direct   map[string]*types.Package // by import path as written
	problems map[string]string         // by import path as written: why there is no package

	mu    sync.Mutex
	paths map[*types.Package]map[types.Object]string // guarded by mu
	tags  map[*types.Package]map[types.Object]string // guarded by mu: of packages that are in paths
}

// An Import is what a package learns from one of its imports.
type Import struct {
	Written string // the import path in the source
	Path    string // of the package meant
	Face    string // names the export data: equal names, equal data; "": there is none
	Problem string // why not

	// Export reads the export data. It is called only if they are not decoded yet; when it fails,
	// so does what needs them.
	Export func() ([]byte, error)
}

// importKey names the world of a list of imports.
func importKey(imports []Import) (key [sha256.Size]byte) {
	h := sha256.New()
	for _, f := range imports {
		fmt.Fprintf(h, "%q %q %q %q ", f.Written, f.Path, f.Problem, f.Face)
	}
	h.Sum(key[:0])
	return key
}

func newWorld() *world {
	return &world{
		packages: map[string]*types.Package{"unsafe": types.Unsafe},
		direct:   map[string]*types.Package{},
		problems: map[string]string{},
		paths:    map[*types.Package]map[types.Object]string{},
		tags:     map[*types.Package]map[types.Object]string{},
	}
}

// decodeWorld reads the export data of all imports into one set of packages, in which a type
// mentioned twice is one type.
func decodeWorld(imports []Import) (*world, error) {
	w := newWorld()
	return w, w.decode(imports)
}

// decode reads what is not there yet.
func (w *world) decode(imports []Import) error {
	for _, f := range imports {
		if f.Face == "" {
			w.problems[f.Written] = f.Problem
			continue
		}
		if f.Face == w.faces[f.Path] {
			w.direct[f.Written] = w.packages[f.Path]
			continue
		}
		export, err := f.Export()
		if err != nil {
			return fmt.Errorf("export data of %s: %w", f.Path, err)
		}
		if len(export) == 0 {
			w.problems[f.Written] = f.Problem
			continue
		}
		pkg := w.packages[f.Path]
		if pkg == nil || !pkg.Complete() {
			pkg, err = readExport(export, w.packages, f.Path)
			if err != nil {
				w.problems[f.Written], w.spoilt = err.Error(), true
				continue
			}
		}
		w.bytes += len(export)
		w.direct[f.Written] = pkg
		if w.faces != nil {
			w.faces[f.Path] = f.Face
		}
	}
	return nil
}

// readExport guards gcexportdata.Read, which panics on some kinds of damage, and would end the
// process on others (see sound).
func readExport(data []byte, packages map[string]*types.Package, path string) (pkg *types.Package, err error) {
	defer func() {
		if e := recover(); e != nil {
			err = newInternalError("export data of "+path, e)
		}
	}()
	if err := sound(data, packages, path); err != nil {
		return nil, fmt.Errorf("export data of %s: %w", path, err)
	}
	return gcexportdata.Read(bytes.NewReader(data), token.NewFileSet(), packages, path)
}

// objectPath names an object of an imported package for other packages; "" if it has no name there.
func (w *world) objectPath(obj types.Object) string {
	obj = declared(obj)
	paths, _ := w.named(packageOf(obj))
	return paths[obj]
}

// named is what the objects of an imported package are called, and the tags of fields.
func (w *world) named(pkg *types.Package) (paths, tags map[types.Object]string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	paths, ok := w.paths[pkg]
	if !ok {
		paths, w.tags[pkg] = objectPaths(pkg)
		w.paths[pkg] = paths
	}
	return paths, w.tags[pkg]
}

// writtenTag is the tag of a field of an imported package, as it may be written; "" if there is
// none.
func (w *world) writtenTag(obj types.Object) string {
	paths, tags := w.named(obj.Pkg())
	if paths[obj] == "" {
		return ""
	}
	switch tag := tags[obj]; {
	case tag == "":
		return ""
	case strconv.CanBackquote(tag):
		return "`" + tag + "`"
	default:
		return strconv.Quote(tag)
	}
}

// Import implements types.Importer.
func (w *world) Import(path string) (*types.Package, error) {
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg := w.direct[path]; pkg != nil {
		return pkg, nil
	}
	if why := w.problems[path]; why != "" {
		return nil, errors.New(why)
	}
	return nil, errors.New("the package is not known")
}

// Bounds of the pool of worlds.
const (
	worldsMax   = 8
	WorldsBytes = 8 << 20 // of export data; what it decodes to weighs some ten times as much
)

// A WorldPool keeps worlds that were used last: a package's face and its body see the same one, and
// so does the body after an edit.
type WorldPool struct {
	mu    sync.Mutex
	last  []*world                                  // latest last; guarded by mu
	known map[[sha256.Size]byte]weak.Pointer[world] // all that somebody has, by key; guarded by mu
	bytes int                                       // of last; guarded by mu
	most  int                                       // bytes; guarded by mu
}

// Worlds are those that the process has used last.
var Worlds = WorldPool{most: WorldsBytes}

// take gives the caller the world of some imports, which others may have, too.
func (p *WorldPool) take(imports []Import) (*world, error) {
	key := importKey(imports)
	p.mu.Lock()
	w := p.known[key].Value()
	p.mu.Unlock()
	if w != nil {
		return w, nil
	}
	w, err := decodeWorld(imports)
	if err != nil {
		return nil, err
	}
	w.key = key
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.known[key].Value(); other != nil {
		return other, nil
	}
	if p.known == nil {
		p.known = map[[sha256.Size]byte]weak.Pointer[world]{}
	}
	p.known[key] = weak.Make(w)
	runtime.AddCleanup(w, p.forgotten, key)
	return w, nil
}

// forgotten is called when nobody has the world of a key any more.
func (p *WorldPool) forgotten(key [sha256.Size]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known[key].Value() == nil { // it may have been decoded again meanwhile
		delete(p.known, key)
	}
}

// takeOf gives the caller a world in which a package can be checked that imports from faces of one
// state: they agree about all that they mention, so each is decoded once for many packages. Who has
// it finds the imports asked for and no others, and more objects of packages that these mention
// than they do themselves, which nobody can name. An index must not be made with it: how a thing is
// named there may depend on what else is known.
func (p *WorldPool) takeOf(state any, imports []Import) (*world, error) {
	if state == nil {
		return p.take(imports)
	}
	p.mu.Lock()
	var w *world
	if i := slices.IndexFunc(p.last, func(w *world) bool { return w.state == state }); i >= 0 {
		w = p.last[i]
		p.last = slices.Delete(p.last, i, i+1)
		p.bytes -= w.bytes
	}
	p.mu.Unlock()
	if w == nil {
		w = newWorld()
		w.state, w.faces = state, map[string]string{}
	}
	clear(w.direct)
	clear(w.problems)
	return w, w.decode(imports)
}

// put has a world kept for a while. One with a state that a panic went through must not be.
func (p *WorldPool) put(w *world) {
	if len(w.packages) == 1 || w.state != nil && (w.spoilt || w.bytes > p.share()) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.last, w); i >= 0 {
		p.last = append(slices.Delete(p.last, i, i+1), w)
		return
	}
	p.last = append(p.last, w)
	p.bytes += w.bytes
	p.makeRoom()
}

// share is how many bytes one world with a state may have.
func (p *WorldPool) share() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most / 2
}

// WorldWeight is how many bytes a world takes for each byte of export data, measured on the
// standard library.
const WorldWeight = 10

// Held is how many bytes of export data have their worlds here.
func (p *WorldPool) Held() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(p.bytes)
}

// Bound sets how many bytes of export data may have their worlds here.
func (p *WorldPool) Bound(most int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most = most
	p.makeRoom()
}

// makeRoom forgets what was used longest ago. The lock is held.
func (p *WorldPool) makeRoom() {
	for len(p.last) > worldsMax || p.bytes > p.most {
		p.bytes -= p.last[0].bytes
		p.last = slices.Delete(p.last, 0, 1)
	}
}
