package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/inspect"
)

var inspected = runtime.NewPartition[string]("test/inspected", runtime.Volatile)

// The process that holds the store says of it what an engine of one's own says, also where it takes
// several answers.
func TestInspectorsAgree(t *testing.T) {
	ctx := t.Context()
	a := &app{err: t.Output(), flags: flags{memory: true, workers: 1}}
	dir := t.TempDir() // nothing to index
	l, err := a.openEngine(dir, "", "test")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.close(); err != nil {
			t.Error(err)
		}
	}()
	const many = 4200 // more than an answer holds
	err = l.eng.Commit(ctx, func(w *runtime.Writer) error {
		err := errors.Join(inspected.Put(w, "", "the empty key"), inspected.Put(w, "\xff\x00", "no text"), inspected.Put(w, "large", strings.Repeat("x", 1<<20)))
		for i := range many {
			err = errors.Join(err, inspected.Put(w, fmt.Sprintf("k%05d", i), fmt.Sprint(i)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	host, err := a.newHost(l, dir, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	here, there := net.Pipe()
	served := make(chan error, 1)
	go func() {
		_, err := host.Serve(context.WithoutCancel(ctx), there)
		served <- err
	}()
	r, err := newRemote(ctx, here, "", "", noMeter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []server.DBStatsParams{{}, {Bytes: true}} {
		find := func(in inspector) (found server.PartitionStats) {
			st, err := in.dbStats(ctx, p)
			i := slices.IndexFunc(st.Partitions, func(p server.PartitionStats) bool { return p.Name == inspected.Name() })
			if err != nil || i < 0 || st.Records < many || st.Generation == 0 || st.LiveBytes == 0 || st.StoredBytes == 0 {
				t.Fatalf("%+v, %v", st, err)
			}
			return st.Partitions[i]
		}
		ours, theirs := find(l), find(r)
		if ours.Partition != theirs.Partition || ours.Entries != many+3 || ours.Durability != runtime.Volatile {
			t.Errorf("%+v, the other process says %+v", ours, theirs)
		}
		if p.Bytes != (ours.Bytes != nil) || p.Bytes != (theirs.Bytes != nil) || p.Bytes && (*ours.Bytes != *theirs.Bytes || *ours.Bytes < 1<<20) {
			t.Errorf("bytes %v, the other process says %v", ours.Bytes, theirs.Bytes)
		}
	}
	read := func(in inspector, p server.QueryRecordsParams) (out []string, err error) {
		err = in.records(ctx, p, func(r inspect.Record) error {
			out = append(out, fmt.Sprint(r.Key, r.Hash, r.Bytes, string(r.Value), r.Error))
			return nil
		})
		return out, err
	}
	for _, p := range []struct {
		server.QueryRecordsParams
		n int
	}{
		{server.QueryRecordsParams{}, many + 3},
		{server.QueryRecordsParams{Prefix: "k0000"}, 10},
		{server.QueryRecordsParams{Prefix: "k", Limit: 4096}, 4096},
		{server.QueryRecordsParams{Prefix: "k", Limit: 4097}, 4097},
		{server.QueryRecordsParams{Limit: 4100, Latest: true}, 4100},
		{server.QueryRecordsParams{Prefix: "nothing"}, 0},
	} {
		p.Partition = inspected.Name()
		ours, err1 := read(l, p.QueryRecordsParams)
		theirs, err2 := read(r, p.QueryRecordsParams)
		if err1 != nil || err2 != nil || len(ours) != p.n || !slices.Equal(ours, theirs) {
			t.Errorf("%+v: %d records, %v; the other process says %d, %v", p.QueryRecordsParams, len(ours), err1, len(theirs), err2)
		}
	}
	ours, err1 := l.memory(ctx)
	theirs, err2 := r.memory(ctx)
	names := func(m server.Memory) (list []string) {
		for _, h := range m.Holders {
			list = append(list, h.Name)
			for _, p := range h.Parts {
				list = append(list, h.Name+"/"+p.Name)
			}
		}
		slices.Sort(list)
		return list
	}
	if err1 != nil || err2 != nil || !slices.Equal(names(ours), names(theirs)) || !slices.Contains(names(theirs), "heap/partitions") {
		t.Errorf("holders of memory: %q, %v; the other process says %q, %v", names(ours), err1, names(theirs), err2)
	}
	if len(theirs.Clients) != 1 || theirs.Clients[0].Client == "" {
		t.Errorf("of one client that is connected the other process says %+v", theirs.Clients)
	}
	_, err1 = read(l, server.QueryRecordsParams{Partition: "no such"})
	_, err2 = read(r, server.QueryRecordsParams{Partition: "no such"})
	if err1 == nil || err2 == nil || err1.Error() != err2.Error() || exitCode(err1) != exitNothing || exitCode(err2) != exitNothing {
		t.Errorf("a partition that is not there: %v (exit code %d); %v (exit code %d)", err1, exitCode(err1), err2, exitCode(err2))
	}
	if _, err := read(r, server.QueryRecordsParams{Partition: inspected.Name(), Limit: -1}); exitCode(err) != exitUsage {
		t.Errorf("limit -1: %v", err)
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// The two commands work while an editor has the store open.
func TestInspectWhileServed(t *testing.T) {
	dir := write(t, example)
	c := newCLI(t)
	c.ok("index", dir)
	const name = "golang/files-of"
	before := c.ok("query-records", "--json", name, dir)
	a := &app{err: t.Output(), flags: flags{store: c.store, tests: true, workers: 1}}
	_, end := serveHere(t, a, dir)
	if now := c.ok("query-records", "--json", name, dir); now != before || len(now) < 10 {
		t.Errorf("%s\nbefore: %s", now, before)
	}
	if table := c.ok("db-stats", dir); !strings.Contains(table, name) || !strings.Contains(table, c.store) {
		t.Errorf("db-stats prints\n%s", table)
	}
	if out := c.ok("stats", "--memory", dir); !strings.Contains(out, "heap") || !strings.Contains(out, name) {
		t.Errorf("stats --memory prints\n%s", out)
	}
	m := decode[struct {
		server.Memory
		Unaccounted int64 `json:"unaccounted"`
	}](t, c.ok("stats", "--memory", "--json", dir))
	if m.Resident != 0 && m.Sum()+m.Unaccounted != m.Resident || m.Find("heap", "answers") == nil {
		t.Errorf("stats --memory --json gives %+v", m)
	}
	if _, errs, code := c.run("query-records", "no-such", dir); code != exitNothing || !strings.Contains(errs, name) {
		t.Errorf("exit code %d, %s", code, errs)
	}
	end()
}
