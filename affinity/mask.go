package affinity

import (
	"fmt"
	"iter"
	"math/bits"
	"strconv"
	"strings"
)

// MaskCPUs is the number of processors that a Mask can name: 0 to MaskCPUs-1, as many as Linux' own
// cpu_set_t.
const MaskCPUs = 1024

// A Mask is a set of processors, by the numbers that the operating system gives them. The zero
// value is empty; masks are compared with ==.
type Mask struct {
	words [MaskCPUs / 64]uint64
}

// MaskOf returns the set of the given processors. Numbers outside [0, MaskCPUs) are left out.
func MaskOf(cpus ...int) (m Mask) {
	for _, cpu := range cpus {
		m.add(cpu)
	}
	return m
}

// ParseMask reads the list form of the kernel, as in "0-3,8,10-11". An empty list is an empty set.
func ParseMask(list string) (m Mask, err error) {
	list = strings.TrimSpace(list)
	if list == "" {
		return m, nil
	}
	for part := range strings.SplitSeq(list, ",") {
		first, last, ranged := strings.Cut(part, "-")
		lo, err := parseCPU(first)
		if err != nil {
			return Mask{}, fmt.Errorf("affinity: CPU list %q: %w", list, err)
		}
		hi := lo
		if ranged {
			if hi, err = parseCPU(last); err != nil {
				return Mask{}, fmt.Errorf("affinity: CPU list %q: %w", list, err)
			}
		}
		if hi < lo {
			return Mask{}, fmt.Errorf("affinity: CPU list %q: range %s runs backwards", list, part)
		}
		for cpu := lo; cpu <= hi; cpu++ {
			m.add(cpu)
		}
	}
	return m, nil
}

func parseCPU(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a CPU number", s)
	}
	if n >= MaskCPUs {
		return 0, fmt.Errorf("CPU %d is not below %d", n, MaskCPUs)
	}
	return int(n), nil
}

func (m *Mask) add(cpu int) {
	if uint(cpu) < MaskCPUs {
		m.words[cpu/64] |= 1 << (cpu % 64)
	}
}

// Has reports whether the set holds the processor.
func (m Mask) Has(cpu int) bool {
	return uint(cpu) < MaskCPUs && m.words[cpu/64]>>(cpu%64)&1 != 0
}

// Count returns the number of processors in the set.
func (m Mask) Count() (n int) {
	for _, w := range m.words {
		n += bits.OnesCount64(w)
	}
	return n
}

// And returns the processors that are in both sets.
func (m Mask) And(o Mask) Mask {
	for i := range m.words {
		m.words[i] &= o.words[i]
	}
	return m
}

// All yields the processors in rising order.
func (m Mask) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, w := range m.words {
			for ; w != 0; w &= w - 1 {
				if !yield(i*64 + bits.TrailingZeros64(w)) {
					return
				}
			}
		}
	}
}

// First returns the lowest processor in the set, -1 if there is none.
func (m Mask) First() int {
	for cpu := range m.All() {
		return cpu
	}
	return -1
}

// String returns the list form of the kernel, which ParseMask reads.
func (m Mask) String() string {
	var b strings.Builder
	for cpu := 0; cpu < MaskCPUs; cpu++ {
		if !m.Has(cpu) {
			continue
		}
		first := cpu
		for m.Has(cpu + 1) {
			cpu++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(first))
		if cpu > first {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(cpu))
		}
	}
	return b.String()
}
