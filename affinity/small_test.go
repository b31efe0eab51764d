package affinity

import (
	"fmt"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/klauspost/cpuid/v2"
)

func TestPads(t *testing.T) {
	if unsafe.Sizeof(CacheLine{}) != CacheLineBytes || unsafe.Sizeof(LinePair{}) != LinePairBytes {
		t.Errorf("CacheLine is %d bytes, LinePair %d", unsafe.Sizeof(CacheLine{}), unsafe.Sizeof(LinePair{}))
	}
}

// TestRelaxCanBeInterrupted: a goroutine that does nothing but relax must not hold up a garbage
// collection, even if it has the only processor. It hangs if Relax loses its stack check by being
// inlined into such a loop.
func TestRelaxCanBeInterrupted(t *testing.T) {
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			for range 100 {
				Relax()
				Pause(0)
				Pause(1 << 31) // cut, or this would take minutes
			}
		}
	}()
	for range 3 {
		time.Sleep(time.Millisecond) // let it get going; nothing depends on how far it gets
		_ = make([]byte, 1<<20)
	}
	close(stop)
	<-done
}

func TestSpinsIn(t *testing.T) {
	if n := SpinsIn(0); n != 0 {
		t.Errorf("SpinsIn(0) = %d", n)
	}
	if n := SpinsIn(-time.Second); n != 0 {
		t.Errorf("SpinsIn(-1s) = %d", n)
	}
	short, long := SpinsIn(time.Millisecond), SpinsIn(time.Second)
	if short <= 0 || long < short {
		t.Errorf("SpinsIn: %d in a millisecond, %d in a second", short, long)
	}
}

func TestLevel(t *testing.T) {
	avx2 := []cpuid.FeatureID{cpuid.AVX2, cpuid.BMI2, cpuid.FMA3}
	avx512 := append(slices.Clone(avx2), cpuid.AVX512F, cpuid.AVX512BW, cpuid.AVX512DQ, cpuid.AVX512VL)
	for _, c := range []struct {
		has   []cpuid.FeatureID
		limit string
		want  Level
	}{
		{nil, "", Portable},
		{nil, "avx512", Portable}, // a limit cannot raise it
		{avx2, "", AVX2},
		{avx2, "avx512", AVX2},
		{avx2, "portable", Portable},
		{avx2[1:], "", Portable},
		{avx512, "", AVX512},
		{avx512[:6], "", AVX2},
		{avx512[1:], "", Portable},
		{avx512, "AVX2", AVX2},
		{avx512, "rubbish", AVX512},
	} {
		supports := func(ids ...cpuid.FeatureID) bool {
			for _, id := range ids {
				if !slices.Contains(c.has, id) {
					return false
				}
			}
			return true
		}
		if got := level(supports, c.limit); got != c.want {
			t.Errorf("%v with limit %q: %v, want %v", c.has, c.limit, got, c.want)
		}
	}
	if f := CPUFeatures(); f.Level > AVX512 {
		t.Errorf("this processor has %v", f)
	}
	if s := fmt.Sprint(Portable, AVX2, AVX512, Level(9)); s != "portable avx2 avx512 Level(9)" {
		t.Error(s)
	}
}

func BenchmarkRelax(b *testing.B) {
	for b.Loop() {
		Relax()
	}
}
