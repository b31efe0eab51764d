package disk

import (
	"testing"

	"github.com/cytisus/cytisus/lsp/golang/metadata"
)

// FuzzGoList: whatever the go command prints is no answer, or leads to packages that each have a
// name of their own.
func FuzzGoList(f *testing.F) {
	for _, out := range []string{
		`{"Dir":"/m","ImportPath":"m","Name":"m","GoFiles":["a.go"],"Imports":["fmt"],"Module":{"Path":"m","Main":true,"Dir":"/m"}}`,
		`{"ImportPath":"m","Error":{"Pos":"/m/a.go:1:2","Err":"no Go files in /m"},"Incomplete":true}` + "\n" + `{"ImportPath":"m [m.test]","ForTest":"m","GoFiles":["a_test.go"],"ImportMap":{"m":"m [m.test]"}}`,
		`{"Dir":"/m/../..","ImportPath":"","GoFiles":["","../x.go","/y.go"]}`,
		`{"DepOnly":true,"CgoFiles":["c.go"],"EmbedFiles":["*"],"DepsErrors":[{"Err":"import cycle not allowed","ImportStack":["a","a"]}]}`,
		`null`, `[]`, `{"ImportPath": "a"} {"Imp`, "go: downloading x v1",
	} {
		f.Add([]byte(out))
	}
	f.Fuzz(func(t *testing.T, out []byte) {
		all, err := decodeList(out)
		if err != nil {
			return
		}
		env := &Environment{GoVersion: "go1.26", GoRoot: "/go", GoArch: "amd64", GoOS: "linux", Dir: "/m", Own: []string{"/m"}, Levels: AllLevels}
		m, _ := Assemble(env, NewPlacer(env, map[string][]byte{"/m/go.mod": []byte("module m\n")}), all, nil)
		for _, p := range m.Packages {
			_, _ = metadata.PathOf(p.ID), p.Path
		}
	})
}
