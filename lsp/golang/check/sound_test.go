package check_test

import (
	"encoding/binary"
	"fmt"
	"go/types"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/internal/purebuild"
	"github.com/cytisus/cytisus/lsp/golang/metadata"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// forgedFace is export data of package p with declarations as bytes, and one of them, X, at an
// offset.
func forgedFace(decls []byte, at int) []byte {
	texts := []byte("\x01p\x01X") // p at 0, X at 2
	out := binary.AppendUvarint([]byte{'i', 3}, uint64(len(texts)))
	out = binary.AppendUvarint(out, uint64(len(decls)))
	out = append(append(out, texts...), decls...)
	out = append(out, 1, 0, 0, 0, 1, 2) // one package: path, name, height; one declaration: name
	return binary.AppendUvarint(out, uint64(at))
}

// sharedInterface is export data of package p with one interface of many methods, which is declared
// under many names: the reader makes all methods for each of them.
func sharedInterface(methods, names int) []byte {
	texts, at := []byte("\x01p"), []uint64{} // where the texts of names are
	for i := range max(methods, names) {
		at = append(at, uint64(len(texts)))
		name := fmt.Sprint("X", i)
		texts = append(append(texts, byte(len(name))), name...)
	}
	decls := binary.AppendUvarint([]byte{8, 0, 0}, uint64(methods)) // of package p, embeds nothing
	for _, name := range at[:methods] {
		decls = append(binary.AppendUvarint(append(decls, 0), name), 0, 0) // takes and returns nothing
	}
	manifest := binary.AppendUvarint([]byte{1, 0, 0, 0}, uint64(names))
	for _, name := range at[:names] {
		manifest = binary.AppendUvarint(binary.AppendUvarint(manifest, name), uint64(len(decls)))
		decls = append(decls, 'T', 0, 32)
	}
	out := binary.AppendUvarint([]byte{'i', 3}, uint64(len(texts)))
	out = binary.AppendUvarint(out, uint64(len(decls)))
	return slices.Concat(out, texts, decls, manifest)
}

// The reader makes the methods of an interface for each name that it is declared under, so that
// 40 KiB ask for the memory of 3 million methods, and more for all that the machine has.
func TestWorkOfFacesIsBounded(t *testing.T) {
	if err := importOf(t, sharedInterface(2500, 3)); err != nil {
		t.Errorf("an interface of three names is refused: %v", err)
	}
	err := importOf(t, sharedInterface(2500, 1200))
	if err == nil || !strings.Contains(err.Error(), "too often") {
		t.Errorf("an interface of 2,500 methods was read for each of 1,200 names (%v): what a face of a store asks of the process has a bound", err)
	}
}

// pointers is pointers to pointers to int, so many of them, and a variable X of that type.
func pointers(levels int) (decls []byte, at int) {
	last := uint64(1) // int
	for range levels {
		here := uint64(len(decls)) + 32
		decls = binary.AppendUvarint(append(decls, 1), last)
		last = here
	}
	at = len(decls)
	return binary.AppendUvarint(append(decls, 'V', 0), last), at
}

// Data that a forger has written, with checksums that are right, is an error and does not end the
// process: the reader of x/tools would run out of stack, or of memory, which no recover catches.
func TestForgedFaces(t *testing.T) {
	endless, endlessAt := pointers(200_000)
	for _, c := range []struct {
		name  string
		decls []byte
		at    int
		want  string // "" if it is read
	}{
		{"a variable", []byte{'V', 0, 1}, 0, ""},
		{"a pointer to itself", []byte{1, 32, 'V', 0, 32}, 2, "damaged: types "},
		{"a struct of itself, twice", []byte{7, 0, 2, 0, 0, 32, 0, 0, 0, 0, 32, 0, 0, 'V', 0, 32}, 13, "damaged: types "},
		{"an alias of itself", []byte{12, 2, 0, 'A', 0, 32}, 3, "damaged: types "},
		{"pointers on 200,000 levels", endless, endlessAt, "without end"},
		{"a struct of 2^40 fields", append([]byte{7, 0}, append(binary.AppendUvarint(nil, 1<<40), 'V', 0, 32)...), 8, "more of something than bytes"},
		{"a declaration that is not there", []byte{0, 0, 0, 'V', 0, 32}, 3, "a declaration is missing"},
		{"a declaration behind the end", []byte{'V'}, 7, "cut off"},
		{"another format", nil, -1, "another format"},
	} {
		t.Run(c.name, func(t *testing.T) {
			face := []byte("u\x00")
			if c.at >= 0 {
				face = forgedFace(c.decls, c.at)
			}
			err := importOf(t, face)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// What is on as many levels as is let through can be read.
func TestDeepFaceIsRead(t *testing.T) {
	decls, at := pointers(99_000)
	if err := importOf(t, forgedFace(decls, at)); err != nil {
		t.Error(err)
	}
}

func importOf(t *testing.T, face []byte) error {
	t.Helper()
	w, err := check.DecodeWorld([]check.Import{faceImport(face)})
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := w.Import("p")
	if err == nil && !pkg.Complete() {
		t.Error("an incomplete package is no error")
	}
	return err
}

func faceImport(face []byte) check.Import {
	return check.Import{Written: "p", Path: "p", Face: "forged", Export: func() ([]byte, error) { return face, nil }}
}

// FuzzFace: whatever lies in the store as the face of a package, a package that imports it is
// checked or refused.
func FuzzFace(f *testing.F) {
	for _, text := range []string{
		"package p\n\ntype X struct{ next *X; F func(X) error }\n\nfunc (x *X) M(y ...int) {}\n\nvar V = map[string][]X{}\n",
		"package p\n\ntype X[T any, U interface{ ~int | M() }] struct{ a [3]T; u chan<- U }\n\nfunc F[T any](x X[T, int]) {}\n\ntype A[T any] = X[T, int]\n",
		"package p\n\nimport \"unsafe\"\n\nconst X = 1 << 70\n\nconst F = 1.5e300\n\nvar P unsafe.Pointer\n\ntype E interface{ error; comparable }\n\ntype Y X2\n\ntype X2 any\n",
	} {
		file := syntax.Parse("file:///p.go", []byte(text))
		face := syntax.FaceText(file)
		export, err := check.Face(&metadata.Package{ID: "p", Path: "p", Arch: "amd64", Files: []string{file.URI}}, [][]byte{face}, nil, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(export)
	}
	for _, c := range [][]byte{{1, 32, 'V', 0, 32}, {12, 2, 0, 'A', 0, 32}} {
		f.Add(forgedFace(c, slices.Index(c, 0)))
	}
	f.Fuzz(func(t *testing.T, face []byte) {
		if len(face) > 1<<12 {
			return
		}
		file := syntax.Parse("file:///q.go", []byte("package q\n\nimport \"p\"\n\nvar v p.X\n\ntype t struct{ p.X; a p.A[int] }\n\nvar s = p.F(v, p.V)\n\nfunc f() { var x = p.X{}; x.M(1); _ = x == x; _ = any(x).(p.E) }\n"))
		p := &metadata.Package{ID: "q", Path: "q", Arch: "amd64", Files: []string{file.URI}}
		if _, err := check.Package(p, []*syntax.Tree{file}, []check.Import{faceImport(face)}, purebuild.NoDoubt, true); err != nil {
			return // a panic of the checker, caught
		}
		w, err := check.DecodeWorld([]check.Import{faceImport(face)})
		if err != nil {
			t.Fatal(err)
		}
		if pkg, err := w.Import("p"); err == nil {
			for _, name := range pkg.Scope().Names() {
				_ = types.ObjectString(pkg.Scope().Lookup(name), nil)
			}
		}
	})
}
