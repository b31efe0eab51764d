package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	pprof "github.com/google/pprof/profile"
	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/lsp/daemon"
	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime/profile"
)

func (a *app) profileCommand() *cobra.Command {
	var (
		seconds float64
		kind    string
		out     string
		top     int
	)
	kinds := make([]string, 0, len(profile.Kinds()))
	for _, k := range profile.Kinds() {
		kinds = append(kinds, string(k))
	}
	cmd := &cobra.Command{
		Use:   "profile [DIR]",
		Short: "Profile the process that has the store open, while it works",
		Long: `profile has the process that has the store around DIR (default: the current directory) open take a profile of itself, and writes
it to a file for go tool pprof, or, of kinds trace and flight, for go tool trace. What it serves goes on. Samples of a CPU profile are labelled with the
lane, the task and the client that they were for; of those profile prints where the time went.

Kinds: ` + strings.Join(kinds, ", ") + `. Heap and goroutine are of a moment, flight is of the last seconds if the process
was started with --flight-recorder, the others are of --seconds.`,
		Example: "  cytisus profile --seconds 30\n  cytisus profile --kind heap -o heap.pb.gz && go tool pprof -http : heap.pb.gz",
		Args:    atMostOne("a directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			k := profile.Kind(kind)
			if err := k.Check(); err != nil {
				return &usageError{err}
			}
			taken, err := a.takeProfile(cmd.Context(), dirArg(args), server.ProfileParams{Kind: k, Seconds: seconds})
			if err != nil {
				return err
			}
			if out == "-" {
				_, err := a.out.Write(taken.Data)
				return err
			}
			if out == "" {
				out = fmt.Sprintf("cytisus-%s-%s.%s", k, time.Now().Format("20060102-150405"), k.File())
			}
			if err := os.WriteFile(out, taken.Data, 0o600); err != nil {
				return err
			}
			return a.printProfile(k, taken, out, top)
		},
	}
	cmd.Flags().Float64Var(&seconds, "seconds", 10, "how long to profile, in seconds")
	cmd.Flags().StringVar(&kind, "kind", string(profile.CPU), "what to profile: "+strings.Join(kinds, ", "))
	cmd.Flags().StringVarP(&out, "output", "o", "", "write the profile to this file; - is standard output (default: a name with the time, here)")
	cmd.Flags().IntVar(&top, "top", 8, "lines in each part of what is printed of a CPU profile")
	return cmd
}

// takeProfile asks the process that has the store around a directory open. There has to be one.
func (a *app) takeProfile(ctx context.Context, from string, p server.ProfileParams) (taken server.ProfileResult, err error) {
	_, store, err := a.storeOf(from)
	if err != nil {
		return taken, err
	}
	if store == "" {
		return taken, &usageError{errors.New("profile needs a store: --memory keeps none")}
	}
	r, err := a.dialHost(ctx, store, "cytisus profile")
	if errors.Is(err, daemon.ErrNoHost) {
		return taken, &toldError{fmt.Sprintf("no process has the store at %s open: nothing to profile. An editor with cytisus serve is one, cytisus daemon another", store), err}
	}
	if err != nil {
		return taken, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	return taken, r.callPlain(ctx, server.MethodProfile, p, &taken)
}

// dialHost connects to the process that has a store open, about the store alone. It fails with
// daemon.ErrNoHost if there is none.
func (a *app) dialHost(ctx context.Context, store, name string) (*remote, error) {
	dialling, cancel := context.WithTimeout(ctx, dialFor)
	defer cancel()
	conn, _, err := daemon.Dial(dialling, store, a.daemonOptions(name))
	if err != nil {
		return nil, err
	}
	return newRemote(ctx, conn, "", store, noMeter{})
}

// printProfile says what was written, and where the time of a CPU profile went.
func (a *app) printProfile(kind profile.Kind, taken server.ProfileResult, file string, top int) error {
	var report *profile.Report
	if kind == profile.CPU {
		p, err := pprof.ParseData(taken.Data)
		if err != nil {
			return fmt.Errorf("reading the profile: %w", err)
		}
		if report, err = profile.Read(p); err != nil {
			return err
		}
		for i, share := range report.Clients {
			if id, err := strconv.ParseUint(share.Name, 10, 64); err == nil && taken.Clients[id] != "" {
				report.Clients[i].Name += " " + taken.Clients[id]
			}
		}
	}
	if a.flags.json {
		return a.printJSON(struct {
			File   string          `json:"file"`
			Kind   profile.Kind    `json:"kind"`
			Bytes  int             `json:"bytes"`
			Report *profile.Report `json:"report,omitempty"`
		}{file, kind, len(taken.Data), report})
	}
	if report != nil {
		if err := report.Write(a.out, top); err != nil {
			return err
		}
		fmt.Fprintln(a.out)
	}
	tool := "pprof"
	if kind.File() == profile.Trace.File() {
		tool = "trace"
	}
	_, err := fmt.Fprintf(a.out, "%s, %s: go tool %s %s\n", file, bytesText(int64(len(taken.Data))), tool, file)
	return err
}
