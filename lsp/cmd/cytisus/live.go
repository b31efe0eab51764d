package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/lsp/live"
	"github.com/cytisus/cytisus/lsp/server"
)

// A hostSource asks whichever process is the host of a store: this one, or another one. Each
// question has a connection of its own, so that looking keeps no host from ending, and finds the
// next one.
type hostSource struct {
	a     *app
	store string
}

// httpFlag gives a command that may be a host the flag that shows it.
func (a *app) httpFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.http, "http", "", "show what the process does at this loopback address, such as 127.0.0.1:0; standard error says where")
	cmd.PreRunE = func(*cobra.Command, []string) error {
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
