package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/lsp/live"
	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime/profile"
)

// A hostSource asks whichever process is the host of a store: this one, or another one. Each
// question has a connection of its own, so that looking keeps no host from ending, and finds the
// next one.
type hostSource struct {
	a     *app
	store string
}

// lookFlags gives a command that may be a host the flags that let people look at it.
func (a *app) lookFlags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&a.flightAfter, "flight-recorder", 0,
		"keep an execution trace of the last seconds, and write it into the store's directory when a request takes so long, such as 500ms; 0 is off")
	cmd.Flags().StringVar(&a.http, "http", "", "show what the process does at this loopback address, such as 127.0.0.1:0; standard error says where")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if a.flightAfter < 0 {
			return &usageError{fmt.Errorf("--flight-recorder %v: want a time, or 0", a.flightAfter)}
		}
		if a.http == "" {
			return nil
		}
		if err := live.CheckAddress(a.http); err != nil {
			return &usageError{err}
		}
		return nil
	}
}

// beginLive shows the host of a store at an address until what it returns is called. With no
// address there is nothing to do.
func (a *app) beginLive(address, store string) (end func() error, err error) {
	if address == "" {
		return func() error { return nil }, nil
	}
	if store == "" {
		return nil, &usageError{errors.New("--http needs a store: --memory keeps none")}
	}
	shown, err := live.Listen(address, &hostSource{a, store}, a.logger())
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(a.err, "live page at %s\n", shown.URL())
	return shown.Close, nil
}

// beginFlight starts the flight recorder of the host of a store, if that was asked for. It is not
// worth a host: if it does not start, the log says so.
func (a *app) beginFlight(store string) *profile.Flight {
	if a.flightAfter == 0 || store == "" {
		return nil
	}
	f, err := profile.StartFlight(filepath.Join(store, profile.FlightDir), a.flightAfter, a.logger())
	if err != nil {
		a.logger().Warn("no flight recorder", "err", err)
		return nil
	}
	return f
}

// ask calls a method of the host.
func (s *hostSource) ask(ctx context.Context, method string, params, result any) (err error) {
	r, err := s.a.dialHost(ctx, s.store, "cytisus live page")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	return r.callPlain(ctx, method, params, result)
}

func (s *hostSource) Stats(ctx context.Context) (st server.Stats, err error) {
	return st, s.ask(ctx, server.MethodStats, nil, &st)
}

func (s *hostSource) Memory(ctx context.Context) (m server.Memory, err error) {
	return m, s.ask(ctx, server.MethodMemory, nil, &m)
}

func (s *hostSource) Profile(ctx context.Context, p server.ProfileParams) (r server.ProfileResult, err error) {
	return r, s.ask(ctx, server.MethodProfile, p, &r)
}
