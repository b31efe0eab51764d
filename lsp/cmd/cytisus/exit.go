package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/daemon"
	"github.com/cytisus/cytisus/lsp/golang"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime"
)

// Exit codes; the package comment lists them for users.
const (
	exitOK       = 0
	exitBadNews  = 1
	exitUsage    = 2
	exitNothing  = 3
	exitStore    = 4
	exitInternal = 5
)

// errBadNews ends a command whose answer was printed and is bad news.
var errBadNews = errors.New("the answer is bad news")

// A usageError is a command line that cannot be understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// A toldError says in words of its own what another error stands for.
type toldError struct {
	text string
	of   error
}

func (e *toldError) Error() string { return e.text }
func (e *toldError) Unwrap() error { return e.of }

// A codeError ends the command with a given exit code and nothing more to print.
type codeError int

func (e codeError) Error() string { return "" }

// A storeError is what keeps a store from being found, made or opened.
type storeError struct{ err error }

func (e *storeError) Error() string { return e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// A noStoreError names the directory in which there should be a store.
type noStoreError string

func (e noStoreError) Error() string {
	return fmt.Sprintf("there is no store at %s; run cytisus index first", string(e))
}

func exitCode(err error) int {
	var (
		usage *usageError
		code  codeError
		none  noStoreError
		store *storeError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, errBadNews):
		return exitBadNews
	case errors.As(err, &usage), errors.Is(err, golang.ErrNoAnalyzer):
		return exitUsage
	case errors.Is(err, daemon.ErrNoHost):
		return exitNothing
	case errors.Is(err, lsp.ErrNoSymbol), errors.Is(err, lsp.ErrUnknownFile), errors.Is(err, lsp.ErrOutOfRange), errors.Is(err, runtime.ErrNotFound),
		errors.As(err, &none):
		return exitNothing
	case errors.Is(err, daemon.ErrRefused), errors.Is(err, runtime.ErrLocked), errors.Is(err, runtime.ErrNewerFormat), errors.Is(err, runtime.ErrNoSpace),
		errors.Is(err, runtime.ErrReadOnly), errors.Is(err, runtime.ErrCorrupt), errors.Is(err, runtime.ErrUnsafe), errors.Is(err, mmapcas.ErrDisplaced),
		errors.As(err, &store):
		return exitStore
	case errors.Is(err, context.Canceled):
		return 130 // as shells report an interrupt
	default:
		return exitInternal
	}
}
