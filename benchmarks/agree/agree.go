package agree

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cytisus/cytisus/benchmarks/compare"
	"github.com/cytisus/cytisus/benchmarks/editor"
	"github.com/cytisus/cytisus/benchmarks/ground"
)

// Options are what is asked, and how.
type Options struct {
	Ground, Kind *regexp.Regexp // nil for all
	Places       int            // of each ground
	Seed         uint64
	Command      string // path of the cytisus command
	Env          *compare.Env
}

// A Report is what came of a run.
type Report struct {
	Seed    uint64
	Places  int
	grounds []string
	counts  map[string]*count // by kind
	unasked map[string]string // kinds that a server does not announce, with its name
	differs []*difference
}

// A count is of one kind.
type count struct {
	points, agree int
	by            map[side]int // explained differences
	found         [2]int       // completions with the name that was cut off, of each server
	failed        [2]int
}

// Run asks both servers about all grounds. With an error from a server or the context there is a
// report, about the grounds before that.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &Report{
		Seed: o.Seed, Places: o.Places,
		counts: make(map[string]*count), unasked: make(map[string]string),
	}
	wanted := func(k *kind) bool { return o.Kind == nil || o.Kind.MatchString(k.name) }
	for _, name := range ground.Kinds() {
		if o.Ground != nil && !o.Ground.MatchString(name) {
			continue
		}
		g, err := ground.Load(ctx, o.Env, name)
		if errors.Is(err, compare.ErrAbsent) {
			o.Env.Logf("%v", err)
			continue
		}
		if err != nil {
			return nil, err
		}
		sc, err := write(g, o.Places, o.Seed, wanted)
		if err != nil {
			return nil, err
		}
		o.Env.Logf("%s: %d questions about %d files", name, len(sc.questions), len(sc.files))
		both, err := servers(ctx, o.Command, o.Env.Dir)
		if err != nil {
			return nil, err
		}
		var answers [2][]answer
		for i, s := range both {
			began := time.Now()
			if answers[i], err = s.askAll(ctx, sc); err != nil {
				return r, fmt.Errorf("%s: %s: %w", name, s.name, err)
			}
			o.Env.Logf("%s: %s has answered in %.0f s", name, s.name, time.Since(began).Seconds())
		}
		for i, q := range sc.questions {
			r.add(name, q, answers[0][i], answers[1][i])
		}
		r.grounds = append(r.grounds, name)
	}
	if len(r.grounds) == 0 {
		return nil, errors.New("no ground is to be had")
	}
	return r, nil
}

// add counts one question.
func (r *Report) add(ground string, q *question, mine, other answer) {
	for name, a := range map[string]answer{"cytisus": mine, "gopls": other} {
		if a.unasked {
			r.unasked[q.kind.name] = name
		}
	}
	if mine.unasked || other.unasked {
		return
	}
	c := r.counts[q.kind.name]
	if c == nil {
		c = &count{by: make(map[side]int)}
		r.counts[q.kind.name] = c
	}
	for i, a := range []answer{mine, other} {
		if a.failed != "" {
			c.failed[i]++
		}
	}
	if other.failed != "" {
		return // there is nothing to agree with
	}
	for i, a := range []answer{mine, other} {
		if slices.Contains(a.lines, expected) {
			c.found[i]++
		}
	}
	differ := func(line string) {
		c.points++
		d := &difference{ground: ground, q: q, line: line, mine: shown(mine), other: shown(other)}
		d.offered = [2][]string{mine.offered, other.offered}
		if d.explain(); d.reason != nil {
			c.by[d.reason.side]++
		}
		r.differs = append(r.differs, d)
	}
	if !q.kind.whole {
		if slices.Equal(mine.lines, other.lines) && mine.failed == "" {
			c.points++
			c.agree++
			return
		}
		differ("")
		return
	}
	for _, line := range mine.lines {
		if slices.Contains(other.lines, line) {
			c.points++
			c.agree++
		} else {
			differ(line)
		}
	}
	for _, line := range without(other.lines, mine.lines) {
		differ(line)
	}
}

const refusedPrefix = "refused: "

// shown are the lines of an answer, or why there are none.
func shown(a answer) []string {
	switch {
	case a.failed != "":
		return []string{"FAILED: " + a.failed}
	case len(a.lines) == 0 && a.refused != "":
		return []string{refusedPrefix + a.refused}
	}
	return a.lines
}

// WriteTable writes one line for each kind, as Markdown.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintln(t, "| kind\t| points\t| agree\t| ours right\t| theirs right, left\t| taste\t| unexplained\t| agree or explained\t|")
	fmt.Fprintln(t, "| ---\t| ---:\t| ---:\t| ---:\t| ---:\t| ---:\t| ---:\t| ---:\t|")
	for _, k := range kinds {
		c := r.counts[k.name]
		if c == nil {
			continue
		}
		explained := c.by[ours] + c.by[theirs] + c.by[taste]
		share := func(n int) string { return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(max(c.points, 1))) }
		fmt.Fprintf(t, "| %s\t| %d\t| %s\t| %d\t| %d\t| %d\t| %d\t| %s\t|\n", k.name, c.points, share(c.agree),
			c.by[ours], c.by[theirs], c.by[taste], c.points-c.agree-explained, share(c.agree+explained))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, k := range kinds {
		c := r.counts[k.name]
		if c == nil {
			continue
		}
		if c.found != [2]int{} {
			share := func(n int) float64 { return 100 * float64(n) / float64(max(c.points, 1)) }
			fmt.Fprintln(w, wrapped(fmt.Sprintf("%s: the name that was cut off is %s in %.1f %% of ours and %.1f %% of gopls'.",
				k.name, expected, share(c.found[0]), share(c.found[1])), ""))
		}
		if c.failed != [2]int{} {
			fmt.Fprintf(w, "%s: %d of our answers failed, and %d of gopls'.\n", k.name, c.failed[0], c.failed[1])
		}
	}
	for _, k := range kinds {
		if who := r.unasked[k.name]; who != "" {
			fmt.Fprintf(w, "%s: not asked, as %s does not announce it.\n", k.name, who)
		}
	}
	return nil
}

// linesShown bounds what is shown of an answer.
const linesShown = 8

// WriteDifferences writes each difference that has no explanation, or all.
func (r *Report) WriteDifferences(w io.Writer, all bool) {
	for _, d := range r.differs {
		if d.reason != nil && !all {
			continue
		}
		at := fmt.Sprintf("%s:%d:%d", d.q.file.path, d.q.at.Line+1, d.q.at.Character+1)
		fmt.Fprintf(w, "%s %s, %s\n", d.ground, d.q, at)
		if d.reason != nil {
			fmt.Fprintf(w, "\t%s: %s\n", d.reason.side, d.reason.what)
		}
		show := func(who string, lines []string) {
			fmt.Fprintf(w, "\t%s (%d)\n", who, len(lines))
			for _, l := range lines[:min(len(lines), linesShown)] {
				fmt.Fprintf(w, "\t\t%s\n", strings.ReplaceAll(l, "\n", "\n\t\t"))
			}
		}
		switch {
		case d.line != "" && slices.Contains(d.mine, d.line):
			show("only ours", []string{d.line})
		case d.line != "":
			show("only gopls'", []string{d.line})
		default:
			show("only ours", d.extra())
			show("only gopls'", d.missing())
		}
	}
}

// WriteDocument writes the table with what stands behind it, as a document.
func (r *Report) WriteDocument(w io.Writer) error {
	intro := fmt.Sprintf("Written by `make agree-gopls DOC=1`: the same questions, asked of this server and of gopls %s, "+
		"about seeded places in real code. Here %d places of each of %s, seed %d. What is asked, and how answers are "+
		"compared, is told in the package comment of `benchmarks/agree`.",
		editor.GoplsVersion, r.Places, strings.Join(r.grounds, ", "), r.Seed)
	fmt.Fprintf(w, "# Agreement with gopls\n\n%s\n\n", wrapped(intro, ""))
	if err := r.WriteTable(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n## Explained\n\n%s\n\n",
		wrapped("The list is in `benchmarks/agree/explain.go`; the number says how often each was met here.", ""))
	for i := range explanations {
		e := &explanations[i]
		n := 0
		for _, d := range r.differs {
			if d.reason == e {
				n++
			}
		}
		fmt.Fprintln(w, wrapped(fmt.Sprintf("- %s, %s (%d): %s", e.kind, map[side]string{
			ours: "ours right", theirs: "theirs right, left", taste: "a matter of taste",
		}[e.side], n, e.what), "  "))
	}
	return nil
}

// columnsMost is how long a line of a document may be.
const columnsMost = 100

// wrapped is a text in lines, with an indent before each but the first.
func wrapped(text, indent string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > columnsMost:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
