package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/account"
)

// A byteSize is a flag for a number of bytes, as people write it: 512MiB, 1.5G, 0 for no bound.
type byteSize int64

// units are the letters behind numbers of bytes. Each may be followed by B, or by iB: they are
// powers of 1024 in any case, as memory and disks are sold and shown by these.
const units = "KMGT"

// Set implements pflag.Value.
func (b *byteSize) Set(text string) error {
	bad := fmt.Errorf("%q is no size such as 512MiB or 2GiB", text)
	number := strings.TrimRight(strings.TrimSpace(text), "KMGTBkmgtbi ")
	unit := strings.ToUpper(strings.TrimSpace(strings.TrimSpace(text)[len(number):]))
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return bad
	}
	switch unit = strings.TrimSuffix(strings.TrimSuffix(unit, "B"), "I"); {
	case unit == "" && n == math.Trunc(n):
	case len(unit) == 1 && strings.Contains(units, unit):
		n *= math.Pow(1024, float64(strings.Index(units, unit)+1))
	default:
		return bad
	}
	if n < 0 || n >= 1<<62 {
		return bad
	}
	*b = byteSize(n)
	return nil
}

func (b *byteSize) String() string {
	if *b == 0 {
		return ""
	}
	return strings.ReplaceAll(bytesText(int64(*b)), " ", "")
}

// Type implements pflag.Value: what help calls the value.
func (b *byteSize) Type() string { return "size" }

// A memoryLimit is a flag for what a process may take.
type memoryLimit struct{ byteSize }

// Set implements pflag.Value.
func (l *memoryLimit) Set(text string) error {
	var b byteSize
	if err := b.Set(text); err != nil {
		return err
	}
	if least := byteSize(account.LimitLeast); b > 0 && b < least {
		return fmt.Errorf("the least is %v, and 0 is no limit", &least)
	}
	l.byteSize = b
	return nil
}

// A syncMode is a flag that says what waits for the disk.
type syncMode mmapcas.SyncMode

// syncModes are in the order of what they cost.
var syncModes = []mmapcas.SyncMode{mmapcas.SyncNone, mmapcas.SyncGroup, mmapcas.SyncEvery}

// Set implements pflag.Value.
func (s *syncMode) Set(text string) error {
	for _, m := range syncModes {
		if m.String() == text {
			*s = syncMode(m)
			return nil
		}
	}
	return fmt.Errorf("%q is not none, group or every", text)
}

func (s *syncMode) String() string { return mmapcas.SyncMode(*s).String() }

// Type implements pflag.Value.
func (s *syncMode) Type() string { return "mode" }

// What the process and its store may take unless it is told otherwise; docs/guides/limits.md says
// why.
const (
	defaultMemory byteSize = 2 << 30
	defaultDisk   byteSize = 8 << 30
)
