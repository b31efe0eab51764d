package compare

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// a scripted entrant gives the figures of its script, one per round.
func scripted(name string, ours bool, log *[]string, script ...float64) Entrant {
	return Entrant{Name: name, Ours: ours, Start: func(context.Context) (Session, error) {
		next := 0
		return Session{
			Round: func(context.Context) ([]float64, error) {
				*log = append(*log, name)
				next++
				return []float64{script[next-1]}, nil
			},
			Close: func() error { *log = append(*log, "close "+name); return nil },
		}, nil
	}}
}

func suiteOf(cases ...Case) Suite {
	return Suite{Name: "s", Cases: func(*Env) ([]Case, error) { return cases, nil }}
}

func quiet() *Env { return &Env{Logf: func(string, ...any) {}} }

func gather(into *[]Row) func([]Row) error {
	return func(rows []Row) error { *into = append(*into, rows...); return nil }
}

func TestAlternates(t *testing.T) {
	var log []string
	var rows []Row
	short := scripted("b", false, &log, 10, 30)
	short.Rounds = 2
	c := Case{Name: "c", Columns: []Column{{Unit: "ns"}}, Entrants: []Entrant{
		scripted("us", true, &log, 5, 1, 3),
		short,
		{Name: "absent", Skip: "not installed"},
	}}
	if err := Run(t.Context(), suiteOf(c), quiet(), Plan{Rounds: 3}, gather(&rows)); err != nil {
		t.Fatal(err)
	}
	if want := "us b b us us close us close b"; strings.Join(log, " ") != want {
		t.Errorf("order %q, want %q", log, want)
	}
	want := []Row{{Suite: "s", Case: "c", Ours: 3, PeerName: "b", Peer: 20, Unit: "ns"}}
	if !slices.Equal(rows, want) {
		t.Errorf("rows %v, want %v", rows, want)
	}
	if r := rows[0].Ratio(); r != 0.15 {
		t.Errorf("ratio %v, want 0.15", r)
	}
}

func TestSelection(t *testing.T) {
	var log []string
	var rows []Row
	c := func(name string) Case {
		return Case{Name: name, Columns: []Column{{Unit: "ns"}}, Entrants: []Entrant{
			scripted("us", true, &log, 1), scripted("map", false, &log, 1), scripted("tree", false, &log, 1),
		}}
	}
	plan := Plan{Rounds: 1, Case: regexp.MustCompile("^get"), Peer: regexp.MustCompile("tree")}
	if err := Run(t.Context(), suiteOf(c("get"), c("put")), quiet(), plan, gather(&rows)); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Case != "get" || rows[0].PeerName != "tree" {
		t.Errorf("rows %v, want one: get of tree", rows)
	}
}

// TestWrongAnswer checks that a figure from a wrong answer is not printed, and that everything
// started is closed.
func TestWrongAnswer(t *testing.T) {
	var log []string
	var rows []Row
	wrong := Entrant{Name: "liar", Start: func(context.Context) (Session, error) {
		return Loop(1, func() error { return Same("sum", 2+2, 5) }), nil
	}}
	c := Case{Name: "c", Columns: []Column{{Unit: "ns"}}, Entrants: []Entrant{scripted("us", true, &log, 1), wrong}}
	suite := suiteOf(c)
	cases := suite.Cases
	suite.Cases = func(env *Env) ([]Case, error) {
		env.Cleanup(func() error { log = append(log, "cleanup"); return errors.New("cleanup failed") })
		return cases(env)
	}
	err := Run(t.Context(), suite, quiet(), Plan{Rounds: 1}, gather(&rows))
	if err == nil || !strings.Contains(err.Error(), "s c: liar: wrong answer: sum is 4, want 5") || !strings.Contains(err.Error(), "cleanup failed") {
		t.Errorf("error %v", err)
	}
	if len(rows) > 0 {
		t.Errorf("rows %v in spite of a wrong answer", rows)
	}
	if want := "us close us cleanup"; strings.Join(log, " ") != want {
		t.Errorf("order %q, want %q", log, want)
	}
}

func TestColumns(t *testing.T) {
	var rows []Row
	two := func(name string, ours bool, a, b float64) Entrant {
		return Entrant{Name: name, Ours: ours, Start: func(context.Context) (Session, error) {
			return Session{Round: func(context.Context) ([]float64, error) { return []float64{a, b}, nil }}, nil
		}}
	}
	c := Case{
		Name: "c", Columns: []Column{{Suffix: "-p50", Unit: "us"}, {Suffix: "-p99", Unit: "us"}},
		Entrants: []Entrant{two("us", true, 1, 2), two("them", false, 2, math.NaN())},
	}
	if err := Run(t.Context(), suiteOf(c), quiet(), Plan{Rounds: 1}, gather(&rows)); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 1 || rows[0].Case != "c-p50" {
		t.Errorf("rows %v, want c-p50 only: the peer has no other figure", rows)
	}
}

func TestNeedsOneOfOurs(t *testing.T) {
	var log []string
	c := Case{Name: "c", Columns: []Column{{}}, Entrants: []Entrant{scripted("them", false, &log, 1)}}
	if err := Run(t.Context(), suiteOf(c), quiet(), Plan{Rounds: 1}, gather(new([]Row))); err == nil {
		t.Error("a case without ours was run")
	}
}

func TestStuck(t *testing.T) {
	told := make(chan string, 1)
	release := make(chan struct{})
	slow := Entrant{Name: "sleeper", Ours: true, Start: func(context.Context) (Session, error) {
		return Loop(1, func() error { <-release; return nil }), nil
	}}
	c := Case{Name: "c", Columns: []Column{{Unit: "ns"}}, Entrants: []Entrant{slow}}
	plan := Plan{Rounds: 1, RoundMax: time.Millisecond, Stuck: func(what string) { told <- what; close(release) }}
	if err := Run(t.Context(), suiteOf(c), quiet(), plan, gather(new([]Row))); err != nil {
		t.Fatal(err)
	}
	if what := <-told; what != "c: sleeper" {
		t.Errorf("stuck: %q", what)
	}
}

// TestAbsent checks that a peer that is not to be had is left out, and the case if ours is not.
func TestAbsent(t *testing.T) {
	var log []string
	absent := func(name string, ours bool) Entrant {
		return Entrant{Name: name, Ours: ours, Start: func(context.Context) (Session, error) {
			return Session{}, fmt.Errorf("no network: %w", ErrAbsent)
		}}
	}
	column := []Column{{Unit: "ns"}}
	alone := Case{Name: "alone", Columns: column, Entrants: []Entrant{scripted("us", true, &log, 1), absent("them", false)}}
	none := Case{Name: "none", Columns: column, Entrants: []Entrant{scripted("them", false, &log, 1), absent("us", true)}}
	var rows []Row
	if err := Run(t.Context(), suiteOf(alone, none), quiet(), Plan{Rounds: 1}, gather(&rows)); err != nil {
		t.Fatal(err)
	}
	if want := "us close us close them"; strings.Join(log, " ") != want {
		t.Errorf("order %q, want %q", log, want)
	}
	var table strings.Builder
	if err := WriteRows(&table, rows); err != nil {
		t.Fatal(err)
	}
	if want := "s\talone\t1.00\tnone\t-\tns\t-\n"; table.String() != want {
		t.Errorf("table %q, want %q", table.String(), want)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	var log []string
	c := Case{Name: "c", Columns: []Column{{}}, Entrants: []Entrant{scripted("us", true, &log, 1)}}
	if err := Run(ctx, suiteOf(c), quiet(), Plan{Rounds: 1}, gather(new([]Row))); !errors.Is(err, why) {
		t.Errorf("error %v, want %v", err, why)
	}
}

func TestFigure(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{{0, "0"}, {0.001234, "0.00123"}, {0.98, "0.980"}, {10.84, "10.8"}, {1154.4, "1154"}, {1234567, "1234567"}, {-2.5, "-2.50"}, {math.Inf(1), "+Inf"}} {
		if got := Figure(c.v); got != c.want {
			t.Errorf("Figure(%v) = %q, want %q", c.v, got, c.want)
		}
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	for _, c := range []struct{ q, want float64 }{{0, 1}, {0.5, 2.5}, {1, 4}} {
		if got := Quantile(values, c.q); got != c.want {
			t.Errorf("Quantile(%v) = %v, want %v", c.q, got, c.want)
		}
	}
	if !slices.Equal(values, []float64{4, 1, 3, 2}) {
		t.Error("Quantile changed its argument")
	}
	if !math.IsNaN(Quantile(nil, 0.5)) {
		t.Error("Quantile of nothing is not NaN")
	}
	if got := fmt.Sprint(Quantile([]float64{7}, 0.99)); got != "7" {
		t.Errorf("Quantile of one value is %s", got)
	}
}
