package affinity

import (
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"
)

// machineOf is the part of a file system that a txtar archive shows; names that no file can have
// are left out.
func machineOf(text []byte) fstest.MapFS {
	root := fstest.MapFS{}
	for _, f := range txtar.Parse(text).Files {
		if fs.ValidPath(f.Name) {
			root[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return root
}

func addMachines(f *testing.F) {
	f.Helper()
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		f.Fatalf("no machines: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
}

// FuzzTopology: sysfs of any content is an error, or a machine whose processors are online
// and lie in groups that are, too, and which can be planned for.
func FuzzTopology(f *testing.F) {
	addMachines(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<14 {
			return
		}
		sys, err := fs.Sub(machineOf(text), "sys")
		if err != nil {
			t.Fatal(err)
		}
		topo, err := ReadTopology(sys)
		if err != nil {
			return
		}
		online := topo.Online()
		for _, c := range topo.CPUs {
			if !online.Has(c.ID) || !online.Has(c.Core) || c.Node < 0 || c.Node >= MaskCPUs {
				t.Errorf("%+v of %v", c, online)
			}
		}
		m := Machine{Topology: topo, Allowed: online, Quota: math.Inf(1)}
		for _, mode := range []Mode{Auto, On} {
			for _, cpu := range Plan(m, mode, m.Usable()) {
				if cpu != Unbound && !online.Has(cpu) {
					t.Errorf("%v is planned of %v", cpu, online)
				}
			}
		}
	})
}

// FuzzQuota: reading control groups of any content ends, with an error or a number
// of processors above zero.
func FuzzQuota(f *testing.F) {
	addMachines(f)
	for _, cgroup := range []string{"0::/", "0::/../..", "0::a/b", "1:cpu:/x\n0::/y", "0::"} {
		for _, mount := range []string{"/sys/fs/cgroup", "/", "", "..", "a\\040b"} {
			f.Add(txtar.Format(&txtar.Archive{Files: []txtar.File{
				{Name: "proc/self/cgroup", Data: []byte(cgroup + "\n")},
				{Name: "proc/self/mountinfo", Data: []byte("36 35 98:0 / " + mount + " rw - cgroup2 none rw\n37 35 98:0 /x " + mount + " rw - cgroup none rw,cpu\n")},
				{Name: "sys/fs/cgroup/cpu.max", Data: []byte("50000 100000\n")},
			}}))
		}
	}
	for _, limit := range []string{"Inf Inf", "1 Inf", "NaN 1", "1e-400 1", "1 0", "0x10 0x10", "max"} {
		f.Add(txtar.Format(&txtar.Archive{Files: []txtar.File{
			{Name: "proc/self/cgroup", Data: []byte("0::/\n")},
			{Name: "proc/self/mountinfo", Data: []byte("36 35 98:0 / / rw - cgroup2 none rw\n")},
			{Name: "cpu.max", Data: []byte(limit + "\n")},
		}}))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<14 {
			return
		}
		if cpus, err := ReadQuota(machineOf(text)); err == nil && !(cpus > 0) {
			t.Errorf("%v processors", cpus)
		}
	})
}
