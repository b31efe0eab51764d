package markers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/cytisus/cytisus/benchmarks/editor"
	"github.com/cytisus/cytisus/benchmarks/ground"
)

// Options are what is run, and how.
type Options struct {
	Kind, File *regexp.Regexp // of checks and archives; nil for all
	Workers    int            // archives at a time
	Peer       bool           // gopls itself is judged, which shows where the judges are wrong
	Command    string         // path of the cytisus command
	Dir        string         // for workspaces and stores
	Logf       func(format string, args ...any)
}

// A Report is what came of a run.
type Report struct {
	Version  string            `json:"version"` // of gopls whose tests these are
	Verdicts []verdict         `json:"verdicts"`
	Skipped  map[string]string `json:"skipped"` // why, by archive
	Failed   map[string]string `json:"failed"`  // what kept an archive from being judged
}

// Run judges archives.
func Run(ctx context.Context, o Options) (*Report, error) {
	dir, err := fetch(ctx)
	if err != nil {
		return nil, err
	}
	all, err := load(dir)
	if err != nil {
		return nil, err
	}
	s := server{
		program:  func(cache string) editor.Program { return editor.Cytisus(o.Command, cache) },
		complete: editor.CytisusComplete,
	}
	if o.Peer {
		path, err := editor.BuildGopls(ctx, false)
		if err != nil {
			return nil, err
		}
		s = server{
			program:  func(cache string) editor.Program { return editor.Gopls(path, cache) },
			complete: editor.GoplsComplete,
			settings: map[string]any{
				"verboseWorkDoneProgress": true, "completionBudget": "0s", "pullDiagnostics": true,
			},
		}
	}
	point, err := pointOf(goVersion(ctx))
	if err != nil {
		return nil, err
	}
	_, ccErr := exec.LookPath("gcc")
	report := &Report{
		Version: editor.GoplsVersion,
		Skipped: make(map[string]string), Failed: make(map[string]string),
	}
	wanted := func(kind string) bool { return kind != "" && (o.Kind == nil || o.Kind.MatchString(kind)) }
	queue := make(chan *archive)
	var (
		mu      sync.Mutex
		workers sync.WaitGroup
	)
	for i := range o.Workers {
		workers.Go(func() {
			cache := filepath.Join(o.Dir, fmt.Sprintf("store-%d", i))
			for a := range queue {
				verdicts, err := judgeOne(ctx, &s, a, wanted, o.Dir, cache)
				mu.Lock()
				report.Verdicts = append(report.Verdicts, verdicts...)
				if err != nil {
					report.Failed[a.name] = err.Error()
				}
				mu.Unlock()
			}
		})
	}
	for _, a := range all {
		if o.File != nil && !o.File.MatchString(a.name) || !a.has(wanted) {
			continue
		}
		if err := a.runnable(point, ccErr == nil); errors.Is(err, errSkipped) {
			report.Skipped[a.name] = err.Error()
		} else if err != nil {
			return nil, err
		} else {
			queue <- a
		}
	}
	close(queue)
	workers.Wait()
	slices.SortStableFunc(report.Verdicts, func(a, b verdict) int { return strings.Compare(a.Archive, b.Archive) })
	return report, ctx.Err()
}

// judgeOne judges one archive.
func judgeOne(
	ctx context.Context,
	s *server,
	a *archive,
	wanted func(string) bool,
	dir, cache string,
) (_ []verdict, err error) {
	if err := os.MkdirAll(cache, 0o777); err != nil {
		return nil, err
	}
	dir, err = os.MkdirTemp(dir, "archive-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := &run{archive: a, wanted: wanted}
	if err := r.start(ctx, s, dir, cache); err != nil {
		if r.client != nil {
			r.client.Kill()
		}
		return nil, err
	}
	defer func() { err = errors.Join(err, r.client.Close(ctx)) }()
	return r.judge(ctx)
}

// fetch returns the directory of the archives in the module cache.
func fetch(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", "golang.org/x/tools/gopls@"+editor.GoplsVersion)
	cmd.Env = ground.Env()
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("fetching gopls %s: %w: %s", editor.GoplsVersion, err, out)
	}
	module, err := decoded[struct{ Dir string }](out)
	return filepath.Join(module.Dir, "internal", "test", "marker", "testdata"), err
}

func goVersion(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "go", "env", "GOVERSION").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// WriteTable writes one line for each kind: how many passed of how many, how many passed but for
// taste, and how many are of features that the server does not announce.
func (r *Report) WriteTable(w io.Writer) error {
	type count struct{ total, passed, soft, unsupported int }
	counts := make(map[string]*count)
	var sum count
	for _, v := range r.Verdicts {
		c := counts[v.Kind]
		if c == nil {
			c = new(count)
			counts[v.Kind] = c
		}
		for _, c := range []*count{c, &sum} {
			c.total++
			if v.Passed {
				c.passed++
			}
			if v.Soft {
				c.soft++
			}
			if v.Unsupported {
				c.unsupported++
			}
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "kind\tpassed\ttotal\tshare\tsoft\tunsupported")
	line := func(name string, c *count) {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.0f %%\t%.0f %%\t%d\n", name, c.passed, c.total,
			100*float64(c.passed)/float64(max(c.total, 1)), 100*float64(c.soft)/float64(max(c.total, 1)),
			c.unsupported)
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		line(kind, counts[kind])
	}
	line("all", &sum)
	fmt.Fprintf(t, "skipped archives\t%d\n", len(r.Skipped))
	fmt.Fprintf(t, "failed archives\t%d\n", len(r.Failed))
	return t.Flush()
}

// WriteFailures writes what failed, and why.
func (r *Report) WriteFailures(w io.Writer) {
	for _, name := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(w, "%s: %s\n", name, r.Skipped[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Failed)) {
		fmt.Fprintf(w, "%s: FAILED: %s\n", name, r.Failed[name])
	}
	for _, v := range r.Verdicts {
		if v.Passed {
			continue
		}
		state := "fails"
		if v.Soft {
			state = "fails softly"
		}
		fmt.Fprintf(w, "%s %s %s: %s\n\t%s\n", v.Archive, v.Place, state, v.Marker,
			strings.ReplaceAll(strings.TrimSpace(v.Why), "\n", "\n\t"))
	}
}

// WriteJSON writes all of a report.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "\t")
	return e.Encode(r)
}
