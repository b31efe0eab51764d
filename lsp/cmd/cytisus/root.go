package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
)

// An app is one invocation of the command.
type app struct {
	in       io.Reader
	out, err io.Writer
	flags    flags
	// onlyLooks: the command opens a store that is there, and makes none.
	onlyLooks   bool
	http        string        // of a host: where it is shown
	flightAfter time.Duration // of a host: how long a request may take until its flight is written; 0: any time
}

// flags are those that every command takes.
type flags struct {
	root     string
	store    string
	memory   bool
	json     bool
	tests    bool
	tags     []string
	workers  int
	progress string
	verbose  bool
	trace    string
	memMax   memoryLimit
	diskMax  byteSize
	sync     syncMode
}

const long = `cytisus reads Go code once and keeps what it learned, so that the next question, the next run and the
next restart cost only what changed.

  cytisus index                      read the module around the current directory
  cytisus def  FILE:LINE:COL         where is this declared?
  cytisus refs FILE:LINE:COL         who uses it?
  cytisus serve                      language server for an editor, on standard input and output

LINE and COL count from 1; COL counts bytes, as the Go compiler does. What it learns is kept in a store in your cache
directory, one for each module (cytisus stats prints where); deleting it costs time only.

Exit codes: 0 answered; 1 the answer is bad news (check: errors or findings, verify: damage); 2 wrong usage; 3 nothing there;
4 the store cannot be used; 5 anything else.`

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	a := &app{in: in, out: out, err: errw}
	cmd := a.command()
	cmd.SetArgs(args)
	asked, err := cmd.ExecuteContextC(ctx)
	code := exitCode(err)
	var silent codeError
	if err != nil && !errors.Is(err, errBadNews) && !errors.As(err, &silent) {
		fmt.Fprintf(errw, "cytisus: %v\n", err)
		if code == exitUsage {
			if asked == cmd {
				fmt.Fprintln(errw, "Run cytisus help for the commands.")
			} else {
				fmt.Fprintf(errw, "Run cytisus help %s for what it takes.\n", asked.Name())
			}
		}
	}
	return code
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:           "cytisus",
		Short:         "Index Go code and answer questions about it",
		Long:          long,
		Version:       versionLine(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("unknown command %q", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { // before cobra does, whose error is not told apart
		if err := cmd.ValidateFlagGroups(); err != nil {
			return &usageError{err}
		}
		return nil
	}
	f := root.PersistentFlags()
	f.StringVar(&a.flags.root, "root", "", "root of the workspace (default: the module around the file or the current directory)")
	f.StringVar(&a.flags.store, "store", "", "directory of the store (default: in the user's cache directory, one for each root)")
	f.BoolVar(&a.flags.memory, "memory", false, "keep nothing: everything is computed for this run only")
	f.BoolVar(&a.flags.json, "json", false, "print JSON for programs")
	f.BoolVar(&a.flags.tests, "tests", true, "include _test.go files")
	f.StringSliceVar(&a.flags.tags, "tags", nil, "build tags, comma-separated")
	f.IntVar(&a.flags.workers, "workers", 0, "worker threads (default: one for each CPU that the process may use)")
	a.flags.memMax.byteSize = defaultMemory
	f.Var(&a.flags.memMax, "memory-limit", "most memory of the process that opens the store, such as 512MiB; 0 for no limit")
	a.flags.diskMax = defaultDisk
	f.Var(&a.flags.diskMax, "disk-limit", "most bytes of the store, such as 4GiB; 0 for no limit")
	f.Var(&a.flags.sync, "sync", "what waits for the disk: none, group or every")
	f.StringVar(&a.flags.progress, "progress", "auto", "progress on standard error: auto, bar, plain or none")
	f.BoolVarP(&a.flags.verbose, "verbose", "v", false, "say more on standard error")
	f.StringVar(&a.flags.trace, "trace", "", "append what happens to each answer to this file, as lines of JSON: run, reused, verified, audited, and why")
	root.MarkFlagsMutuallyExclusive("store", "memory")
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetHelpCommand(helpCommand(root))
	root.AddCommand(
		a.indexCommand(), a.defCommand(), a.refsCommand(), a.hoverCommand(), a.implCommand(), a.callsCommand(), a.renameCommand(), a.symbolsCommand(), a.outlineCommand(), a.completeCommand(), a.signatureCommand(), a.fmtCommand(), a.fixCommand(), a.checkCommand(), a.explainCommand(),
		a.serveCommand(), a.daemonCommand(), a.statsCommand(), a.profileCommand(), a.analysisStatsCommand(), a.dbStatsCommand(), a.recordsCommand(), a.verifyCommand(), a.repairCommand(), a.versionCommand(), a.demoCommand(),
	)
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		for _, shell := range completion.Commands() {
			shell.Args = exactly(0, "no arguments")
		}
		completion.Args = nil
		completion.RunE = func(*cobra.Command, []string) error {
			return &usageError{errors.New("completion takes the name of a shell: bash, fish, powershell or zsh")}
		}
	}
	return root
}

// helpCommand is cobra's, which takes a command that there is not for the root.
func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Print what cytisus or one of its commands does",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err == nil && len(rest) > 0 {
				err = fmt.Errorf("unknown command %q", rest[0])
			}
			if err != nil {
				return &usageError{err}
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

// exactly refuses any other number of arguments, saying what is wanted.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return &usageError{fmt.Errorf("%s takes %s, got %d arguments", cmd.Name(), what, len(args))}
		}
		return nil
	}
}

// atMostOne accepts an optional argument.
func atMostOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return &usageError{fmt.Errorf("%s takes at most one argument, %s, got %d", cmd.Name(), what, len(args))}
		}
		return nil
	}
}

func (a *app) logger() *slog.Logger {
	level := slog.LevelWarn
	if a.flags.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level}))
}
