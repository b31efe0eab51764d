package compare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	goruntime "runtime"
	"time"
)

// A Plan says how to run a suite.
type Plan struct {
	Rounds int            // at least 1
	Case   *regexp.Regexp // only these cases; nil means all
	Peer   *regexp.Regexp // only these peers; nil means all. Ours always takes part.

	// RoundMax bounds the start and each round of one entrant. One that takes longer hangs: Stuck
	// is called. Zero means the suite's own bound.
	RoundMax time.Duration
	Stuck    func(what string)

	// Each, if not nil, gets what each entrant showed, in each column of each case.
	Each func(Samples) error
}

// guard calls Stuck unless release is called within RoundMax.
func (p Plan) guard(what string) (release func()) {
	if p.RoundMax <= 0 || p.Stuck == nil {
		return func() {}
	}
	t := time.AfterFunc(p.RoundMax, func() { p.Stuck(what) })
	return func() { t.Stop() }
}

// A Row is one line of the table.
type Row struct {
	Suite, Case string
	Ours        float64
	PeerName    string // "" where nothing stood beside ours
	Peer        float64
	Unit        string
}

// Ratio is ours divided by the peer's, and 1 for two zeros.
func (r Row) Ratio() float64 {
	if r.Ours == r.Peer {
		return 1
	}
	return r.Ours / r.Peer
}

// roundMax bounds the rounds of a suite that names no bound.
const roundMax = 2 * time.Minute

// Run measures a suite and passes each case's rows to emit as soon as it is done.
func Run(ctx context.Context, s Suite, env *Env, plan Plan, emit func([]Row) error) (err error) {
	defer func() {
		for i := len(env.cleanups) - 1; i >= 0; i-- {
			err = errors.Join(err, env.cleanups[i]())
		}
		env.cleanups = nil
	}()
	cases, err := s.Cases(env)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	if plan.RoundMax == 0 {
		plan.RoundMax = cmp.Or(s.RoundMax, roundMax)
	}
	for _, c := range cases {
		if plan.Case != nil && !plan.Case.MatchString(c.Name) {
			continue
		}
		rows, err := runCase(ctx, s.Name, c, env, plan)
		if err != nil {
			return fmt.Errorf("%s %s: %w", s.Name, c.Name, err)
		}
		if err := emit(rows); err != nil {
			return err
		}
	}
	return nil
}

// A contender is an entrant with what it has shown so far.
type contender struct {
	Entrant
	session Session
	samples []sample // one per column of the case
}

func runCase(ctx context.Context, suite string, c Case, env *Env, plan Plan) (rows []Row, err error) {
	began := time.Now()
	field, err := start(ctx, c, env, plan)
	defer func() {
		for _, p := range field {
			if p.session.Close != nil {
				if cerr := p.session.Close(); cerr != nil {
					err = errors.Join(err, fmt.Errorf("%s: close: %w", p.Name, cerr))
				}
			}
		}
	}()
	if errors.Is(err, ErrAbsent) {
		env.Logf("%s %s skipped: %v", suite, c.Name, err)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	told := time.Now()
	for round := range plan.Rounds {
		for i := range field {
			p := field[i]
			if round%2 == 1 {
				p = field[len(field)-1-i]
			}
			if p.Rounds > 0 && round >= p.Rounds {
				continue
			}
			if time.Since(told) > 5*time.Second {
				told = time.Now()
				env.Logf("  %s %s: round %d of %d, %s", suite, c.Name, round+1, plan.Rounds, p.Name)
			}
			if err := p.round(ctx, c, plan); err != nil {
				return nil, fmt.Errorf("%s: %w", p.Name, err)
			}
		}
	}
	env.Logf("%s %s (%.1f s)", suite, c.Name, time.Since(began).Seconds())
	for col, column := range c.Columns {
		logSpread(env, c.Name+column.Suffix, column.Unit, field, col)
		rows = append(rows, table(suite, c.Name+column.Suffix, column.Unit, field, col)...)
		for _, p := range field {
			if plan.Each == nil {
				break
			}
			if err := plan.Each(Samples{suite, c.Name + column.Suffix, p.Name, column.Unit, p.samples[col]}); err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}

// start prepares the entrants that take part. It returns those it has started also when one of them
// fails.
func start(ctx context.Context, c Case, env *Env, plan Plan) (field []*contender, err error) {
	ours := 0
	for _, e := range c.Entrants {
		if e.Ours {
			ours++
		} else if plan.Peer != nil && !plan.Peer.MatchString(e.Name) {
			continue
		}
		if e.Skip != "" {
			env.Logf("  %s: %s skipped: %s", c.Name, e.Name, e.Skip)
			continue
		}
		release := plan.guard(c.Name + ": start of " + e.Name)
		session, err := e.Start(ctx)
		release()
		if errors.Is(err, ErrAbsent) && !e.Ours {
			env.Logf("  %s: %s skipped: %v", c.Name, e.Name, err)
			continue
		}
		if err != nil {
			return field, fmt.Errorf("%s: start: %w", e.Name, err)
		}
		field = append(field, &contender{Entrant: e, session: session, samples: make([]sample, len(c.Columns))})
	}
	if ours != 1 {
		return field, fmt.Errorf("case has %d entrants that are ours, want 1", ours)
	}
	return field, nil
}

// round measures one entrant once.
func (p *contender) round(ctx context.Context, c Case, plan Plan) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	collect()
	defer plan.guard(c.Name + ": " + p.Name)()
	figures, err := p.session.Round(ctx)
	if err != nil {
		return err
	}
	if len(figures) != len(c.Columns) {
		return fmt.Errorf("round gave %d figures for %d columns", len(figures), len(c.Columns))
	}
	for i, f := range figures {
		if !math.IsNaN(f) {
			p.samples[i] = append(p.samples[i], f)
		}
	}
	return nil
}

// collect collects the garbage of the entrants before, which is not the next one's to pay for. It
// does so only if there may be some: a suite whose contenders hold much would spend its time here
// otherwise.
var collect = func() func() {
	var last uint64
	return func() {
		const little = 1 << 20
		var m goruntime.MemStats
		if goruntime.ReadMemStats(&m); m.TotalAlloc-last > little {
			goruntime.GC()
			last = m.TotalAlloc
		}
	}
}()

func table(suite, name, unit string, field []*contender, col int) (rows []Row) {
	var ours *contender
	for _, p := range field {
		if p.Ours {
			ours = p
		}
	}
	if ours == nil || len(ours.samples[col]) == 0 {
		return nil
	}
	if len(field) == 1 {
		return []Row{{Suite: suite, Case: name, Unit: unit, Ours: ours.samples[col].median()}}
	}
	for _, p := range field {
		if p == ours || len(p.samples[col]) == 0 {
			continue
		}
		rows = append(rows, Row{
			Suite: suite, Case: name, Unit: unit,
			Ours: ours.samples[col].median(), PeerName: p.Name, Peer: p.samples[col].median(),
		})
	}
	return rows
}

func logSpread(env *Env, name, unit string, field []*contender, col int) {
	for _, p := range field {
		s := p.samples[col]
		if len(s) == 0 {
			continue
		}
		lo, hi := s.spread()
		who := p.Name
		if p.Ours {
			who = "* " + who
		}
		env.Logf("  %-24s %-28s %10s  (%s-%s) %s, %d rounds", name, who, Figure(s.median()), Figure(lo), Figure(hi), unit, len(s))
	}
}
