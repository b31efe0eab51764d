package affinity

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the want sections of testdata/*.txtar")

// TestMachines reads the machines in testdata, each a piece of a file system with the mask of a
// process, and compares what is understood, and what is planned, with the want section.
func TestMachines(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no machines: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			root := fstest.MapFS{}
			var want *txtar.File
			for i := range a.Files {
				f := &a.Files[i]
				if f.Name == "want" {
					want = f
				}
				root[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			got := describe(t, root)
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got != string(want.Data) {
				t.Errorf("got:\n%swant:\n%s", got, want.Data)
			}
		})
	}
}

// describe reads a machine and says in words what it understood.
func describe(t *testing.T, root fs.FS) string {
	t.Helper()
	list, err := fs.ReadFile(root, "allowed")
	if err != nil {
		t.Fatal(err)
	}
	allowed, err := ParseMask(string(list))
	if err != nil {
		t.Fatal(err)
	}
	sys, err := fs.Sub(root, "sys")
	if err != nil {
		t.Fatal(err)
	}
	m := Machine{Allowed: allowed}
	if m.Topology, err = ReadTopology(sys); err != nil {
		t.Fatal(err)
	}
	if m.Quota, err = ReadQuota(root); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "online %v, allowed %v, quota %v, usable %d\n", m.Topology.Online(), m.Allowed, m.Quota, m.Usable())
	for _, c := range m.Topology.CPUs {
		fmt.Fprintf(&b, "cpu %d: core %d, cache %d, package %d, node %d, %v\n", c.ID, c.Core, c.Cache, c.Package, c.Node, c.Class)
	}
	fmt.Fprintf(&b, "auto for %d: %v\n", m.Usable()-1, Plan(m, Auto, m.Usable()-1))
	all := m.Allowed.Count()
	fmt.Fprintf(&b, "on for %d: %v\n", all+1, Plan(m, On, all+1))
	return b.String()
}

func TestTopologyErrors(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	for name, c := range map[string]struct {
		sys  fstest.MapFS
		want string
	}{
		"nothing":       {fstest.MapFS{}, "devices/system/cpu/online"},
		"no list":       {fstest.MapFS{"devices/system/cpu/online": file("a few")}, `"a few" is not a CPU number`},
		"backwards":     {fstest.MapFS{"devices/system/cpu/online": file("3-1")}, "3-1 runs backwards"},
		"too many":      {fstest.MapFS{"devices/system/cpu/online": file("0-5000")}, "CPU 5000 is not below 1024"},
		"package":       {fstest.MapFS{"devices/system/cpu/online": file("0"), "devices/system/cpu/cpu0/topology/physical_package_id": file("one")}, "cpu0/topology/physical_package_id"},
		"siblings":      {fstest.MapFS{"devices/system/cpu/online": file("0"), "devices/system/cpu/cpu0/topology/core_cpus_list": file("0,,1")}, "cpu0/topology/core_cpus_list"},
		"cache":         {fstest.MapFS{"devices/system/cpu/online": file("0"), "devices/system/cpu/cpu0/cache/index0/level": file("L1")}, "cpu0/cache/index0/level"},
		"node":          {fstest.MapFS{"devices/system/cpu/online": file("0"), "devices/system/node/online": file("0"), "devices/system/node/node0/cpulist": file("-1")}, "node0/cpulist"},
		"file is a dir": {fstest.MapFS{"devices/system/cpu/online/x": file("0")}, "devices/system/cpu/online"},
	} {
		_, err := ReadTopology(c.sys)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want something about %q", name, err, c.want)
		}
		if name == "nothing" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v does not match fs.ErrNotExist", err)
		}
	}
}

// TestTopologyOddities: what contradicts itself must not group a processor with strangers.
func TestTopologyOddities(t *testing.T) {
	sys := fstest.MapFS{
		"devices/system/cpu/online":                       {Data: []byte("1-2\n")},
		"devices/system/cpu/cpu1/topology/core_cpus_list": {Data: []byte("0-1\n")}, // 0 is offline
		"devices/system/cpu/cpu2/topology/core_cpus_list": {Data: []byte("\n")},    // not even itself
		"devices/system/cpu/cpu2/cache/index0/level":      {Data: []byte("1\n")},   // and no list of sharers
	}
	topo, err := ReadTopology(sys)
	if err != nil {
		t.Fatal(err)
	}
	want := []CPU{{ID: 1, Core: 1, Cache: 1}, {ID: 2, Core: 2, Cache: 2}}
	if fmt.Sprint(topo.CPUs) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", topo.CPUs, want)
	}
	if topo, err := ReadTopology(fstest.MapFS{"devices/system/cpu/online": {}}); err != nil || len(topo.CPUs) != 0 {
		t.Errorf("nothing online: %v, %v", topo, err)
	}
}

func TestQuotaErrors(t *testing.T) {
	const mounts = "31 24 0:27 / /cg rw - cgroup2 cgroup rw\n32 24 0:28 / /cg1 rw - cgroup cgroup rw,cpu"
	for content, bad := range map[string]bool{
		"max 100000": false, "max": false, "50000 100000": false, "50000": true, "x 100000": true, "-1 100000": true, "NaN 1": true, "1 0": true,
		"Inf Inf": true, "1 Inf": true, "1e5 100000": true, "0 100000": true,
	} {
		root := fstest.MapFS{
			"proc/self/cgroup":    {Data: []byte("garbage\n0::/a\n")},
			"proc/self/mountinfo": {Data: []byte("garbage\n1 2 - x\n" + mounts)},
			"cg/a/cpu.max":        {Data: []byte(content)},
		}
		q, err := ReadQuota(root)
		if (err != nil) != bad || bad && !strings.Contains(err.Error(), "cg/a/cpu.max") {
			t.Errorf("%q: %v, %v", content, q, err)
		}
	}
	// Version 1 says -1 for no limit, and a group may lie outside what the mount shows.
	root := fstest.MapFS{
		"proc/self/cgroup":      {Data: []byte("3:cpu:/../other")},
		"proc/self/mountinfo":   {Data: []byte(mounts)},
		"cg1/cpu.cfs_quota_us":  {Data: []byte("-1")},
		"cg1/cpu.cfs_period_us": {Data: []byte("100000")},
	}
	if q, err := ReadQuota(root); err != nil || !math.IsInf(q, 1) {
		t.Errorf("unlimited: %v, %v", q, err)
	}
	root["cg1/cpu.cfs_quota_us"].Data = []byte("200000")
	if q, err := ReadQuota(root); err != nil || q != 2 {
		t.Errorf("quota of the mount: %v, %v; want 2", q, err)
	}
}

// TestQuotaOfMountAtTheRoot: a tree mounted at / is searched up to its top, and the search ends
// there.
func TestQuotaOfMountAtTheRoot(t *testing.T) {
	for _, mount := range []string{"/", "//", "/..", "."} {
		for _, group := range []string{"/a/b", "/", "", "/..", "a", "../a"} {
			root := fstest.MapFS{
				"proc/self/cgroup":    {Data: []byte("0::" + group + "\n4:cpu:" + group)},
				"proc/self/mountinfo": {Data: []byte("31 24 0:27 / " + mount + " rw - cgroup2 c rw\n32 24 0:28 / " + mount + " rw - cgroup c rw,cpu")},
			}
			want := math.Inf(1)
			if group == "/a/b" && mount != "." {
				root["a/cpu.max"] = &fstest.MapFile{Data: []byte("150000 100000")}
				want = 1.5
			}
			if q, err := ReadQuota(root); err != nil || q != want {
				t.Errorf("mount %q, group %q: %v, %v; want %v", mount, group, q, err, want)
			}
		}
	}
}

// What the process may use is bounded by what it was given, and by what Go can run.
func TestUsableHere(t *testing.T) {
	n := Usable()
	if n < 1 || n > runtime.NumCPU() {
		t.Errorf("%d processors of %d", n, runtime.NumCPU())
	}
	if m, err := ReadMachine(); err == nil && n > m.Usable() {
		t.Errorf("%d processors, the machine says %d", n, m.Usable())
	}
}
