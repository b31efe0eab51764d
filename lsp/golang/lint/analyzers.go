package lint

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/atomicalign"
	"golang.org/x/tools/go/analysis/passes/deepequalerrors"
	"golang.org/x/tools/go/analysis/passes/fieldalignment"
	"golang.org/x/tools/go/analysis/passes/modernize"
	"golang.org/x/tools/go/analysis/passes/nilness"
	"golang.org/x/tools/go/analysis/passes/shadow"
	"golang.org/x/tools/go/analysis/passes/sortslice"
	"golang.org/x/tools/go/analysis/passes/unusedwrite"
	"golang.org/x/tools/go/analysis/suite/fix"
	"golang.org/x/tools/go/analysis/suite/vet"
	"honnef.co/go/tools/analysis/lint"
	"honnef.co/go/tools/quickfix"
	"honnef.co/go/tools/simple"
	"honnef.co/go/tools/staticcheck"
	"honnef.co/go/tools/staticcheck/sa1019"
	"honnef.co/go/tools/stylecheck"

	"github.com/cytisus/cytisus/lsp"
)

// A known is an analyzer, and how what it finds is shown.
type known struct {
	*analysis.Analyzer
	severity    lsp.Severity
	on          bool // unless it is switched off
	deprecated  bool // what it finds should not be used any more
	staticcheck bool // of staticcheck: see Settings
	spoken      bool // of staticcheck, and says what one of the others says
	withTests   bool // takes the package for all that can use what it does not export, tests too
}

// spoken are analyzers of staticcheck that say what one of the others says.
var spoken = map[string]bool{
	"SA1006": true, // printf
	"SA1019": true, // deprecated
	"SA2000": true, // waitgroup
	"SA4021": true, // appends
	"SA5009": true, // printf
}

// quiet are analyzers of staticcheck that are off by default although they cost little: they are
// wrong too often, take comments away, or are a matter of taste.
var quiet = map[string]bool{
	"S1002": true, "S1005": true, "S1006": true, "S1008": true, "S1016": true, "S1021": true,
	"SA5002": true, "SA9001": true,
	"QF1001": true, "QF1005": true, "QF1006": true, "QF1007": true, "QF1008": true, "QF1011": true,
}

// deprecated tells of uses of what is deprecated. It is the one of staticcheck, under the name that
// settings know it by.
var deprecated = sync.OnceValue(func() *analysis.Analyzer {
	a := *sa1019.SCAnalyzer.Analyzer
	a.Name = "deprecated"
	return &a
})

// all are the analyzers by name. What it takes to have them is spent when they are first asked for.
var all = sync.OnceValue(func() map[string]known {
	m := map[string]known{}
	add := func(k known, list ...*analysis.Analyzer) {
		for _, a := range list {
			if _, ok := m[a.Name]; !ok {
				k.Analyzer = a
				m[a.Name] = k
			}
		}
	}
	hint, info := lsp.SeverityHint, lsp.SeverityInfo
	add(known{severity: lsp.SeverityWarning, on: true}, cgoCall) // before that of vet
	add(known{severity: hint, on: true}, fix.Suite...)
	add(known{severity: lsp.SeverityWarning, on: true}, vet.Suite...)
	add(known{severity: lsp.SeverityWarning, on: true},
		atomicalign.Analyzer, deepequalerrors.Analyzer, nilness.Analyzer, sortslice.Analyzer)
	add(known{severity: hint, on: true, deprecated: true}, deprecated())
	add(known{severity: info, on: true}, unusedwrite.Analyzer)
	add(known{severity: lsp.SeverityWarning, on: true}, modernize.BLoopAnalyzer, modernize.FmtAppendfAnalyzer)
	for _, k := range own {
		add(k, k.Analyzer)
	}
	add(known{severity: hint}, shadow.Analyzer, fieldalignment.Analyzer)
	add(known{severity: lsp.SeverityWarning}, modernize.AppendClippedAnalyzer, modernize.SlicesDeleteAnalyzer)
	for _, suite := range []struct {
		list []*lint.Analyzer
		off  bool // a matter of taste
	}{{list: staticcheck.Analyzers}, {list: simple.Analyzers}, {list: stylecheck.Analyzers, off: true}, {list: quickfix.Analyzers}} {
		for _, a := range suite.list {
			name := a.Analyzer.Name
			on := !suite.off && !quiet[name] && !spoken[name] && !a.Doc.NonDefault && !needsForm(a.Analyzer)
			add(known{
				severity: severityOf(a.Doc.Severity), on: on, deprecated: a.Doc.Severity == lint.SeverityDeprecated,
				staticcheck: true, spoken: spoken[name],
			}, a.Analyzer)
		}
	}
	return m
})

// needsForm reports whether an analyzer of staticcheck rests on its intermediate representation of
// a package, which costs more than all that is on by default, or on facts that take one of each
// package that is imported.
func needsForm(a *analysis.Analyzer) bool {
	return a.Name == "buildir" || slices.ContainsFunc(a.Requires, needsForm)
}

func severityOf(s lint.Severity) lsp.Severity {
	switch s {
	case lint.SeverityError:
		return lsp.SeverityError
	case lint.SeverityInfo:
		return lsp.SeverityInfo
	case lint.SeverityHint:
		return lsp.SeverityHint
	}
	return lsp.SeverityWarning
}

// version is equal for programs with the same analyzers.
var version = sync.OnceValue(func() string {
	h := crc32.NewIEEE()
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "golang.org/x/tools" || m.Path == "honnef.co/go/tools" {
				fmt.Fprintln(h, m.Path, cmp.Or(m.Sum, m.Version))
			}
		}
	}
	return fmt.Sprintf("%s %08x", strings.TrimSpace(ownVersion), h.Sum32())
})

// ownVersion changes when what is shown of a finding does.
const ownVersion = "2"
