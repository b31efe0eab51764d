package db

import (
	"bytes"
	"slices"
	"testing"

	"github.com/cytisus/cytisus/mmapcas"
)

// Whatever a decoder accepts must be the one form of what it says, and must be safe to use.

func FuzzNode(f *testing.F) {
	leaf := newNode(0, []item{{key: "", hash: hashOf(1)}, {key: "a", hash: hashOf(2)}, {key: "ab", hash: hashOf(3)}})
	f.Add(byte(KindLeaf), leaf.node.Load().payload())
	inner := newNode(1, []item{{key: "file:///a", link: &link{hash: hashOf(1), size: 7}}, {key: "file:///b", link: &link{hash: hashOf(2), size: 9}}})
	f.Add(byte(KindInner), inner.node.Load().payload())
	f.Fuzz(func(t *testing.T, kind byte, payload []byte) {
		n, err := decodeNode(mmapcas.Kind(kind), payload)
		if err != nil {
			return
		}
		if again := n.payload(); !bytes.Equal(again, payload) {
			t.Fatalf("%x comes back as %x", payload, again)
		}
		if again := newNode(n.level(), n.items(nil)).node.Load().payload(); !bytes.Equal(again, payload) {
			t.Fatalf("%x is built as %x", payload, again)
		}
		for i, k := range n.keys(0, n.len(), nil) {
			if at, found := n.search(k); at != i || !found {
				t.Fatalf("key %d, %q, is found at %d, %t", i, k, at, found)
			}
		}
		_ = Refs(mmapcas.Kind(kind), payload)
		if n.leaf() {
			l, raw := newLeaf(len(n.raw), n.tail, n.len())
			copy(raw, n.raw)
			if err := scan(nil, l, Span{}, func(string, Hash) bool { return true }); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzChunk(f *testing.F) {
	c := &chunk{
		seq: 300, gen: 7, prev: hashOf(1), defs: []definition{{1, true, "side"}}, resets: []PartID{1, 2},
		sections: []section{{part: 1, edits: []edit{{"a", hashOf(2)}, {"ab", Hash{}}}}, {part: 1, edits: []edit{{"b", hashOf(3)}}}, {part: 9, edits: []edit{{"", hashOf(4)}}}},
	}
	f.Add(c.encode())
	f.Add((&chunk{seq: 1, turn: hashOf(9), pieces: []Hash{hashOf(5), hashOf(6)}}).encode())
	f.Add((&chunk{seq: 2, gen: 9, grafts: []graft{{3, hashOf(7), Delta{1, 2, 300}}, {4, Hash{}, Delta{Deleted: 1}}}}).encode())
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := decodeChunk(payload)
		if err != nil {
			return
		}
		if again := c.encode(); !bytes.Equal(again, payload) {
			t.Fatalf("%x comes back as %x", payload, again)
		}
		var own []Hash
		refs(KindChunk, payload, func(h Hash, isOwn bool) {
			if isOwn {
				own = append(own, h)
			}
		})
		if bare := BareRefs(KindChunk, payload); !slices.Equal(bare, own) {
			t.Fatalf("bare references %v, want %v", bare, own)
		}
	})
}

func FuzzPiece(f *testing.F) {
	f.Add(appendPiece(nil, []section{{part: 1, edits: []edit{{"a", hashOf(2)}, {"ab", Hash{}}}}, {part: 2, edits: []edit{{"b", hashOf(3)}}}}))
	f.Fuzz(func(t *testing.T, payload []byte) {
		s, err := decodePiece(payload)
		if err != nil {
			return
		}
		if again := appendPiece(nil, s); !bytes.Equal(again, payload) {
			t.Fatalf("%x comes back as %x", payload, again)
		}
		lists := cut(s, 64)
		if len(lists) > 1 && !long(s, 64) {
			t.Fatalf("%d lists of what is not long", len(lists))
		}
		for _, part := range lists {
			if _, err := decodePiece(appendPiece(nil, part)); err != nil {
				t.Fatalf("cut into something that does not decode: %v", err)
			}
		}
	})
}

func FuzzRoot(f *testing.F) {
	parts := []rootEntry{{name: "a", tree: hashOf(4), changed: 5}, {name: "b", side: true}}
	f.Add((&root{seq: 1, gen: 2, last: hashOf(3), parts: parts}).encode())
	parts[0].lost = lost{{"", "a"}, {"c", ""}}
	f.Add((&root{seq: 1, gen: 2, last: hashOf(3), parts: parts}).encode())
	f.Add((&root{seq: 1, gen: 2, last: hashOf(3), parts: parts, gone: futures{{2, 3}}}).encode())
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := decodeRoot(payload)
		if err != nil {
			return
		}
		if again := r.encode(); !bytes.Equal(again, payload) {
			t.Fatalf("%x comes back as %x", payload, again)
		}
	})
}

func FuzzNote(f *testing.F) {
	f.Add((&note{root: hashOf(1), seq: 2, gen: 3, last: hashOf(4), before: hashOf(5), head: hashOf(6), headSeq: 700, headGen: 8}).encode())
	f.Add((&note{format: formatV2, root: hashOf(1)}).encode())
	f.Add((&note{format: formatV3, root: hashOf(1)}).encode())
	f.Add((&note{format: formatV4, root: hashOf(1)}).encode())
	f.Add((&note{format: formatV5, root: hashOf(1), gone: futures{{2, 3}, {500, 700}}}).encode())
	f.Fuzz(func(t *testing.T, payload []byte) {
		n, err := decodeNote(payload)
		if err != nil {
			return
		}
		if again := n.encode(); !bytes.Equal(again, payload) {
			t.Fatalf("%x comes back as %x", payload, again)
		}
	})
}

// Whatever note and chunk a store holds, the database opens and works, or says why not.
func FuzzOpen(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte{4})
	f.Fuzz(func(t *testing.T, noteBytes, chunkBytes []byte) {
		st := newFake()
		st.note = noteBytes
		if _, _, err := st.Put(KindChunk, chunkBytes); err != nil {
			t.Fatal(err)
		}
		st.floor = 0
		d, err := open(st, Options{Logger: quiet})
		if err != nil {
			return
		}
		defer d.Close(t.Context())
		p, err := d.Partition("p", false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Commit(t.Context(), []Op{{p, "k", Put, value(t, st, "A")}}); err != nil {
			t.Fatal(err)
		}
	})
}
