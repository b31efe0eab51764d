package memo

import (
	"bytes"
	"errors"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

func aboutOf(query []byte) *about { return &about{query: string(query)} }

func sampleTraces() []*trace {
	parse := &about{query: "parse"}
	a := &trace{
		result: mmapcas.Hash{1, 2},
		reads: []read{
			{kind: readRecord, part: 3, key: "file:///a/b.go", hash: mmapcas.Hash{9}},
			{kind: readRecord, part: 3, key: "file:///a/c.go"},
			{kind: readKeys, part: 70, key: "file:///a/", about: &about{hi: "file:///a0"}, hash: mmapcas.Hash{8}},
			{kind: readRange, part: 1, key: "", about: &about{hi: ""}, hash: mmapcas.Hash{7}},
			{kind: readQuery, about: parse, key: "file:///a/b.go", hash: mmapcas.Hash{6}},
			{kind: readQuery, about: parse, key: "", hash: mmapcas.Hash{5}},
			{kind: readPart, about: &about{query: "parse", name: "Println"}, key: "file:///a/b.go", hash: mmapcas.Hash{5}},
			{kind: readPart, about: &about{query: "parse"}, key: "file:///a/b.go"},
			{kind: readNames, about: parse, key: "file:///a/b.go", hash: mmapcas.Hash{5}},
			{kind: readPresence, part: 2, key: "file:///a/b.go", hash: mmapcas.Hash{1}},
			{kind: readCount, part: 2, key: "a", about: &about{hi: "b"}, hash: number(300)},
			{kind: readKeys | readFiltered, part: 2, key: "a", about: &about{hi: "b", glob: "a/**/*.go"}, hash: mmapcas.Hash{4}},
			{kind: readRange | readFiltered, part: 2, key: "a", about: &about{glob: "*"}, hash: mmapcas.Hash{4}},
			{kind: readCount | readFiltered, part: 2, key: "a", about: &about{hi: "b", glob: "?"}, hash: number(2)},
		},
	}
	a.parts.Store(5)
	a.holds.Store(&interval{from: 3, to: 900})
	b := &trace{result: mmapcas.Hash{3}}
	b.holds.Store(&interval{from: 1, to: 1})
	return []*trace{a, b}
}

// The bytes are those of the example in docs/FORMAT.md.
func TestBytesOfATrace(t *testing.T) {
	hello := mmapcas.HashOf(32, []byte("\x65hello"))
	tr := &trace{result: resultName(32, []byte{5}), reads: []read{{kind: readRecord, part: 2, key: "a", hash: hello}}}
	tr.holds.Store(&interval{from: 1, to: 1})
	tr.dependsOn(partBit(2))
	want := append([]byte{0x2d, 0x63, 1, 2, 0x20, 5, 0x41, 1, 'a'}, hello[:]...)
	if got := encodeTraces(nil, making{version: 1, program: 1 << 40}, []*trace{tr}); !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
}

// A trace of another format is not read: its result may have been stored by other rules.
func TestTracesOfAnotherFormatAreNotRead(t *testing.T) {
	p := encodeTraces(nil, making{version: 7}, sampleTraces())
	for _, format := range []byte{0, traceFormat - 1, traceFormat + 1} {
		p[0] = p[0]&^(1<<formatBits-1) | format
		if _, _, err := decodeTraces(p, aboutOf); !errors.Is(err, ErrCorruptTrace) {
			t.Errorf("format %d: %v", format, err)
		}
	}
}

func TestTracesRoundTrip(t *testing.T) {
	want := sampleTraces()
	by := making{version: 7, program: 1 << 63}
	p := encodeTraces(nil, by, want)
	made, got, err := decodeTraces(p, aboutOf)
	if err != nil || made != by || len(got) != len(want) {
		t.Fatalf("by %v, %d traces, %v", made, len(got), err)
	}
	for i := range want {
		if !got[i].sameReads(want[i]) || got[i].result != want[i].result || got[i].readParts() != want[i].readParts() || got[i].newest() != want[i].newest() {
			t.Errorf("trace %d differs", i)
		}
	}
	for n := range p {
		if _, _, err := decodeTraces(p[:n], aboutOf); err == nil {
			t.Errorf("a record cut off after %d of %d bytes decodes", n, len(p))
		}
	}
}

func FuzzDecodeTraces(f *testing.F) {
	f.Add(encodeTraces(nil, making{7, 9}, sampleTraces()))
	f.Add(encodeTraces(nil, making{}, nil))
	f.Fuzz(func(t *testing.T, p []byte) {
		by, traces, err := decodeTraces(p, aboutOf)
		if bare, bareErr := resultsOf(p); (err == nil) != (bareErr == nil) || len(bare) != len(traces) && err == nil {
			t.Fatalf("with reads %d traces, %v; without %d, %v", len(traces), err, len(bare), bareErr)
		}
		if err != nil {
			return
		}
		again := encodeTraces(nil, by, traces)
		by2, t2, err := decodeTraces(again, aboutOf)
		if err != nil || by2 != by || len(t2) != len(traces) {
			t.Fatalf("does not survive another round: %v", err)
		}
		if !bytes.Equal(again, encodeTraces(nil, by2, t2)) {
			t.Fatal("encoding is not stable")
		}
	})
}

// The kinds of this package differ: a literal with two equal keys does not compile.
var _ = map[mmapcas.Kind]string{KindTrace: "traces", KindParts: "a table", KindLedger: "a ledger"}
