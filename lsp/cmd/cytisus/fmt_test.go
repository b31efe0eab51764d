package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFmt(t *testing.T) {
	const laid, spoiled = "package a\n\nvar x = 1\n", "package a\nvar x=1\n"
	dir := write(t, `
-- go.mod --
module  a
-- laid.go --
`+laid+`-- spoiled.go --
`+spoiled+`-- testdata/kept.go --
`+spoiled+`-- bad/bad.go --
package a

var x = +
`)
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for _, c := range []struct {
		name, stdin string
		args        []string
		code        int
		out, err    string // "": nothing; else part of what is printed
	}{
		{name: "standard input", stdin: spoiled, out: "var x = 1\n"},
		{name: "one file", args: []string{in("spoiled.go")}, out: "var x = 1\n"},
		{name: "in order", args: []string{"-l", in("laid.go")}},
		{name: "list", args: []string{"-l", in("laid.go"), in("spoiled.go")}, out: "spoiled.go"},
		{name: "diff", args: []string{"-d", in("spoiled.go")}, code: exitBadNews, out: "\n-var x=1\n+\n+var x = 1\n"},
		{name: "cannot be parsed", args: []string{in("bad/bad.go")}, code: exitBadNews, err: "expected operand"},
		{name: "no such file", args: []string{in("none.go")}, code: exitUsage, err: "no file or directory"},
		{name: "nothing to write to", args: []string{"-w"}, stdin: spoiled, code: exitUsage, err: "needs a file"},
		{name: "all, one of which cannot be parsed", args: []string{"-w", "--json", in("...")}, code: exitBadNews, out: "spoiled.go", err: "bad.go"},
		{name: "again", args: []string{"-l", dir}, code: exitBadNews, err: "bad.go"},
	} {
		var out, errs bytes.Buffer
		code := run(context.Background(), append([]string{"fmt"}, c.args...), strings.NewReader(c.stdin), &out, &errs)
		if code != c.code || !strings.Contains(out.String(), c.out) || c.out == "" && out.Len() > 0 || !strings.Contains(errs.String(), c.err) || c.err == "" && errs.Len() > 0 {
			t.Errorf("%s: code %d, output %q, errors %q", c.name, code, &out, &errs)
		}
	}
	for name, want := range map[string]string{"go.mod": "module a\n", "spoiled.go": laid, "testdata/kept.go": spoiled} {
		if got, err := os.ReadFile(in(name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
}
