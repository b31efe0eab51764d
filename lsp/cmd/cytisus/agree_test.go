package main

import (
	"context"
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

// realModule copies a module of the build list, with all its tests, to a directory of its own.
func realModule(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(strings.TrimSpace(string(out)))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// identifiers returns n places of identifiers, spread evenly over the Go files below dir: the same
// ones each time.
func identifiers(t *testing.T, dir string, n int) []place {
	t.Helper()
	var all []place
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, "testdata") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file := fset.AddFile(path, -1, len(text))
		var s scanner.Scanner
		s.Init(file, text, nil, 0)
		for {
			pos, tok, _ := s.Scan()
			if tok == token.EOF {
				return nil
			}
			if tok == token.IDENT {
				p := fset.PositionFor(pos, false)
				all = append(all, place{file: path, line: p.Line, column: p.Column})
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < n {
		t.Fatalf("%s has %d identifiers, %d are wanted", dir, len(all), n)
	}
	var out []place
	for i := range n {
		out = append(out, all[i*len(all)/n])
	}
	return out
}

// The language server and the shell give the same answers at 200 places of a real module.
func TestServerAgreesWithShell(t *testing.T) {
	dir := realModule(t, "golang.org/x/mod")
	ctx := t.Context()
	a := &app{err: t.Output(), flags: flags{memory: true, tests: true, workers: 2}}
	l, err := a.openLocal(ctx, dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := l.ws.Index(ctx, nil); err != nil {
		t.Fatal(err)
	}
	host, err := a.newHost(l, dir, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	here, there := net.Pipe()
	served := make(chan error, 1)
	go func() {
		_, err := host.Serve(context.WithoutCancel(ctx), there)
		served <- err
	}()
	r, err := newRemote(ctx, here, dir, "", noMeter{})
	if err != nil {
		t.Fatal(err)
	}
	answered := 0
	for _, p := range identifiers(t, dir, 200) {
		same := func(what string, shell, server any, shellErr, serverErr error) {
			t.Helper()
			if errors.Is(shellErr, lsp.ErrNoSymbol) && reflect.ValueOf(server).Len() == 0 && serverErr == nil {
				return // nothing there: an error for the shell, an empty answer in the protocol
			}
			if shellErr != nil || serverErr != nil || fmt.Sprint(shell) != fmt.Sprint(server) {
				t.Errorf("%s of %s:%d:%d\nshell:  %v, %v\nserver: %v, %v", what, p.file, p.line, p.column, shell, shellErr, server, serverErr)
			}
			answered++
		}
		d1, err1 := l.definition(ctx, p)
		d2, err2 := r.definition(ctx, p)
		same("definition", d1, d2, err1, err2)
		r1, err1 := l.references(ctx, p, true)
		r2, err2 := r.references(ctx, p, true)
		same("references", r1, r2, err1, err2)
		var h1, h2 []described
		h, err1 := l.hover(ctx, p)
		if h != nil {
			h1 = append(h1, *h)
		}
		h, err2 = r.hover(ctx, p)
		if h != nil {
			h2 = append(h2, *h)
		}
		same("hover", h1, h2, err1, err2)
	}
	if answered < 500 {
		t.Errorf("only %d of 600 questions had an answer", answered)
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
