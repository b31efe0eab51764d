package load

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

func write(t testing.TB, archive string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestOddBuilds compares builds of unusual shapes with the go command.
func TestOddBuilds(t *testing.T) {
	for name, archive := range map[string]string{
		"a workspace of two modules": `
-- go.work --
go 1.26

use (
	./a
	./b
)
-- a/go.mod --
module example.com/a

go 1.26
-- a/a.go --
package a

import _ "example.com/b/sub"
-- b/go.mod --
module example.com/b

go 1.20
-- b/sub/b.go --
package sub

import _ "fmt"
`,
		"a vendor directory": `
-- go.mod --
module example.com/m

go 1.26

require example.com/v v1.0.0
-- m.go --
package m

import _ "example.com/v/sub"
-- vendor/modules.txt --
# example.com/v v1.0.0
## explicit; go 1.21
example.com/v/sub
-- vendor/example.com/v/sub/v.go --
package sub

import _ "errors"
`,
		"modules in the place of others, and nested ones": `
-- go.mod --
module example.com/m

go 1.26

require example.com/r v1.0.0

replace example.com/r => ./r
-- m.go --
package m

import _ "example.com/r"
-- r/go.mod --
module example.com/r

go 1.22
-- r/r.go --
package r
-- r/deep/go.mod --
module example.com/r/deep
-- r/deep/d.go --
package deep
-- nested/go.mod --
module example.com/nested
-- nested/n.go --
package nested
`,
		"tests of all kinds": `
-- go.mod --
module example.com/m

go 1.26
-- a/a.go --
package a
-- a/a_test.go --
package a

import _ "testing"
-- a/x_test.go --
package a_test

import (
	_ "example.com/m/a"
	_ "example.com/m/user"
)
-- user/user.go --
package user

import _ "example.com/m/a"
-- only/only_test.go --
package only
-- outside/outside_test.go --
package outside_test

import _ "example.com/m/user"
-- prog/main.go --
package main

import _ "example.com/m/user"

func main() {}
-- prog/main_test.go --
package main_test
-- testpkg_test/t.go --
package testpkg_test
-- testpkg_test/t_test.go --
package testpkg_test
`,
		"files that a build leaves out": `
-- go.mod --
module example.com/m

go 1.26

ignore (
	./skipped
	anywhere
)
-- a.go --
package m
-- a_windows.go --
package m

import _ "nowhere.example/x"
-- b_linux_test.go --
package m
-- c.go --
//go:build never || (linux && go1.999)

package m

import _ "nowhere.example/x"
-- d.go --
// +build ignore

package main
-- doc.go --
package documentation

import _ "nowhere.example/x"
-- _e.go --
package other
-- .f.go --
package other
-- skipped/s.go --
package s

import _ "nowhere.example/x"
-- deep/anywhere/s.go --
package s

import _ "nowhere.example/x"
-- testdata/t.go --
package broken(
-- bom/b.go --
` + "\ufeff" + `package bom; import _ "fmt"; import ( _ "errors"; . "os" )
-- windows/w_windows.go --
package windows
`,
		"cgo": `
-- go.mod --
module example.com/m

go 1.26
-- a.go --
package m

import "C"
-- b.go --
package m
-- only/c.go --
package only

import "C"
`,
		"versions that are selected": `
-- go.mod --
module example.com/m

go 1.16

require (
	example.com/b v1.0.0
	example.com/d v1.0.0
)

replace (
	example.com/d v1.0.0 => ./d
	example.com/a v1.0.0 => ./a10
	example.com/a v1.1.0 => ./a11
	example.com/a v1.2.0 => ./a12
	example.com/b v1.0.0 => ./b
	example.com/c v1.0.0 => ./c
)
-- m.go --
package m

import (
	_ "example.com/a"
	_ "example.com/b"
)
-- d/go.mod --
module example.com/d

require example.com/a v1.0.0
-- d/d.go --
package d

import _ "example.com/a"
-- a10/go.mod --
module example.com/a
-- a10/a.go --
package old
-- a11/go.mod --
module example.com/a
-- a11/a.go --
package a
-- a12/go.mod --
module example.com/a
-- a12/a.go --
package young
-- b/go.mod --
module example.com/b

go 1.17

require example.com/c v1.0.0
-- b/b.go --
package b
-- c/go.mod --
module example.com/c

go 1.17

require example.com/a v1.1.0
`,
		"versions that are pruned": `
-- go.work --
go 1.26

use (
	./a
	./b
)

replace (
	example.com/x v1.0.0 => ./x10
	example.com/x v1.1.0 => ./x11
	example.com/y v1.0.0 => ./y
	example.com/z v1.0.0 => ./z
)
-- a/go.mod --
module example.com/a

go 1.26

require (
	example.com/x v1.0.0
	example.com/y v1.0.0
)
-- a/a.go --
package a

import _ "example.com/x"
-- b/go.mod --
module example.com/b

go 1.26
-- b/b.go --
package b
-- x10/go.mod --
module example.com/x
-- x10/x.go --
package x
-- x11/go.mod --
module example.com/x
-- x11/x.go --
package young
-- y/go.mod --
module example.com/y

go 1.26

require example.com/z v1.0.0
-- z/go.mod --
module example.com/z

go 1.26

require example.com/x v1.1.0
`,
		"no go line": `
-- go.mod --
module example.com/m
-- a.go --
package m

import "net/http"

var _ http.Client
`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, archive)
			env := []string{"GOFLAGS=", "GOWORK="}
			want := goList(t, dir, env...)
			below := []string{dir}
			if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
				below = []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
				want = goListOf(t, dir, env, "./a/...", "./b/...")
			}
			c := goEnv(t, dir, env...)
			got, err := Packages(t.Context(), c, below, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range comparePackages(got, want) {
				t.Error(d)
			}
		})
	}
}

// TestDoubt has builds that the go command must be asked about.
func TestDoubt(t *testing.T) {
	const module = "-- go.mod --\nmodule example.com/m\n\ngo 1.26\n"
	for name, archive := range map[string]string{
		"no such package":            module + "-- a.go --\npackage m\n\nimport _ \"example.com/m/none\"\n",
		"no such standard package":   module + "-- a.go --\npackage m\n\nimport _ \"none/such\"\n",
		"no such module":             module + "-- a.go --\npackage m\n\nimport _ \"nowhere.example/x\"\n",
		"a module that is not there": module + "require nowhere.example/x v1.0.0\n-- a.go --\npackage m\n\nimport _ \"nowhere.example/x\"\n",
		"no line in go.sum":          module + "require golang.org/x/mod v0.42.0\n-- a.go --\npackage m\n\nimport _ \"golang.org/x/mod/semver\"\n",
		"two names":                  module + "-- a.go --\npackage m\n-- b.go --\npackage n\n",
		"a broken head":              module + "-- a.go --\npackage m\n\nimport \"fmt\n",
		"a cycle":                    module + "-- a/a.go --\npackage a\n\nimport _ \"example.com/m/b\"\n-- b/b.go --\npackage b\n\nimport _ \"example.com/m/a\"\n",
		"a cycle through tests": module + "-- a/a.go --\npackage a\n-- a/a_test.go --\npackage a\n\nimport _ \"example.com/m/b\"\n" +
			"-- b/b.go --\npackage b\n\nimport _ \"example.com/m/a\"\n",
		"a relative import": module + "-- a.go --\npackage m\n\nimport _ \"./b\"\n-- b/b.go --\npackage b\n",
		"no file":           module + "-- a.go --\npackage m\n\nimport _ \"example.com/m/w\"\n-- w/w_windows.go --\npackage w\n",
		"a newer toolchain": "-- go.mod --\nmodule example.com/m\n\ngo 1.999\n-- a.go --\npackage m\n",
		"a package of a module below": module + "-- a.go --\npackage m\n\nimport _ \"example.com/m/n\"\n" +
			"-- n/go.mod --\nmodule example.com/m/n\n-- n/n.go --\npackage n\n",
		"a broken module file": "-- go.mod --\nmodule\n-- a.go --\npackage m\n",
		"a vendor directory that does not fit": module + "require golang.org/x/mod v0.42.0\n-- vendor/modules.txt --\n" +
			"# golang.org/x/mod v0.41.0\n## explicit; go 1.21\n-- a.go --\npackage m\n",
		"old requirements that are not there": "-- go.mod --\nmodule example.com/m\n\ngo 1.16\n\nrequire nowhere.example/x v1.0.0\n-- a.go --\npackage m\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := write(t, archive)
			c := goEnv(t, t.TempDir(), "GOTOOLCHAIN=local")
			c.GoMod, c.GoWork, c.Tests = filepath.Join(dir, "go.mod"), "", true
			if got, err := Packages(t.Context(), c, []string{dir}, nil); !errors.Is(err, ErrDoubt) {
				t.Errorf("%d packages, error %v; want doubt", len(got), err)
			}
		})
	}
}

// TestOverlay has files that are not on the disk, or not as they are there.
func TestOverlay(t *testing.T) {
	dir := write(t, "-- go.mod --\nmodule example.com/m\n\ngo 1.26\n-- a.go --\npackage m\n\nimport _ \"nowhere.example/x\"\n-- gone.go --\npackage gone\n-- sub/s.go --\npackage sub\n")
	c := goEnv(t, dir)
	c.Overlay = map[string][]byte{
		filepath.Join(dir, "a.go"):    []byte("package m\n\nimport _ \"example.com/m/sub\"\n"),
		filepath.Join(dir, "gone.go"): nil,
		filepath.Join(dir, "new.go"):  []byte("package m\n\nimport _ \"errors\"\n"),
	}
	got, err := Packages(t.Context(), c, []string{dir}, []string{"fmt"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range got {
		if p.ImportPath == "example.com/m" {
			if files, imports := strings.Join(p.GoFiles, " "), strings.Join(p.Imports, " "); files != "a.go new.go" || imports != "errors example.com/m/sub" {
				t.Errorf("files %s, imports %s", files, imports)
			}
			return
		}
	}
	t.Error("the package is not listed")
}
