package check_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// freshTrees are the files of a package, parsed for nobody else.
func freshTrees(b *purebuild.Build, p *metadata.Package) (list []*syntax.Tree) {
	for _, uri := range p.Files {
		list = append(list, syntax.Parse(uri, b.Text(uri)))
	}
	return list
}

// look makes a view of the first file of a package, or finds it.
func look(b *purebuild.Build, p *metadata.Package, imports []check.Import) error {
	for {
		slot, busy := check.Views.Take(p.ID)
		if busy != nil {
			<-busy
			continue
		}
		defer slot.Done()
		v, err := slot.View(p, imports, freshTrees(b, p), check.Sight{URI: p.Files[0], Bodies: check.BodiesOfFile})
		if err == nil && len(v.Errors) > 0 {
			err = v.Errors[0]
		}
		return err
	}
}

// TestImportsAreDecodedOnce: while a session has what a package imports, a question about its types
// reads no export data, and takes no room for them.
func TestImportsAreDecodedOnce(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	p := b.Package("encoding/json")
	read := 0
	imports := b.Imports(p)
	for i := range imports {
		export := imports[i].Export
		imports[i].Face += " of this test"
		imports[i].Export = func() ([]byte, error) {
			read++
			return export()
		}
	}
	check.Sessions.Open(p.Files[0])
	defer check.Sessions.Close(p.Files[0])
	if _, _, err := check.Diagnostics(p, freshTrees(b, p), imports, purebuild.NoDoubt); err != nil {
		t.Fatal(err)
	}
	if read != len(imports) {
		t.Errorf("the session has read %d of %d imports", read, len(imports))
	}
	text := 0
	for _, uri := range p.Files {
		text += len(b.Text(uri))
	}
	before := check.Views.Held()
	for range 2 {
		if err := look(b, p, imports); err != nil {
			t.Fatal(err)
		}
	}
	if read != len(imports) {
		t.Errorf("%d imports were read for views", read-len(imports))
	}
	if held := check.Views.Held() - before; held > int64(2*text) {
		t.Errorf("the views take %d bytes for %d of text", held, text)
	}
}

// TestWorldsAreShared: what a package imports may be looked at by many at a time, types that
// go/types makes only when it meets them among it. The race detector says whether that is so.
func TestWorldsAreShared(t *testing.T) {
	env, m := purebuild.Std()
	b := purebuild.New(t, env, m)
	for _, id := range []string{"encoding/json", "slices", "net/http/cookiejar", "go/types", "log/slog"} {
		p := b.Package(id)
		imports := b.Imports(p)
		for i := range imports { // the purebuild is no place to meet
			export, err := imports[i].Export()
			imports[i].Export = func() ([]byte, error) { return export, err }
		}
		var decoded atomic.Int64
		export := imports[0].Export
		imports[0].Face += " of this test"
		imports[0].Export = func() ([]byte, error) {
			decoded.Add(1)
			return export()
		}
		session := func() error {
			_, err := check.Package(p, freshTrees(b, p), imports, purebuild.NoDoubt, true)
			return err
		}
		if err := session(); err != nil { // has it kept
			t.Fatal(err)
		}
		var (
			tasks sync.WaitGroup
			errs  [6]error
		)
		for i := range errs {
			tasks.Go(func() {
				if i%2 == 0 {
					errs[i] = session()
				} else {
					errs[i] = look(b, p, imports)
				}
			})
		}
		tasks.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if n := decoded.Load(); n != 1 {
			t.Errorf("%s: decoded %d times", id, n)
		}
	}
}
