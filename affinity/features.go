package affinity

import (
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/klauspost/cpuid/v2"
)

// A Level is how wide the vector code may be that a processor runs. Levels are ordered: each
// includes those below.
type Level uint8

const (
	Portable Level = iota // no assembly
	AVX2                  // AVX2, BMI2, FMA
	AVX512                // AVX-512 F, BW, DQ and VL
)

func (l Level) String() string {
	switch l {
	case Portable:
		return "portable"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// LevelVariable is the environment variable that lowers the level, for tests and for machines whose
// vector units disappoint: portable, avx2 or avx512. It cannot raise the level, and other values
// are ignored.
const LevelVariable = "CYTISUS_CPU"

// Features is what the processor offers, as far as anybody here chooses code by it.
type Features struct {
	Level Level
	Folds bool   // AVX2 and VPCLMULQDQ, by which checksums are folded; not at the level Portable
	Brand string // as the processor calls itself, for reports; may be empty
}

// CPUFeatures returns what this processor offers, within the limit that LevelVariable sets. It
// finds out once.
func CPUFeatures() Features { return cpuFeatures() }

var cpuFeatures = sync.OnceValue(func() Features {
	l := level(cpuid.CPU.Supports, os.Getenv(LevelVariable))
	return Features{
		Level: l,
		Folds: l >= AVX2 && cpuid.CPU.Supports(cpuid.VPCLMULQDQ),
		Brand: strings.TrimSpace(cpuid.CPU.BrandName),
	}
})

// level returns the highest level whose instructions are all supported, or the limit if that is a
// lower one.
func level(supports func(...cpuid.FeatureID) bool, limit string) Level {
	l := Portable
	if supports(cpuid.AVX2, cpuid.BMI2, cpuid.FMA3) {
		l = AVX2
		if supports(cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL) {
			l = AVX512
		}
	}
	for lower := Portable; lower < l; lower++ {
		if strings.EqualFold(limit, lower.String()) {
			return lower
		}
	}
	return l
}
