package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/runtime/inspect"
)

func TestDBStatsAndQueryRecords(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	if _, errs, code := c.run("db-stats", dir); code != exitNothing || !strings.Contains(errs, "cytisus index") {
		t.Errorf("without a store: exit code %d, %s", code, errs)
	}
	c.ok("index", dir)

	type stats struct {
		Generation  uint64 `json:"generation"`
		StoredBytes int64  `json:"storedBytes"`
		Partitions  []struct {
			Name       string `json:"name"`
			Durability string `json:"durability"`
			Entries    uint64 `json:"entries"`
			Bytes      *int64 `json:"bytes"`
		} `json:"partitions"`
	}
	st := decode[stats](t, c.ok("db-stats", "--json", dir))
	if st.Generation == 0 || st.StoredBytes == 0 || len(st.Partitions) < 3 {
		t.Errorf("%+v", st)
	}
	if withBytes := decode[stats](t, c.ok("db-stats", "--json", "--bytes", dir)); len(withBytes.Partitions) != len(st.Partitions) {
		t.Errorf("%+v", withBytes)
	} else {
		for i, p := range withBytes.Partitions {
			if st.Partitions[i].Bytes != nil || p.Bytes == nil || *p.Bytes > 0 && p.Entries == 0 {
				t.Errorf("%+v", p)
			}
		}
	}
	for _, q := range decode[struct{ Queries []inspect.AnswersOf }](t, c.ok("db-stats", "--json", "--queries", dir)).Queries {
		if q.InStore == 0 || q.Stored == 0 {
			t.Errorf("%+v", q)
		}
		if table := c.ok("db-stats", "--queries", dir); !strings.Contains(table, q.Query) {
			t.Errorf("%s is not in the table\n%s", q.Query, table)
		}
	}
	names, tried := []string{}, 0
	table := c.ok("db-stats", dir)
	for _, p := range st.Partitions {
		names = append(names, p.Name)
		if !strings.Contains(table, p.Name) {
			t.Errorf("%s is not in the table\n%s", p.Name, table)
		}
		all := decode[[]inspect.Record](t, c.ok("query-records", "--json", p.Name, dir))
		if uint64(len(all)) != p.Entries {
			t.Errorf("%s: %d records, db-stats says %d", p.Name, len(all), p.Entries)
		}
		if lines := strings.Count(c.ok("query-records", p.Name, dir), "\n"); lines != len(all) {
			t.Errorf("%s: %d lines for %d records", p.Name, lines, len(all))
		}
		for _, r := range all {
			if r.Error != "" || len(r.Value) == 0 {
				t.Errorf("%s: %+v", p.Name, r)
			}
		}
		if len(all) < 3 || strings.HasPrefix(p.Name, "$") { // whose keys are not text
			continue
		}
		tried++
		if !slices.IsSortedFunc(all, func(a, b inspect.Record) int { return strings.Compare(a.Key, b.Key) }) {
			t.Errorf("%s: not in order", p.Name)
		}
		keys := func(args ...string) (keys []string) {
			for _, r := range decode[[]inspect.Record](t, c.ok(append([]string{"query-records", "--json", p.Name, dir}, args...)...)) {
				keys = append(keys, r.Key)
			}
			return keys
		}
		first, last, before := all[0].Key, all[len(all)-1].Key, all[len(all)-2].Key
		if got := keys("--limit", "2"); !slices.Equal(got, []string{first, all[1].Key}) {
			t.Errorf("%s: --limit 2: %q", p.Name, got)
		}
		if got := keys("--latest"); !slices.Equal(got, []string{last}) {
			t.Errorf("%s: --latest: %q", p.Name, got)
		}
		if got := keys("--latest", "--limit", "2"); !slices.Equal(got, []string{last, before}) {
			t.Errorf("%s: --latest --limit 2: %q", p.Name, got)
		}
		if got := keys("--prefix", last); len(got) != 1 || got[0] != last {
			t.Errorf("%s: --prefix %q: %q", p.Name, last, got)
		}
	}
	if tried == 0 {
		t.Errorf("no partition has entries enough: %+v", st)
	}

	for _, u := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"query-records", "no-such", dir}, exitNothing, strings.Join(names, ", ")},
		{[]string{"query-records"}, exitUsage, "db-stats lists them"},
		{[]string{"query-records", "files", "--limit", "-1", dir}, exitUsage, "--limit is -1"},
	} {
		if _, errs, code := c.run(u.args...); code != u.code || !strings.Contains(errs, u.says) {
			t.Errorf("%q: exit code %d, %s", u.args, code, errs)
		}
	}
	memory := &cli{t: t, flags: []string{"--memory"}}
	if _, errs, code := memory.run("db-stats", dir); code != exitUsage || !strings.Contains(errs, "--memory") {
		t.Errorf("--memory: exit code %d, %s", code, errs)
	}
}
