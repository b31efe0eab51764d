package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What was damaged is dropped, said, and computed again; all else is reused.
func TestRepairCommand(t *testing.T) {
	dir := grove(t, 6)
	c := newCLI(t)
	if _, errs, code := c.run("repair", dir); code != exitNothing || !strings.Contains(errs, "no store") {
		t.Errorf("repair without a store: exit code %d: %s", code, errs)
	}
	want := decode[indexReport](t, c.ok("index", "--json", dir))
	if out := c.ok("repair", dir); !strings.Contains(out, "nothing is damaged") {
		t.Errorf("repair of a whole store prints %q", out)
	}
	segs, err := filepath.Glob(filepath.Join(c.store, "*.seg"))
	if err != nil || len(segs) == 0 {
		t.Fatal(segs, err)
	}
	b, err := os.ReadFile(segs[0])
	if err != nil {
		t.Fatal(err)
	}
	for at := len(b) / 8; at < len(b)*3/4; at += len(b) / 16 {
		b[at] ^= 0x40
	}
	if err := os.WriteFile(segs[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, code := c.run("verify", dir); code != exitBadNews {
		t.Fatalf("verify of the damaged store: exit code %d\n%s", code, out)
	}
	out := c.ok("repair", dir)
	for _, part := range []string{"damage: ", segs[0], "dropped: record ", "written anew", "run cytisus index"} {
		if !strings.Contains(out, part) {
			t.Errorf("repair prints no %q:\n%s", part, out)
		}
	}
	if out := c.ok("verify", dir); !strings.Contains(out, "every hash is right") {
		t.Errorf("verify after the repair prints %q", out)
	}
	got := decode[indexReport](t, c.ok("index", "--json", dir))
	if got.Packages != want.Packages || got.Symbols != want.Symbols || got.References != want.References || got.Diagnostics != want.Diagnostics {
		t.Errorf("after the repair:\n%+v\nbefore:\n%+v", got, want)
	}
	place := filepath.Join(dir, "p00", "p.go") + ":11:6"
	if a, b := c.ok("refs", place), newCLI(t).ok("refs", place); a != b {
		t.Errorf("refs after the repair:\n%s\nfrom scratch:\n%s", a, b)
	}
	if out := c.ok("repair", "--json", dir); !strings.Contains(out, `"after"`) {
		t.Errorf("repair --json prints %q", out)
	}
	if err := os.WriteFile(filepath.Join(c.store, "superblock"), make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := c.ok("repair", dir); !strings.Contains(out, "nothing is damaged") { // the segments say what it said
		t.Errorf("repair without a superblock prints %q", out)
	}
	if err := os.WriteFile(filepath.Join(c.store, "superblock"), make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if segs, err = filepath.Glob(filepath.Join(c.store, "*.seg")); err != nil {
		t.Fatal(err)
	}
	for _, name := range segs {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		copy(b, make([]byte, 64))
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, errs, code := c.run("repair", dir); code != exitStore || !strings.Contains(errs, "Delete "+c.store) {
		t.Errorf("repair without a superblock: exit code %d: %s", code, errs)
	}
}

// TestLookingMakesNoStore: a command that only looks says that there is no store, and makes none.
func TestLookingMakesNoStore(t *testing.T) {
	dir := grove(t, 1)
	file := filepath.Join(dir, "p00", "p.go")
	for _, args := range [][]string{{"stats", dir}, {"verify", dir}, {"repair", dir}, {"explain", file}, {"db-stats", dir}, {"query-records", "files", dir}} {
		for _, made := range []bool{false, true} {
			c := newCLI(t)
			if made {
				if err := os.MkdirAll(c.store, 0o700); err != nil { // a directory is no store
					t.Fatal(err)
				}
			}
			if _, errs, code := c.run(args...); code != exitNothing || !strings.Contains(errs, "no store") {
				t.Errorf("%s without a store: exit code %d: %s", args[0], code, errs)
			}
			left, err := os.ReadDir(c.store)
			if made && (err != nil || len(left) != 0) || !made && !os.IsNotExist(err) {
				t.Errorf("%s made %v, %v", args[0], left, err)
			}
		}
	}
}
