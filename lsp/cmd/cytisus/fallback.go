package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/cytisus/cytisus/lsp/daemon"
	"github.com/cytisus/cytisus/runtime"
)

// A storeFailedError ends a hosting whose store is of no use any more.
type storeFailedError struct{ err error }

func (e *storeFailedError) Error() string { return e.err.Error() }
func (e *storeFailedError) Unwrap() error { return e.err }

// storeIsLost reports whether an error of an engine says that it cannot go on with its store.
// Damage is none: what is lost is computed or read again.
func storeIsLost(err error) bool {
	return errors.Is(err, runtime.ErrNoSpace) || errors.Is(err, runtime.ErrReadOnly) || errors.Is(err, runtime.ErrSync)
}

// fromMemory says to an editor's user why its session works without a store, and what to do.
func fromMemory(store string, err error) string {
	return fmt.Sprintf("cytisus: %v. This session works from memory: answers are the same, but nothing is kept. %s", err, remedy(store, err))
}

// remedy says what to do about a store that cannot be used.
func remedy(store string, err error) string {
	var locked *runtime.LockedError
	switch {
	case errors.Is(err, runtime.ErrNoSpace):
		return "Free space on the disk and restart the server."
	case errors.Is(err, runtime.ErrNewerFormat):
		return "Use the newer cytisus that wrote the store, or give serve another directory with --store."
	case errors.Is(err, runtime.ErrCorrupt):
		return fmt.Sprintf("Delete %s, which costs time only, and restart the server.", store)
	case errors.As(err, &locked):
		return "Restart the server when that process has ended."
	case errors.Is(err, daemon.ErrRefused):
		return "Use one build of cytisus for all editors, and restart the server."
	case errors.Is(err, runtime.ErrReadOnly):
		return fmt.Sprintf("Make %s writable or give serve another directory with --store, and restart the server.", store)
	}
	return "Give serve a directory that it can use with --store, and restart the server."
}

// servedRoot is storeOf for a server, which has to answer also where something is wrong: a root
// that is not there is taken as it is named. It is "" if the current directory is meant and has
// been removed.
func (a *app) servedRoot(from string) (root, store string, err error) {
	root, store, err = a.storeOf(from)
	if err == nil {
		return root, store, nil
	}
	if root == "" {
		root, _ = filepath.Abs(from) // err tells why not
	}
	return root, "", err
}

// memoryLink makes a host without a store.
func (s *serving) memoryLink() (daemon.Link, error) {
	l, err := s.a.openEngine(s.root, "", "serve")
	if err != nil {
		return daemon.Link{}, errors.Join(s.lost, err)
	}
	own, err := s.a.beginHosting(s.ctx, l, "cytisus serve", 0)
	if err != nil {
		return daemon.Link{}, errors.Join(s.lost, err)
	}
	conn := own.connect()
	if conn == nil {
		return daemon.Link{}, errors.Join(s.lost, context.Cause(s.ctx))
	}
	s.own = own
	link := daemon.Link{Conn: conn}
	if s.lost != nil {
		link.Notice = fromMemory(s.store, s.lost)
		s.a.logger().Warn("serving from memory", "err", s.lost)
	}
	return link, nil
}
