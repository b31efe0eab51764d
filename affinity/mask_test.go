package affinity

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestMaskModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cpus := rapid.SliceOf(rapid.IntRange(-3, MaskCPUs+3)).Draw(t, "cpus")
		others := rapid.SliceOf(rapid.IntRange(0, 80)).Draw(t, "others")
		m := MaskOf(cpus...)
		var model []int
		for _, cpu := range cpus {
			if cpu >= 0 && cpu < MaskCPUs {
				model = append(model, cpu)
			}
			if m.Has(cpu) != (cpu >= 0 && cpu < MaskCPUs) {
				t.Fatalf("Has(%d) = %v", cpu, m.Has(cpu))
			}
		}
		slices.Sort(model)
		model = slices.Compact(model)
		if got := slices.Collect(m.All()); !slices.Equal(got, model) || m.Count() != len(model) {
			t.Fatalf("All %v, Count %d, want %v", got, m.Count(), model)
		}
		if first := m.First(); len(model) == 0 && first != -1 || len(model) > 0 && first != model[0] {
			t.Fatalf("First = %d of %v", first, model)
		}
		back, err := ParseMask(m.String() + "\n")
		if err != nil || back != m {
			t.Fatalf("%q became %v, %v", m.String(), back, err)
		}
		both := m.And(MaskOf(others...))
		for cpu := range MaskCPUs {
			if both.Has(cpu) != (m.Has(cpu) && slices.Contains(others, cpu)) {
				t.Fatalf("And: Has(%d) = %v", cpu, both.Has(cpu))
			}
		}
	})
}

func TestParseMask(t *testing.T) {
	for list, want := range map[string]string{
		"": "", " \n": "", "0": "0", "3,1,2": "1-3", "0-3,8,10-11\n": "0-3,8,10-11", "1023": "1023", "63-64": "63-64", "1-1": "1",
	} {
		if m, err := ParseMask(list); err != nil || m.String() != want {
			t.Errorf("ParseMask(%q) = %v, %v; want %q", list, m, err, want)
		}
	}
	for _, list := range []string{",", "0,", "a", "1-", "-1", "2-1", "1024", "0-1024", "99999999999999999999", "0x1", "1 2", "0-7:2/4"} {
		if m, err := ParseMask(list); err == nil || m != (Mask{}) {
			t.Errorf("ParseMask(%q) = %v, %v; want an error and nothing", list, m, err)
		}
	}
}

// FuzzParseMask: no list crashes it, and what it takes comes back the same.
func FuzzParseMask(f *testing.F) {
	for _, s := range []string{"", "0-3,8", "5-2", "1023", "0-,", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, err := ParseMask(s)
		if err != nil {
			return
		}
		if back, err := ParseMask(m.String()); err != nil || back != m {
			t.Errorf("%q: %v became %v, %v", s, m, back, err)
		}
	})
}
