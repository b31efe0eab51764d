package affinity

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Class tells fast cores from thrifty ones on machines that have both.
type Class uint8

const (
	Performance Class = iota // also all cores of a machine with one kind
	Efficiency
)

func (c Class) String() string {
	if c == Efficiency {
		return "efficiency"
	}
	return "performance"
}

// A CPU is one logical processor: what the operating system schedules threads on. Core and Cache
// name a group by the lowest number of the online processors in it, so the names are unique on the
// machine.
type CPU struct {
	ID      int
	Core    int // processors with the same Core are SMT siblings
	Cache   int // processors with the same Cache share their last-level cache
	Package int // socket, as the system numbers it
	Node    int // NUMA node
	Class   Class
}

// A Topology is the online processors of a machine, in rising order of ID.
type Topology struct {
	CPUs []CPU
}

// Flat returns a topology in which all the given processors are alike: what to assume when nothing
// is known.
func Flat(cpus Mask) (t Topology) {
	first := max(cpus.First(), 0)
	for id := range cpus.All() {
		t.CPUs = append(t.CPUs, CPU{ID: id, Core: id, Cache: first})
	}
	return t
}

// Online returns the processors of the topology as a set.
func (t Topology) Online() (m Mask) {
	for _, c := range t.CPUs {
		m.add(c.ID)
	}
	return m
}

// ReadTopology reads the processors that are online from a sysfs tree, on Linux os.DirFS("/sys"). A
// tree without a list of online processors is an error, which then matches fs.ErrNotExist. Anything
// else may be missing, as it is in many containers and virtual machines, and then counts as "all
// alike"; but what is there must make sense, or the error names the file.
func ReadTopology(sys fs.FS) (Topology, error) {
	const cpuDir, nodeDir = "devices/system/cpu", "devices/system/node"
	r := sysReader{fsys: sys}
	online, found := r.mask(path.Join(cpuDir, "online"))
	if r.err == nil && !found {
		r.err = fmt.Errorf("affinity: %s/online: %w", cpuDir, fs.ErrNotExist)
	}
	t := Flat(online)
	for i := range t.CPUs {
		c := &t.CPUs[i]
		dir := path.Join(cpuDir, "cpu"+strconv.Itoa(c.ID))
		c.Package = r.number(path.Join(dir, "topology/physical_package_id"), 0)
		c.Core = r.group(c.ID, online, c.ID, path.Join(dir, "topology/core_cpus_list"), path.Join(dir, "topology/thread_siblings_list"))
		c.Cache = r.lastLevelCache(path.Join(dir, "cache"), c, online)
	}
	r.nodes(nodeDir, t.CPUs)
	r.classes(cpuDir, t.CPUs)
	if r.err != nil {
		return Topology{}, r.err
	}
	return t, nil
}

// A sysReader reads small files, and remembers the first error that is not a missing file.
type sysReader struct {
	fsys fs.FS
	err  error
}

// text returns the content of a file, and whether it is there.
func (r *sysReader) text(name string) (string, bool) {
	if r.err != nil {
		return "", false
	}
	b, err := fs.ReadFile(r.fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false
	case err != nil:
		r.err = fmt.Errorf("affinity: %w", err)
		return "", false
	}
	return strings.TrimSpace(string(b)), true
}

// mask reads a list of processors.
func (r *sysReader) mask(name string) (m Mask, found bool) {
	s, found := r.text(name)
	if !found {
		return m, false
	}
	m, err := ParseMask(s)
	if err != nil {
		r.err = fmt.Errorf("%s: %w", name, err)
		return Mask{}, false
	}
	return m, true
}

// number reads a number, or returns the default if the file is missing.
func (r *sysReader) number(name string, missing int) int {
	s, found := r.text(name)
	if !found {
		return missing
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		r.err = fmt.Errorf("affinity: %s: %q is not a number", name, s)
		return missing
	}
	return n
}

// group returns the lowest online processor in the first of the lists that exists, if processor id
// is in that list, and otherwise the default.
func (r *sysReader) group(id int, online Mask, missing int, names ...string) int {
	for _, name := range names {
		if m, found := r.mask(name); found {
			if m = m.And(online); m.Has(id) {
				return m.First()
			}
			return missing
		}
	}
	return missing
}

// lastLevelCache returns the group of processors that share the highest level of cache, by default
// the whole machine.
func (r *sysReader) lastLevelCache(dir string, c *CPU, online Mask) int {
	group, highest := c.Cache, 0
	for i := 0; ; i++ {
		index := path.Join(dir, "index"+strconv.Itoa(i))
		level := r.number(path.Join(index, "level"), 0)
		if level == 0 {
			return group
		}
		if level > highest {
			highest = level
			group = r.group(c.ID, online, c.ID, path.Join(index, "shared_cpu_list"))
		}
	}
}

// nodes fills in NUMA nodes.
func (r *sysReader) nodes(dir string, cpus []CPU) {
	nodes, _ := r.mask(path.Join(dir, "online"))
	for n := range nodes.All() {
		members, _ := r.mask(path.Join(dir, "node"+strconv.Itoa(n), "cpulist"))
		for i := range cpus {
			if members.Has(cpus[i].ID) {
				cpus[i].Node = n
			}
		}
	}
}

// classes tells efficiency cores: Intel lists them, others rate each processor's capacity.
func (r *sysReader) classes(cpuDir string, cpus []CPU) {
	atoms, listed := r.mask("devices/cpu_atom/cpus")
	capacity := make([]int, len(cpus))
	for i, c := range cpus {
		capacity[i] = r.number(path.Join(cpuDir, "cpu"+strconv.Itoa(c.ID), "cpu_capacity"), 0)
	}
	if len(cpus) == 0 {
		return
	}
	best := slices.Max(capacity)
	for i := range cpus {
		rated := capacity[i] > 0 && capacity[i]*4 < best*3
		if listed && atoms.Has(cpus[i].ID) || !listed && rated {
			cpus[i].Class = Efficiency
		}
	}
}
