package affinity

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"
)

// BenchmarkMachine reads machines of several shapes and plans workers for them, as an engine does
// when it is opened.
func BenchmarkMachine(b *testing.B) {
	for _, name := range []string{"vm-two-processors", "laptop-hybrid", "server-two-sockets"} {
		text, err := os.ReadFile("testdata/" + name + ".txtar")
		if err != nil {
			b.Fatal(err)
		}
		root := machineOf(text)
		sys, err := fs.Sub(root, "sys")
		if err != nil {
			b.Fatal(err)
		}
		topo, err := ReadTopology(sys)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("machine="+name+"/op=topology", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ReadTopology(sys); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("machine="+name+"/op=plan", func(b *testing.B) {
			m := Machine{Topology: topo, Allowed: topo.Online(), Quota: math.Inf(1)}
			b.ReportAllocs()
			for b.Loop() {
				Plan(m, On, len(topo.CPUs))
			}
		})
	}
}

// BenchmarkParseMask reads lists of processors as the kernel writes them.
func BenchmarkParseMask(b *testing.B) {
	for _, ranges := range []int{1, 64} {
		var parts []string
		for i := range ranges {
			parts = append(parts, fmt.Sprintf("%d-%d", 4*i, 4*i+1))
		}
		list := strings.Join(parts, ",")
		b.Run(fmt.Sprintf("ranges=%d", ranges), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseMask(list); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
