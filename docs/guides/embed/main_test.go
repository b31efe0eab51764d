package main

import (
	"context"
	"log"
	"os"
	"path/filepath"
)

// The second list looks at nothing, the third at the file that differs.
func Example() {
	store, err := os.MkdirTemp("", "todos")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(store)
	dir := filepath.Join(store, "src")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			log.Fatal(err)
		}
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		log.Fatal(err)
	}
	show := func() {
		if err := list(context.Background(), filepath.Join(store, "store"), dir); err != nil {
			log.Fatal(err)
		}
	}
	write("a.go", "package a\n\n// TODO: say more\n")
	write("b.go", "package a\n")
	show()
	show()
	write("b.go", "package a // TODO(me): less\n")
	show()
	if err := os.Remove(filepath.Join(dir, "a.go")); err != nil {
		log.Fatal(err)
	}
	show()
	// Output:
	// a.go:3: say more
	// files looked at: 2
	// a.go:3: say more
	// files looked at: 0
	// a.go:3: say more
	// b.go:1: (me): less
	// files looked at: 1
	// b.go:1: (me): less
	// files looked at: 0
}
