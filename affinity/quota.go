package affinity

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// ReadQuota returns how much processor time the control groups of this process allow it, in
// processors; +Inf if they do not limit it. It reads from the root of a file system, on Linux
// os.DirFS("/"): both versions of control groups, and every group from the process' own up to the
// root of the mount, of which the tightest counts. Missing files mean no limit; what is there must
// make sense, or the error names the file.
func ReadQuota(root fs.FS) (cpus float64, err error) {
	r := sysReader{fsys: root}
	cpus = math.Inf(1)
	groups, _ := r.text("proc/self/cgroup")
	mounts, _ := r.text("proc/self/mountinfo")
	for _, h := range hierarchies(groups, mounts) {
		for dir := h.group; ; dir = path.Dir(dir) {
			cpus = min(cpus, r.limit(h, dir))
			if dir == h.mount || dir == path.Dir(dir) {
				break
			}
		}
	}
	return cpus, r.err
}

// A hierarchy is one mounted tree of control groups that can limit processor time.
type hierarchy struct {
	unified bool   // version 2
	mount   string // where it is mounted, without the leading slash
	group   string // the process' group in it: mount or below
}

// limit returns the limit of one group, +Inf for none.
func (r *sysReader) limit(h hierarchy, dir string) float64 {
	if h.unified {
		name := path.Join(dir, "cpu.max")
		s, found := r.text(name)
		if !found {
			return math.Inf(1)
		}
		quota, period, ok := strings.Cut(s, " ")
		if quota == "max" {
			return math.Inf(1)
		}
		q, errQ := strconv.ParseUint(quota, 10, 64)
		p, errP := strconv.ParseUint(period, 10, 64)
		if !ok || errQ != nil || errP != nil || q == 0 || p == 0 {
			r.err = fmt.Errorf("affinity: %s: %q is not a quota and a period", name, s)
			return math.Inf(1)
		}
		return float64(q) / float64(p)
	}
	quota := r.number(path.Join(dir, "cpu.cfs_quota_us"), -1)
	period := r.number(path.Join(dir, "cpu.cfs_period_us"), 0)
	if quota <= 0 || period <= 0 {
		return math.Inf(1)
	}
	return float64(quota) / float64(period)
}

// hierarchies finds the trees from /proc/self/cgroup and /proc/self/mountinfo. Lines that it does
// not understand are left out: both files are full of things that do not concern us.
func hierarchies(groups, mounts string) (hs []hierarchy) {
	var unified, cpu string // the process' group in each version
	var hasUnified, hasCPU bool
	for line := range strings.SplitSeq(groups, "\n") {
		id, rest, _ := strings.Cut(line, ":")
		controllers, group, ok := strings.Cut(rest, ":")
		switch {
		case !ok:
		case id == "0" && controllers == "":
			unified, hasUnified = group, true
		case listHas(controllers, "cpu"):
			cpu, hasCPU = group, true
		}
	}
	for line := range strings.SplitSeq(mounts, "\n") {
		// 36 35 98:0 /root /mount/point rw,noatime shared:1 - type source superoptions
		before, after, ok := strings.Cut(line, " - ")
		pre, post := strings.Fields(before), strings.Fields(after)
		if !ok || len(pre) < 5 || len(post) < 3 {
			continue
		}
		root, mount := unescape(pre[3]), strings.TrimPrefix(path.Clean(unescape(pre[4])), "/")
		switch {
		case post[0] == "cgroup2" && hasUnified:
			hs = append(hs, hierarchy{true, mount, below(mount, root, unified)})
		case post[0] == "cgroup" && hasCPU && listHas(post[2], "cpu"):
			hs = append(hs, hierarchy{false, mount, below(mount, root, cpu)})
		}
	}
	return hs
}

// below returns where a group is found under a mount that shows the tree from root on. A group
// outside of it, as seen from inside some containers, is taken for the mount's own.
func below(mount, root, group string) string {
	rest, ok := strings.CutPrefix(path.Clean(group), strings.TrimSuffix(path.Clean(root), "/"))
	if !ok || rest != "" && rest[0] != '/' || strings.HasPrefix(rest, "/..") {
		return mount
	}
	return strings.TrimPrefix(path.Join(mount, rest), "/") // a mount at the root is ""
}

func listHas(list, item string) bool {
	for s := range strings.SplitSeq(list, ",") {
		if s == item {
			return true
		}
	}
	return false
}

// unescape undoes the octal escapes that mountinfo uses for blanks and backslashes.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
