// Todos lists the TODO comments below a directory. It is the program of the guide beside it.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/cytisus/cytisus/runtime"
)

// texts holds the files by path: the input.
var texts = runtime.NewPartition[[]byte]("texts")

// todo is one comment.
type todo struct {
	Line int // from 1
	Text string
}

// todos finds the comments of one file. Its version, 1, changes with what it computes.
var todos = runtime.NewQuery("todos", 1, func(t *runtime.Task, path string) ([]todo, error) {
	text, err := texts.Get(t, path)
	if err != nil {
		return nil, err
	}
	var found []todo
	line := 0
	for l := range bytes.Lines(text) {
		line++
		if _, after, ok := bytes.Cut(l, []byte("TODO")); ok {
			found = append(found, todo{line, strings.TrimSpace(strings.TrimLeft(string(after), ": "))})
		}
	}
	return found, nil
})

// report is the list for all files below a directory.
var report = runtime.NewQuery("report", 1, func(t *runtime.Task, dir string) (string, error) {
	paths, err := texts.Keys(t, runtime.Prefix(dir))
	if err != nil {
		return "", err
	}
	files, err := todos.All(t, paths) // in parallel, in the order of paths
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i, list := range files {
		for _, f := range list {
			fmt.Fprintf(&b, "%s:%d: %s\n", paths[i], f.Line, f.Text)
		}
	}
	return b.String(), nil
})

// read makes the input equal to what is on the disk, in one commit.
func read(ctx context.Context, eng *runtime.Engine, dir string) error {
	now := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		if rel, relErr := filepath.Rel(dir, path); relErr == nil {
			now[filepath.ToSlash(rel)] = text
		}
		return err
	})
	if err != nil {
		return err
	}
	before := eng.Snapshot()
	defer before.Release()
	gone, err := texts.Keys(before, runtime.All())
	if err != nil {
		return err
	}
	return eng.Commit(ctx, func(w *runtime.Writer) error {
		for _, path := range gone {
			if _, ok := now[path]; !ok {
				if err := texts.Delete(w, path); err != nil {
					return err
				}
			}
		}
		for path, text := range now {
			if err := texts.Put(w, path, text); err != nil { // an equal text changes nothing
				return err
			}
		}
		return nil
	})
}

// list prints the comments below dir, and how many files it looked at.
func list(ctx context.Context, store, dir string) (err error) {
	eng, err := runtime.Open(store, runtime.Options{MemoryLimit: 512 << 20, Holder: "todos"})
	if err != nil {
		return err // a *runtime.LockedError says which process has the store open
	}
	defer func() { err = errors.Join(err, eng.Close(ctx)) }()
	if err := read(ctx, eng, dir); err != nil {
		return err
	}
	text, err := report.Ask(ctx, eng, "")
	if err != nil {
		return err
	}
	fmt.Print(text)
	fmt.Println("files looked at:", eng.Stats().Queries["todos"].Ran)
	return nil
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: todos STORE DIR")
	}
	if err := list(context.Background(), os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}
