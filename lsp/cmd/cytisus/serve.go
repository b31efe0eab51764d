package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/daemon"
	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/lsp/golang"
	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime/profile"
)

func (a *app) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Speak the Language Server Protocol on standard input and output",
		Long: `serve is what an editor starts. The first serve of a module opens its store and shares it: further editors, and the
questions of the shell, are answered by that process. It ends when its editor and everybody else have left. If it ends
earlier, by a kill or by cytisus daemon --stop, one of the others takes the store over and nothing is lost.`,
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
	a.lookFlags(cmd)
	return cmd
}

// serve serves one client on rw, from a store of its own or through the process that holds it.
// When that process ends, this one takes over, or finds the one that has.
func (a *app) serve(ctx context.Context, rw io.ReadWriteCloser) (code int, err error) {
	// The workspace, and with it the store, is what initialize says.
	unwatch := context.AfterFunc(ctx, func() { rw.Close() }) // which ends a read that waits
	first, rw := dispatch.Peek(rw, dispatch.Options{})
	if !unwatch() {
		return 1, context.Cause(ctx)
	}
	from := server.RootOf(first.Params)
	if from == "" {
		from = "."
	}
	s := &serving{a: a, ctx: ctx}
	s.root, s.store, s.lost = a.servedRoot(from)
	endLive, err := a.beginLive(a.http, s.store)
	if err != nil {
		return 1, errors.Join(err, rw.Close())
	}
	defer func() { err = errors.Join(err, endLive()) }()
	code, err = daemon.NewBridge(rw, s.link, a.daemonOptions("cytisus serve")).Run(ctx)
	return code, errors.Join(err, s.close())
}

// A serving finds hosts for the client of cytisus serve. It is used by one goroutine.
type serving struct {
	a           *app
	ctx         context.Context // of the process
	root, store string
	own         *hosting // nil while another process is the host
	linked      bool     // there has been a host
	lost        error    // why the store is not used; nil while it is
	notice      string   // what the user is to be told with the next link
}

// takeoverFor bounds how long a process waits for a store whose holder does not serve it. The
// process that is about to take a store over may have much to recover.
const takeoverFor = 30 * time.Second

// hostsDie is how many hosts in a row may end before they are told everything, until the store
// is given up: something in it, or in what the client has open, is what ends them.
const hostsDie = 4

// link is the client's daemon.Connector. It works from memory if there is no host to be had.
func (s *serving) link(ctx context.Context, failures int) (daemon.Link, error) {
	if s.own != nil {
		if conn := s.own.connect(); conn != nil {
			return daemon.Link{Conn: conn}, nil
		}
		err := s.own.wait()
		if failed, ok := errors.AsType[*storeFailedError](err); ok {
			s.lost = failed
		} else if err != nil {
			s.a.logger().Warn("this process is the host no longer", "err", err)
			s.notice = fmt.Sprintf("cytisus: %v. Nothing is lost but time: what is in the store is computed again.", err)
		}
		s.own = nil
	}
	if failures >= hostsDie && s.lost == nil {
		s.lost = fmt.Errorf("%d hosts of %s in a row have ended at once", failures, s.store)
	}
	if s.store == "" || s.lost != nil {
		return s.memoryLink()
	}
	link, err := s.storeLink(ctx)
	if err == nil || ctx.Err() != nil {
		return link, err
	}
	s.lost = err
	return s.memoryLink()
}

// storeLink dials the store's host, or makes this process it.
func (s *serving) storeLink(ctx context.Context) (daemon.Link, error) {
	patience := dialFor
	if s.linked {
		patience = takeoverFor
	}
	for {
		var l *local
		conn, err := s.a.openOrDial(ctx, s.store, "cytisus serve", patience, func() (err error) {
			l, err = s.a.openEngine(s.root, s.store, "serve")
			return err
		})
		if err != nil {
			return daemon.Link{}, err
		}
		s.linked = true
		if conn != nil {
			return daemon.Link{Conn: conn, Notice: s.takeNotice()}, nil
		}
		own, err := s.a.beginHosting(s.ctx, l, "cytisus serve", 0)
		if errors.Is(err, daemon.ErrHosted) {
			continue // which is dialled
		}
		if err != nil {
			return daemon.Link{}, err
		}
		if conn := own.connect(); conn != nil {
			s.own = own
			return daemon.Link{Conn: conn, Notice: s.takeNotice()}, nil
		}
	}
}

func (s *serving) takeNotice() (notice string) {
	notice, s.notice = s.notice, ""
	return notice
}

// close serves other processes until they have left.
func (s *serving) close() error {
	if s.own == nil {
		return nil
	}
	return s.own.drain()
}

func (a *app) newHost(l *local, root string, flight *profile.Flight, storeFailed func(error) bool) (*server.Host, error) {
	return server.NewHost(l.eng, golang.Language{}, server.Options{
		StoreFailed: storeFailed,
		WatchDisk:   true,
		Name:        "cytisus", Version: version(), Root: root, Logger: a.logger(), Flight: flight,
		Dispatch:  dispatch.Options{HangUp: true}, // every editor is behind a bridge
		Workspace: lsp.WorkspaceOptions{Tests: a.flags.tests, BuildTags: a.flags.tags, Lint: true, Logger: a.logger()},
	})
}

// errNotShared ends a daemon that no process can connect to.
var errNotShared = errors.New("a daemon without a socket serves nobody")

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
			endLive, err := a.beginLive(a.http, store)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, endLive()) }()
			defer surviveBrokenPipes()()
			l, err := a.openEngine(root, store, "daemon")
			if err != nil {
				return err
			}
			h, err := a.beginHosting(ctx, l, "cytisus daemon", idle)
			if err != nil {
				return err
			}
			if h.shared == nil {
				h.endWith(errNotShared)
				return h.wait()
			}
			fmt.Fprintf(a.err, "serving %s from %s\n", root, store)
			if _, err := h.host.Open(ctx, root); err != nil {
				h.endWith(err)
				return h.wait()
			}
			if _, err := h.host.Index(ctx, root); err != nil && h.end.Err() == nil {
				a.logger().Warn("indexing failed", "err", err)
			}
			return h.wait()
		},
	}
	a.lookFlags(cmd)
	cmd.Flags().DurationVar(&idle, "idle", 10*time.Minute, "end after nobody has been connected for this long; 0 means never")
	cmd.Flags().BoolVar(&stop, "stop", false, "end the process that holds the store")
	cmd.Flags().BoolVar(&status, "status", false, "say which process holds the store and for whom")
	return cmd
}
