package footprint

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

var update = flag.Bool("update", false, "accept what the answers take")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// acceptedFile is what was accepted, one kind of query a line, as table prints it.
var acceptedFile = filepath.Join("testdata", "accepted.txt")

const head = "# What answers take in all, in bytes: make bytes prints it, and make bytes UPDATE=1 accepts it.\n" +
	"# input\tquery\tanswers\theap\tstore\n"

// growth is by how much a kind of query may take more than was accepted: a part of it. Beside what
// a change does to it there is a part in a hundred, which depends on when a trace was written: it
// has one generation or two.
const growth = 0.02

// A kind is a query asked about an input.
type kind struct{ input, query string }

// A count is what all answers of a kind take.
type count struct{ answers, heap, store int64 }

// counted asks about an input, and counts.
func counted(t *testing.T, input string, ask func(t *testing.T, e *runtime.Engine)) (order []kind, by map[kind]count) {
	t.Helper()
	e, err := runtime.Open(t.TempDir(), runtime.Options{
		Workers: 1, AuditShare: -1, CollectEvery: -1, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	ask(t, e)
	all, err := inspect.Answers(e)
	if err != nil {
		t.Fatal(err)
	}
	by = map[kind]count{}
	for _, a := range all {
		if a.InMemory == 0 {
			continue // of another input
		}
		if a.InStore != a.InMemory {
			t.Errorf("%s: %s: %d answers are in memory and %d in the store", input, a.Query, a.InMemory, a.InStore)
		}
		k := kind{input, strings.TrimPrefix(a.Query, "footprint/")}
		order, by[k] = append(order, k), count{a.InMemory, a.Heap, a.Stored}
	}
	return order, by
}

// grown says what takes more than was accepted, and nothing if that is little.
func grown(k kind, was, is count) (says string) {
	more := func(what string, was, is int64) {
		if float64(is) > float64(was)*(1+growth) {
			says += fmt.Sprintf("%s: %s: %d bytes of %s, %d were accepted (%s)\n", k.input, k.query, is, what, was, percent(was, is))
		}
	}
	more("heap", was.heap, is.heap)
	more("store", was.store, is.store)
	return says
}

func percent(was, is int64) string {
	if was == 0 {
		return "there were none"
	}
	return fmt.Sprintf("%+.1f %%", (float64(is)/float64(was)-1)*100)
}

// What answers take is what was accepted, but for 2 % more.
func TestBytesOfQueries(t *testing.T) {
	if strconv.IntSize == 32 {
		t.Skip("the sizes on the heap are those of 64 bits")
	}
	was, err := readAccepted(acceptedFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	var table, says strings.Builder
	table.WriteString(head)
	t.Logf("%-10s %-34s %8s %12s %8s %12s %8s", "input", "query", "answers", "heap each", "was", "store each", "was")
	missing := len(was)
	for _, in := range inputs {
		order, by := counted(t, in.name, in.ask)
		for _, k := range order {
			is, before := by[k], was[k]
			if _, known := was[k]; known {
				missing--
			}
			each := func(sum, n int64) float64 { return float64(sum) / float64(max(n, 1)) }
			t.Logf("%-10s %-34s %8d %12.1f %8.1f %12.1f %8.1f", k.input, k.query, is.answers, each(is.heap, is.answers), each(before.heap, before.answers),
				each(is.store, is.answers), each(before.store, before.answers))
			fmt.Fprintf(&table, "%s\t%s\t%d\t%d\t%d\n", k.input, k.query, is.answers, is.heap, is.store)
			says.WriteString(grown(k, before, is))
		}
	}
	if missing > 0 {
		t.Logf("%d accepted kinds of query are not there any more: make bytes UPDATE=1 takes them out", missing)
	}
	if *update {
		if err := os.WriteFile(acceptedFile, []byte(table.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if says.Len() > 0 {
		t.Errorf("answers take more than was accepted:\n%sIf that is meant, run make bytes UPDATE=1, commit %s, and say in the message what it buys.",
			says.String(), filepath.ToSlash(filepath.Join("fuzz", "footprint", acceptedFile)))
	}
}

// readAccepted reads what was accepted.
func readAccepted(file string) (was map[kind]count, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	was = map[kind]count{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		var k kind
		var c count
		if _, err := fmt.Sscanf(line, "%s\t%s\t%d\t%d\t%d", &k.input, &k.query, &c.answers, &c.heap, &c.store); err != nil {
			return nil, fmt.Errorf("%s: %q is no line of it: %w", file, line, err)
		}
		was[k] = c
	}
	return was, nil
}

// 3 % more is found, on the heap and in the store, of a kind that was there and of one that was
// not; 1 % is not.
func TestGrowthIsFound(t *testing.T) {
	k := kind{"input", "query"}
	was := count{1000, 500_000, 100_000}
	for _, c := range []struct {
		what string
		is   count
		want int // lines
	}{
		{"nothing", was, 0},
		{"1 % of each", count{1000, 505_000, 101_000}, 0},
		{"3 % of the heap", count{1000, 515_000, 100_000}, 1},
		{"3 % of the store", count{1000, 500_000, 103_000}, 1},
		{"3 % more answers", count{1030, 515_000, 103_000}, 2},
		{"less", count{500, 250_000, 50_000}, 0},
	} {
		if says := grown(k, was, c.is); strings.Count(says, "\n") != c.want {
			t.Errorf("%s: %q, want %d lines", c.what, says, c.want)
		}
	}
	if says := grown(k, count{}, was); strings.Count(says, "\n") != 2 {
		t.Errorf("a kind that was not accepted: %q", says)
	}
}
