package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cytisus/cytisus/lsp/daemon"
	"github.com/cytisus/cytisus/mmapcas"
)

// dialFor is how long a command waits for a store that another process holds but does not serve.
const dialFor = 5 * time.Second

// openAsker opens the store around a file or directory, or asks the process that has it open.
func (a *app) openAsker(ctx context.Context, from string) (asker, error) {
	root, store, err := a.storeOf(from)
	if err != nil {
		return nil, err
	}
	var l *local
	open := func() error {
		l, err = a.openLocal(ctx, from, "query")
		return err
	}
	if store == "" {
		if err := open(); err != nil {
			return nil, err
		}
	} else {
		conn, err := a.openOrDial(ctx, store, "cytisus query", dialFor, open)
		if err != nil {
			return nil, err
		}
		if conn != nil {
			return newRemote(ctx, conn, root)
		}
	}
	if err := l.refresh(ctx); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// openOrDial opens a store or connects to the process that holds it: exactly one of a connection and a successful open.
func (a *app) openOrDial(ctx context.Context, store, name string, patience time.Duration, open func() error) (daemon.Conn, error) {
	if err := os.MkdirAll(store, 0o700); err != nil {
		return nil, fmt.Errorf("making the store's directory: %w", err)
	}
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, _, err := daemon.OpenOrDial(wait, store, a.daemonOptions(name), mmapcas.ErrLocked, open)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		var locked *mmapcas.LockedError
		if errors.As(err, &locked) {
			return nil, locked // the holder does not serve: its name is what helps
		}
	}
	return conn, err
}

func (a *app) daemonOptions(name string) daemon.Options {
	return daemon.Options{Build: build(), Name: name, Logger: a.logger()}
}

// build identifies this very program, since version alone is the same for every build from a work tree.
func build() string {
	exe, err := os.Executable()
	if err != nil {
		return version()
	}
	st, err := os.Stat(exe)
	if err != nil {
		return version()
	}
	return fmt.Sprintf("%s %d %d", version(), st.Size(), st.ModTime().UnixNano())
}
