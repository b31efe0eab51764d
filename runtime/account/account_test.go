package account

import (
	goruntime "runtime"
	"testing"
)

func TestAccount(t *testing.T) {
	a := Account{Resident: 100 << 20, Holders: []Holder{
		{Name: "heap", Bytes: 60 << 20, Parts: []Holder{{Name: "answers", Bytes: 10 << 20}, {Name: "partitions", Bytes: 30 << 20}}},
		{Name: "segments", Bytes: 30 << 20},
	}}
	if a.Sum() != 90<<20 || a.Unaccounted() != 10<<20 {
		t.Errorf("sum %d, unaccounted %d", a.Sum(), a.Unaccounted())
	}
	if h := a.Find("heap", "partitions"); h == nil || h.Bytes != 30<<20 {
		t.Errorf("found %+v", h)
	}
	if h := a.Find("heap", "no such"); h != nil {
		t.Errorf("found %+v", h)
	}
	if got, want := a.String(), "heap 60.0 MiB (of it partitions 30.0), segments 30.0 MiB"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	a.Resident = 0
	if a.Unaccounted() != 0 {
		t.Errorf("what is not known counts as %d bytes", a.Unaccounted())
	}
}

var kept []byte

// The metrics that are read are there, and follow what is allocated.
func TestReadGo(t *testing.T) {
	before := ReadGo()
	if before.Stacks == 0 || before.Runtime == 0 || before.Objects == 0 {
		t.Fatalf("a metric is not there: %+v", before)
	}
	kept = make([]byte, 64<<20)
	goruntime.GC()
	after := ReadGo()
	if grown := after.Objects - before.Objects; grown < 60<<20 {
		t.Errorf("the heap has grown by %d bytes for 64 MiB", grown)
	}
	if after.Live < 64<<20 {
		t.Errorf("%d bytes are live, 64 MiB of them at least", after.Live)
	}
	kept = nil
}
