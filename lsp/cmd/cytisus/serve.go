package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/daemon"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/golang"
	"github.com/cytisus/cytisus/lsp/server"
)

func (a *app) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Speak the Language Server Protocol on standard input and output",
		Long: `serve is what an editor starts. The first serve of a module opens its store and shares it: further editors, and the questions of the
shell, are answered by that process. It ends when its editor and everybody else have left.`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer surviveBrokenPipes()()
			code, err := a.serve(cmd.Context(), dispatch.Stdio())
			if err == nil && code != 0 {
				return codeError(code)
			}
			return err
		},
	}
}

// serve serves one client on rw, from a store of its own or through the process that holds it.
func (a *app) serve(ctx context.Context, rw io.ReadWriteCloser) (code int, err error) {
	// The workspace, and with it the store, is what initialize says.
	first, rw := dispatch.Peek(rw, dispatch.Options{})
	from := server.RootOf(first.Params)
	if from == "" {
		from = "."
	}
	root, store, err := a.storeOf(from)
	if err != nil {
		return 1, errors.Join(err, rw.Close())
	}
	var l *local
	open := func() error {
		l, err = a.openEngine(root, store, "serve")
		return err
	}
	if store == "" {
		if err := open(); err != nil {
			return 1, errors.Join(err, rw.Close())
		}
	} else {
		conn, err := a.openOrDial(ctx, store, "cytisus serve", open)
		if err != nil {
			return 1, errors.Join(err, rw.Close())
		}
		if conn != nil {
			return daemon.Bridge(ctx, conn, rw)
		}
	}
	defer func() { err = errors.Join(err, l.close()) }()
	host, err := a.newHost(l, root)
	if err != nil {
		return 1, errors.Join(err, rw.Close())
	}
	defer func() { err = errors.Join(err, host.Close()) }()
	if store == "" {
		return host.Serve(ctx, rw)
	}
	guests, err := a.listen(ctx, store, "cytisus serve", 0, host)
	if err != nil {
		// An editor without guests is still served.
		a.logger().Warn("the store cannot be shared with other processes", "err", err)
		return host.Serve(ctx, rw)
	}
	code, err = host.Serve(ctx, rw)
	for ctx.Err() == nil && host.Sessions() > 0 {
		time.Sleep(guestsLookEvery)
	}
	return code, errors.Join(err, guests.close())
}

// guestsLookEvery is how often a process whose own client has left looks whether the others have.
const guestsLookEvery = 100 * time.Millisecond

func (a *app) newHost(l *local, root string) (*server.Host, error) {
	return server.NewHost(l.eng, golang.Language{}, server.Options{
		Name: "cytisus", Version: version(), Root: root, Logger: a.logger(),
		Workspace: lsp.WorkspaceOptions{Tests: a.flags.tests, BuildTags: a.flags.tags, Logger: a.logger()},
	})
}

// guests are the clients that come over the socket.
type guests struct {
	host  *daemon.Host
	ended chan error
}

// listen serves whoever connects to the store's socket from now on.
func (a *app) listen(ctx context.Context, store, name string, idle time.Duration, host *server.Host) (*guests, error) {
	dh, err := daemon.Listen(store, a.daemonOptions(name))
	if err != nil {
		return nil, err
	}
	g := &guests{host: dh, ended: make(chan error, 1)}
	go func() {
		g.ended <- dh.Serve(ctx, idle, func(ctx context.Context, conn net.Conn, peer daemon.Peer) {
			if _, err := host.Serve(ctx, conn); err != nil {
				a.logger().Debug("client left", "client", peer.Name, "pid", peer.PID, "err", err)
			}
		})
	}()
	return g, nil
}

func (g *guests) close() error {
	g.host.Close()
	return <-g.ended
}

func (a *app) daemonCommand() *cobra.Command {
	var (
		idle         time.Duration
		stop, status bool
	)
	cmd := &cobra.Command{
		Use:   "daemon [DIR]",
		Short: "Hold the store of a module open and serve editors and the shell from it",
		Long: `daemon opens the store of the module around DIR (default: the current directory), indexes it, and answers every cytisus serve and every
question from the shell over a private socket until nobody has been connected for --idle. It stays in the foreground.`,
		Args: atMostOne("a directory"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			ctx := cmd.Context()
			root, store, err := a.storeOf(dirArg(args))
			if err != nil {
				return err
			}
			if store == "" {
				return &usageError{errors.New("a daemon needs a store: --memory cannot be shared")}
			}
			switch {
			case stop:
				info, err := daemon.AskStop(ctx, store, a.daemonOptions("cytisus daemon"))
				if err == nil {
					fmt.Fprintf(a.out, "stopped process %d (%s)\n", info.PID, info.Name)
				}
				return err
			case status:
				info, err := daemon.AskStatus(ctx, store, a.daemonOptions("cytisus daemon"))
				if err != nil {
					return err
				}
				if a.flags.json {
					return a.printJSON(info)
				}
				fmt.Fprintf(a.out, "process %d (%s) has held %s since %s\n", info.PID, info.Name, info.Store, info.Started.Format(time.RFC3339))
				for _, c := range info.Clients {
					fmt.Fprintf(a.out, "  client: process %d (%s)\n", c.PID, c.Name)
				}
				return nil
			}
			defer surviveBrokenPipes()()
			l, err := a.openEngine(root, store, "daemon")
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, l.close()) }()
			host, err := a.newHost(l, root)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, host.Close()) }()
			g, err := a.listen(ctx, store, "cytisus daemon", idle, host)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.err, "serving %s from %s\n", root, store)
			if _, err := host.Open(ctx, root); err != nil {
				return errors.Join(err, g.close())
			}
			if _, err := host.Index(ctx, root); err != nil && ctx.Err() == nil {
				a.logger().Warn("indexing failed", "err", err)
			}
			err = <-g.ended
			if errors.Is(err, daemon.ErrIdle) || errors.Is(err, daemon.ErrStopped) || errors.Is(err, context.Canceled) {
				return nil // ways to end that somebody asked for
			}
			return err
		},
	}
	cmd.Flags().DurationVar(&idle, "idle", 10*time.Minute, "end after nobody has been connected for this long; 0 means never")
	cmd.Flags().BoolVar(&stop, "stop", false, "end the process that holds the store")
	cmd.Flags().BoolVar(&status, "status", false, "say which process holds the store and for whom")
	return cmd
}
