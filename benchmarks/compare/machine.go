package compare

import (
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"

	"github.com/klauspost/cpuid/v2"
)

// Machine describes where the figures come from, one fact per line.
func Machine() []string {
	lines := []string{
		fmt.Sprintf("machine     %s/%s, %d CPUs, memory %s", goruntime.GOOS, goruntime.GOARCH, goruntime.NumCPU(), memory()),
		fmt.Sprintf("cpu         %s", cpu()),
		fmt.Sprintf("kernel      %s", first("/proc/sys/kernel/osrelease", "not known on this system")),
		fmt.Sprintf("go          %s", goruntime.Version()),
		fmt.Sprintf("GOMAXPROCS  %d", goruntime.GOMAXPROCS(0)),
		fmt.Sprintf("command     %s", strings.Join(append([]string{filepath.Base(os.Args[0])}, os.Args[1:]...), " ")),
	}
	return append(lines, Load())
}

// Load says how busy the machine is. Figures from a busy machine are worth little, those of threads
// that wait for each other nothing.
func Load() string {
	return fmt.Sprintf("load        %s", first("/proc/loadavg", "not known on this system"))
}

func cpu() string {
	name := strings.TrimSpace(cpuid.CPU.BrandName)
	if name == "" {
		name = "unknown model"
	}
	if l3 := cpuid.CPU.Cache.L3; l3 > 0 {
		name += ", L3 " + strconv.Itoa(l3>>20) + " MiB"
	}
	return name
}

func memory() string {
	for line := range strings.Lines(first("/proc/meminfo", "")) {
		var kib int
		if n, _ := fmt.Sscanf(line, "MemTotal: %d kB", &kib); n == 1 {
			return strconv.Itoa(kib>>20) + " GiB"
		}
	}
	return "unknown"
}

// first returns what a file says, or otherwise if it cannot be read.
func first(path, otherwise string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return otherwise
	}
	return strings.TrimSpace(string(text))
}
