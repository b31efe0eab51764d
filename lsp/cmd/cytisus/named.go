package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cytisus/cytisus/lsp"
)

// askingAbout opens an asker for what an argument says, a place or a name, and runs fn with the
// place.
func (a *app) askingAbout(ctx context.Context, arg string, fn func(q asker, p place) error) error {
	p, err := parsePlace(arg)
	if err == nil {
		return a.asking(ctx, p.file, func(q asker) error { return fn(q, p) })
	}
	if strings.ContainsAny(arg, ":\\ ") || arg == "" || exists(arg) {
		return err // a place with something missing
	}
	return a.asking(ctx, ".", func(q asker) error {
		p, err := placeNamed(ctx, q, arg)
		if err != nil {
			return err
		}
		return fn(q, p)
	})
}

// errAmbiguous is in the error for a name that several declarations have.
var errAmbiguous = errors.New("several declarations have the name")

// placeNamed is where the workspace declares what has a name: net/http.Client.Do, http.Client.Do or
// Client.Do. What the name says in full goes before what it only ends like.
func placeNamed(ctx context.Context, q asker, name string) (place, error) {
	all, err := q.symbols(ctx, name, namesMax)
	if err != nil {
		return place{}, err
	}
	full := func(s foundSymbol) string { return s.Container + "." + s.Name }
	for _, isCalled := range []func(foundSymbol) bool{
		func(s foundSymbol) bool { return full(s) == name },
		func(s foundSymbol) bool { return strings.HasSuffix(full(s), "/"+name) },
		func(s foundSymbol) bool { return s.Name == name },
	} {
		var same []foundSymbol
		for _, s := range all {
			if isCalled(s) {
				same = append(same, s)
			}
		}
		switch len(same) {
		case 0:
			continue
		case 1:
			at := same[0].Place
			file, err := existingFile(at.File)
			return place{file, at.Line, at.Column}, err
		}
		var places []string
		for _, s := range same {
			places = append(places, fmt.Sprintf("%s (%s)", s.Place, full(s)))
		}
		return place{}, &usageError{fmt.Errorf("%q: %w: %s", name, errAmbiguous, strings.Join(places, ", "))}
	}
	return place{}, &toldError{fmt.Sprintf("nothing that the workspace declares is called %q; a place is written FILE:LINE:COL", name), lsp.ErrNoSymbol}
}

// namesMax is how many declarations are looked at for a name, the likeliest first.
const namesMax = 256
