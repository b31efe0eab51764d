package lint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/appends"
	"golang.org/x/tools/go/analysis/passes/assign"
	"golang.org/x/tools/go/analysis/passes/atomic"
	"golang.org/x/tools/go/analysis/passes/bools"
	"golang.org/x/tools/go/analysis/passes/buildtag"
	"golang.org/x/tools/go/analysis/passes/composite"
	"golang.org/x/tools/go/analysis/passes/copylock"
	"golang.org/x/tools/go/analysis/passes/deepequalerrors"
	"golang.org/x/tools/go/analysis/passes/defers"
	"golang.org/x/tools/go/analysis/passes/directive"
	"golang.org/x/tools/go/analysis/passes/errorsas"
	"golang.org/x/tools/go/analysis/passes/hostport"
	"golang.org/x/tools/go/analysis/passes/httpresponse"
	"golang.org/x/tools/go/analysis/passes/ifaceassert"
	"golang.org/x/tools/go/analysis/passes/inline"
	"golang.org/x/tools/go/analysis/passes/loopclosure"
	"golang.org/x/tools/go/analysis/passes/lostcancel"
	"golang.org/x/tools/go/analysis/passes/modernize"
	"golang.org/x/tools/go/analysis/passes/nilfunc"
	"golang.org/x/tools/go/analysis/passes/nilness"
	"golang.org/x/tools/go/analysis/passes/printf"
	"golang.org/x/tools/go/analysis/passes/scannererr"
	"golang.org/x/tools/go/analysis/passes/shadow"
	"golang.org/x/tools/go/analysis/passes/shift"
	"golang.org/x/tools/go/analysis/passes/sigchanyzer"
	"golang.org/x/tools/go/analysis/passes/slog"
	"golang.org/x/tools/go/analysis/passes/sortslice"
	"golang.org/x/tools/go/analysis/passes/sqlrowserr"
	"golang.org/x/tools/go/analysis/passes/stdmethods"
	"golang.org/x/tools/go/analysis/passes/stdversion"
	"golang.org/x/tools/go/analysis/passes/stringintconv"
	"golang.org/x/tools/go/analysis/passes/structtag"
	"golang.org/x/tools/go/analysis/passes/testinggoroutine"
	"golang.org/x/tools/go/analysis/passes/tests"
	"golang.org/x/tools/go/analysis/passes/timeformat"
	"golang.org/x/tools/go/analysis/passes/unmarshal"
	"golang.org/x/tools/go/analysis/passes/unreachable"
	"golang.org/x/tools/go/analysis/passes/unsafeptr"
	"golang.org/x/tools/go/analysis/passes/unusedresult"
	"golang.org/x/tools/go/analysis/passes/unusedwrite"
	"golang.org/x/tools/go/analysis/passes/waitgroup"
	"honnef.co/go/tools/analysis/lint"
	"honnef.co/go/tools/quickfix"
	"honnef.co/go/tools/simple"
	"honnef.co/go/tools/staticcheck"
	"honnef.co/go/tools/stylecheck"

	"github.com/cytisus/cytisus/lsp"
)

// A known is an analyzer, and how what it finds is shown.
type known struct {
	*analysis.Analyzer
	severity lsp.Severity
	on       bool // unless it is switched off
	style    bool // of staticcheck, about more than mistakes: see Settings
}

// vetted are those of go vet, and others like them.
var vetted = []*analysis.Analyzer{
	appends.Analyzer, assign.Analyzer, atomic.Analyzer, bools.Analyzer, buildtag.Analyzer, composite.Analyzer,
	copylock.Analyzer, deepequalerrors.Analyzer, defers.Analyzer, directive.Analyzer, errorsas.Analyzer,
	hostport.Analyzer, httpresponse.Analyzer, ifaceassert.Analyzer, loopclosure.Analyzer, lostcancel.Analyzer,
	nilfunc.Analyzer, nilness.Analyzer, printf.Analyzer, scannererr.Analyzer, shift.Analyzer, sigchanyzer.Analyzer, slog.Analyzer,
	sortslice.Analyzer, sqlrowserr.Analyzer, stdmethods.Analyzer, stdversion.Analyzer, stringintconv.Analyzer, structtag.Analyzer,
	testinggoroutine.Analyzer, tests.Analyzer, timeformat.Analyzer, unmarshal.Analyzer, unreachable.Analyzer,
	unsafeptr.Analyzer, unusedresult.Analyzer, unusedwrite.Analyzer, waitgroup.Analyzer,
}

// spoken are analyzers of staticcheck that say what one of the others says, and so are off.
var spoken = map[string]string{
	"SA1014": "unmarshal",
	"SA2000": "waitgroup",
	"SA2002": "testinggoroutine",
	"SA4018": "assign",
	"SA5008": "structtag",
	"SA5009": "printf",
	"SA5011": "nilness",
}

// all are the analyzers by name.
var all = sync.OnceValue(func() map[string]known {
	m := map[string]known{}
	for _, a := range vetted {
		m[a.Name] = known{Analyzer: a, severity: lsp.SeverityWarning, on: true}
	}
	m[inline.Analyzer.Name] = known{Analyzer: inline.Analyzer, severity: lsp.SeverityHint, on: true}
	m[shadow.Analyzer.Name] = known{Analyzer: shadow.Analyzer, severity: lsp.SeverityWarning}
	for _, a := range modernize.Suite {
		m[a.Name] = known{Analyzer: a, severity: lsp.SeverityHint, on: true}
	}
	add := func(list []*lint.Analyzer, severity lsp.Severity, style bool) {
		for _, a := range list {
			on := (a.Doc == nil || !a.Doc.NonDefault) && spoken[a.Analyzer.Name] == ""
			m[a.Analyzer.Name] = known{Analyzer: a.Analyzer, severity: severity, on: on, style: style}
		}
	}
	add(staticcheck.Analyzers, lsp.SeverityWarning, false)
	add(simple.Analyzers, lsp.SeverityInfo, true)
	add(stylecheck.Analyzers, lsp.SeverityInfo, true)
	add(quickfix.Analyzers, lsp.SeverityHint, true)
	return m
})

// Settings say which analyzers run. The zero value is what most people want: those that find
// mistakes, and those that know a newer way to write something.
type Settings struct {
	// Analyses switches analyzers on and off, by name.
	Analyses map[string]bool `json:"analyses,omitempty"`

	// Staticcheck switches all default analyzers of staticcheck on or off. If it is not said, those
	// that find mistakes run, and not those about style.
	Staticcheck *bool `json:"staticcheck,omitempty"`
}

// Key is a text that is equal for equal settings, and that ReadKey understands.
func (s Settings) Key() string {
	b, err := json.Marshal(s) // maps in order
	if err != nil {
		return ""
	}
	return string(b)
}

// ReadKey reads settings from a key.
func ReadKey(key string) (s Settings, err error) {
	if err := json.Unmarshal([]byte(key), &s); err != nil {
		return s, fmt.Errorf("lint: settings: %w", err)
	}
	return s, nil
}

// Unknown are names that Analyses has and no analyzer.
func (s Settings) Unknown() (names []string) {
	for name := range s.Analyses {
		if _, ok := all()[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// chosen are the analyzers that run, by name.
func (s Settings) chosen() (list []known) {
	for name, k := range all() {
		on := k.on && !k.style
		if s.Staticcheck != nil && isStaticcheck(name) {
			on = k.on && *s.Staticcheck
		}
		if said, ok := s.Analyses[name]; ok {
			on = said
		}
		if on {
			list = append(list, k)
		}
	}
	slices.SortFunc(list, func(a, b known) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// isStaticcheck reports whether a name is one of staticcheck's, such as SA1000.
func isStaticcheck(name string) bool {
	return strings.IndexAny(name, "0123456789") > 0 && strings.ToUpper(name) == name
}
