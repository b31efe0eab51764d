// Command mistakes plants mistakes in the engine, one at a time, and reports how soon the oracle of
// package fuzz/oracle/queries finds each. It fails if one is not found, or can no longer be
// planted, or if what is found is there without it, too.
//
//	go run ./fuzz/cmd/mistakes [-steps N] [-only TEXT]
//
// A mistake is a file of fuzz/oracle/mistakes, a txtar archive: its comment says what is wrong
// then, and each pair of files replaces a text that stands once in a file of this module. Nothing
// in the tree is written: the changed files are an overlay of the build (go help build, -overlay).
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/txtar"
)

var (
	dir   = flag.String("dir", "fuzz/oracle/mistakes", "where the mistakes are")
	steps = flag.Int("steps", 200_000, "steps of the oracle for each mistake, at most")
	seed  = flag.Uint64("seed", 1, "seed of the oracle's first history")
	only  = flag.String("only", "", "only mistakes with this in their name")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "mistakes:", err)
		os.Exit(1)
	}
}

func run() error {
	names, err := filepath.Glob(filepath.Join(*dir, "*.txtar"))
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("there is none in %s", *dir)
	}
	tmp, err := os.MkdirTemp("", "mistakes-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	right := filepath.Join(tmp, "right")
	if err := build(right, tmp, nil); err != nil {
		return err
	}
	var failed error
	fmt.Printf("%-32s %9s  %s\n", "mistake", "found in", "by")
	for _, name := range names {
		short := strings.TrimSuffix(filepath.Base(name), ".txtar")
		if !strings.Contains(short, *only) {
			continue
		}
		at, by, err := plant(name, tmp, right)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", short, err))
			at, by = "-", err.Error()
		}
		fmt.Printf("%-32s %9s  %s\n", short, at, by)
	}
	return failed
}

// oracleFiles are the tests of package runtime that the oracle needs: the others are left out of
// the build, which is then a matter of seconds.
var oracleFiles = []string{"oracle_test.go", "export_test.go", "race_on_test.go", "race_off_test.go"}

// plant builds the oracle with a mistake and runs it. It returns in which step what was found, and
// nothing is found there in an engine that is right.
func plant(name, tmp, right string) (at, by string, err error) {
	texts, err := changed(name)
	if err != nil {
		return "", "", err
	}
	wrong := filepath.Join(tmp, "wrong")
	if err := build(wrong, tmp, texts); err != nil {
		return "", "", err
	}
	out, err := oracle(wrong, *seed, *steps)
	if err == nil {
		return "", "", fmt.Errorf("not found in %d steps", *steps)
	}
	m := foundIn.FindStringSubmatch(out)
	if m == nil {
		first, _, _ := strings.Cut(out, "\n")
		return "", "", fmt.Errorf("the oracle died: %w: %s", err, first)
	}
	found, err := strconv.ParseUint(m[3], 10, 64)
	if err != nil {
		return "", "", err
	}
	if out, err := oracle(right, found, 1); err != nil {
		return "", "", fmt.Errorf("what was found is there without the mistake, too: %s", out)
	}
	return m[1], m[2], nil
}

// changed returns the files that a mistake changes, by path, as they are with it.
func changed(name string) (map[string]string, error) {
	ar, err := txtar.ParseFile(name)
	if err != nil {
		return nil, err
	}
	if len(ar.Files) == 0 || len(ar.Files)%2 != 0 {
		return nil, errors.New("files must come in pairs: what is there, and what stands there instead")
	}
	texts := map[string]string{}
	for pair := range slices.Chunk(ar.Files, 2) {
		path := pair[0].Name
		text, ok := texts[path]
		if !ok {
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			text = string(b)
		}
		old, instead := strings.TrimSuffix(string(pair[0].Data), "\n"), strings.TrimSuffix(string(pair[1].Data), "\n")
		if n := strings.Count(text, old); n != 1 {
			return nil, fmt.Errorf("it does not apply: the text stands %d times in %s", n, path)
		}
		texts[path] = strings.Replace(text, old, instead, 1)
	}
	return texts, nil
}

// build builds the tests of the oracle with other texts in some files.
func build(binary, tmp string, texts map[string]string) error {
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	tests, err := filepath.Glob(filepath.Join("runtime", "*_test.go"))
	if err != nil {
		return err
	}
	for _, f := range tests {
		if !slices.Contains(oracleFiles, filepath.Base(f)) {
			overlay.Replace[f] = ""
		}
	}
	for path, text := range texts {
		file := filepath.Join(tmp, strings.ReplaceAll(path, "/", "_"))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
		overlay.Replace[path] = file
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		return err
	}
	list := filepath.Join(tmp, "overlay.json")
	if err := os.WriteFile(list, b, 0o600); err != nil {
		return err
	}
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", list, "-ldflags=-s -w", "-o", binary, "./runtime")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("it does not build: %w\n%s", err, out)
	}
	return nil
}

// oracle runs the oracle from a seed on.
func oracle(binary string, seed uint64, steps int) (out string, err error) {
	cmd := exec.Command(binary, "-test.run=^TestOracle$", "-test.timeout=30m", "-oracle.shrink=0",
		fmt.Sprint("-oracle.seed=", seed), fmt.Sprint("-oracle.steps=", steps))
	cmd.Dir = "runtime"
	b, err := cmd.CombinedOutput()
	return string(b), err
}

// foundIn has the step, what was found, and the seed of the history.
var foundIn = regexp.MustCompile(`found in step (\d+): (?:step \d+: )?([^\n]{0,140})[^\n]*\n[^\n]*-oracle\.seed=(\d+)`)
