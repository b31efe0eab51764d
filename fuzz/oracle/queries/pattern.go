package queries

import (
	"fmt"
	"strings"

	"github.com/cytisus/cytisus/runtime"
)

// A Form is a form of patterns.
type Form int

// The forms of patterns.
const (
	Every Form = iota
	Exact
	Prefix
	Range
	Glob
)

// A Pattern is a runtime.Pattern that the plain interpreter understands by itself.
type Pattern struct {
	Form Form
	A, B string
}

// globs are the globs of programs, each with what it means.
var globs = map[string]func(key string) bool{
	"d*":     func(k string) bool { return strings.HasPrefix(k, "d") },
	"[a-c]":  func(k string) bool { return k == "a" || k == "b" || k == "c" },
	"*[13]":  func(k string) bool { return strings.HasSuffix(k, "1") || strings.HasSuffix(k, "3") },
	"{a,d?}": func(k string) bool { return k == "a" || len(k) == 2 && k[0] == 'd' },
}

func (p Pattern) matches(key string) bool {
	switch p.Form {
	case Exact:
		return key == p.A
	case Prefix:
		return strings.HasPrefix(key, p.A)
	case Range:
		return p.A <= key && (p.B == "" || key < p.B)
	case Glob:
		return globs[p.A](key)
	}
	return true
}

func (p Pattern) pattern() runtime.Pattern {
	switch p.Form {
	case Exact:
		return runtime.Exact(p.A)
	case Prefix:
		return runtime.Prefix(p.A)
	case Range:
		return runtime.Range(p.A, p.B)
	case Glob:
		return runtime.Glob(p.A)
	}
	return runtime.All()
}

func (p Pattern) String() string {
	switch p.Form {
	case Exact:
		return "exactly " + p.A
	case Prefix:
		return p.A + "..."
	case Range:
		return fmt.Sprintf("%s to %s", p.A, p.B)
	case Glob:
		return p.A
	}
	return "all"
}
