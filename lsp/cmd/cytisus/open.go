package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cytisus/cytisus/lsp/daemon"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime"
)

// dialFor is how long a command waits for a store that another process holds but does not serve.
const dialFor = 5 * time.Second

// openAsker opens the store and the workspace around a file or directory, or asks the process that
// has them open. what names the command.
func (a *app) openAsker(ctx context.Context, from, what string) (asker, error) {
	root, store, err := a.storeOf(from)
	if err != nil {
		return nil, err
	}
	l, r, err := a.openBackend(ctx, root, root, store, what)
	if err != nil {
		return nil, err
	}
	if r != nil {
		return r, nil
	}
	if err := l.openWorkspace(ctx, a); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// openInspector opens the store around a directory, which must be there, or asks the process that
// has it open. It returns where the store is, too.
func (a *app) openInspector(ctx context.Context, from, what string) (in inspector, store string, err error) {
	root, store, err := a.storeOf(from)
	if err != nil {
		return nil, "", err
	}
	if store == "" {
		return nil, "", &usageError{fmt.Errorf("%s needs a store: --memory keeps none", what)}
	}
	a.onlyLooks = true
	l, r, err := a.openBackend(ctx, root, "", store, what)
	if err != nil {
		return nil, "", err
	}
	if r != nil {
		return r, store, nil
	}
	return l, store, nil
}

// openBackend opens a store or connects to the process that serves it, about the workspace asked,
// which may be "". Exactly one of the two results is there if it succeeds.
func (a *app) openBackend(ctx context.Context, root, asked, store, what string) (l *local, r *remote, err error) {
	open := func() (err error) {
		l, err = a.openEngine(root, store, what)
		return err
	}
	if store == "" {
		return l, nil, open()
	}
	conn, err := a.openOrDial(ctx, store, "cytisus "+what, dialFor, open)
	if err != nil || conn == nil {
		return l, nil, err
	}
	m, err := a.newMeter()
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	r, err = newRemote(ctx, conn, asked, store, m)
	return nil, r, err
}

// openRecords opens the records of a store, which must be there, without an engine, or connects to
// the process that serves it. Exactly one of the two results is there if it succeeds.
func (a *app) openRecords(ctx context.Context, dir, what string, o mmapcas.Options) (st *mmapcas.Store, r *remote, err error) {
	o.Name, o.Logger = "cytisus "+what, a.logger()
	conn, err := a.openOrDial(ctx, dir, o.Name, dialFor, func() (err error) {
		if st, err = mmapcas.Open(dir, o); err != nil {
			err = &storeError{err}
		}
		return err
	})
	if errors.Is(err, runtime.ErrNoStore) {
		return nil, nil, noStoreError(dir)
	}
	if err != nil || conn == nil {
		return st, nil, err
	}
	r, err = newRemote(ctx, conn, "", dir, noMeter{})
	return nil, r, err
}

// openOrDial opens a store or connects to the process that holds it: exactly one of a connection
// and a successful open.
func (a *app) openOrDial(ctx context.Context, store, name string, patience time.Duration, open func() error) (daemon.Conn, error) {
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, _, err := daemon.OpenOrDial(wait, store, a.daemonOptions(name), runtime.ErrLocked, open)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		var locked *runtime.LockedError
		if errors.As(err, &locked) {
			return nil, locked // the holder does not serve: its name is what helps
		}
	}
	if conn != nil && a.flags.trace != "" {
		a.logger().Warn("another process holds the store: what happens there is not in the file that --trace names", "file", a.flags.trace)
	}
	return conn, err
}

func (a *app) daemonOptions(name string) daemon.Options {
	return daemon.Options{Build: build(), Name: name, Logger: a.logger()}
}

// build identifies this very program, since version alone is the same for every build from a work
// tree.
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
