package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// demoCommand is what make run does: the main job on code that every Go programmer has.
func (a *app) demoCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "demo",
		Short:  "Index the Go standard library and answer two questions about it",
		Hidden: true,
		Args:   exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			ctx := cmd.Context()
			src, err := stdSource(ctx)
			if err != nil {
				return err
			}
			// As built: the standard library's tests are several times its size.
			if !cmd.Flags().Changed("tests") {
				a.flags.tests = false
			}
			l, err := a.openLocal(ctx, src, "demo")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, l.close()) }()
			const fresh = 1 << 20 // opening a new store writes less
			warm := l.eng.Stats().Store.LiveBytes > fresh
			if warm {
				fmt.Fprintln(a.out, "Looking for what changed in the Go standard library since the last run.")
			} else {
				fmt.Fprintln(a.out, "Indexing the Go standard library. Once: run this again to see a warm start.")
			}
			r, err := a.index(ctx, l)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.out)
			r.print(a)
			if warm {
				fmt.Fprintf(a.out, "\nA warm start: %s of %s files were read again, %.1f %% of the answers were reused.\n",
					grouped(r.FilesRead), grouped(r.Files), 100*r.ReusedShare)
			}
			if err := a.taste(ctx, l, src); err != nil {
				return err
			}
			fmt.Fprintf(a.out, `
Next, with your own code:
  %[1]s index DIR                 read the module around DIR
  %[1]s symbols --root DIR NAME   find a declaration
  %[1]s help                      everything else; README.md has the settings for editors
`, filepath.Join("bin", "cytisus"))
			return nil
		},
	}
}

// stdSource returns the source directory of the local toolchain's standard library.
func stdSource(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("asking the go command for its standard library (is Go installed?): %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "src"), nil
}

// taste answers a definition and a references question about fmt.Fprintf.
func (a *app) taste(ctx context.Context, l *local, src string) error {
	symbols, err := l.symbols(ctx, "Fprintf", 5)
	if err != nil {
		return err
	}
	for _, s := range symbols {
		if s.Name != "Fprintf" || !strings.HasSuffix(s.Place.File, filepath.Join("fmt", "print.go")) {
			continue
		}
		at := place{file: s.Place.File, line: s.Place.Line, column: s.Place.Column}
		arg := fmt.Sprintf("%s:%d:%d", at.file, at.line, at.column)

		began := time.Now()
		refs, err := l.references(ctx, at, false)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "\n$ cytisus refs %s\n", arg)
		const shown = 3
		for _, f := range refs[:min(shown, len(refs))] {
			fmt.Fprintf(a.out, "%s:%d:%d\t%s\n", f.File, f.Line, f.Column, f.Text)
		}
		fmt.Fprintf(a.out, "… %d references in all, in %s\n", len(refs), time.Since(began).Round(100*time.Microsecond))
		if len(refs) == 0 {
			return nil
		}

		use := refs[len(refs)/2]
		began = time.Now()
		defs, err := l.definition(ctx, place{file: use.File, line: use.Line, column: use.Column})
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "\n$ cytisus def %s:%d:%d\n", use.File, use.Line, use.Column)
		for _, f := range defs {
			fmt.Fprintf(a.out, "%s:%d:%d\t%s\n", f.File, f.Line, f.Column, f.Text)
		}
		fmt.Fprintf(a.out, "… in %s\n", time.Since(began).Round(100*time.Microsecond))
		return nil
	}
	return fmt.Errorf("the index of %s has no fmt.Fprintf", src)
}
