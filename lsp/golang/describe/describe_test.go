package describe

import (
	"go/types"
	"testing"

	"github.com/cytisus/cytisus/lsp"
)

func TestOfInteger(t *testing.T) {
	for written, want := range map[string]string{
		"0x41":                 "65, 'A', U+0041, LATIN CAPITAL LETTER A",
		"0X_0a":                "10, U+000A, control",
		"0b11":                 "3",
		"0o17":                 "15",
		"0xd800":               "55296",
		"0xffffffffffffffffff": "4722366482869645213695",
		"0x":                   "",
		"010":                  "",
		"99":                   "",
		"123":                  "",
	} {
		got := ""
		if h := ofInteger(lsp.Span{}, written); h != nil {
			got = h.Doc
		}
		if got != want {
			t.Errorf("%s: %q, wanted %q", written, got, want)
		}
	}
}

func TestOfEscape(t *testing.T) {
	literal := `"a\té\u00e9\x41"`
	for offset, want := range map[int]string{
		-1: "", 0: "", 1: "", 2: `\t`, 3: `\t`, 4: "", 6: `\u00e9`, 11: `\u00e9`, 12: `\x41`, 15: `\x41`, 16: "", 99: "",
	} {
		got := ""
		if h := ofEscape(lsp.Span{Start: 0, End: len(literal)}, literal, offset); h != nil {
			got = literal[h.Span.Start:h.Span.End]
		}
		if got != want {
			t.Errorf("at %d: %q, wanted %q", offset, got, want)
		}
	}
	for _, broken := range []string{"", `"`, "`\\t`", `"\q"`} {
		if h := ofEscape(lsp.Span{End: len(broken)}, broken, 1); h != nil {
			t.Errorf("%s: %q", broken, h.Doc)
		}
	}
}

func TestOpen(t *testing.T) {
	p := types.NewTypeParam(types.NewTypeName(0, nil, "P", nil), types.Universe.Lookup("any").Type())
	pair := types.NewStruct([]*types.Var{types.NewField(0, nil, "a", p, false)}, nil)
	for of, want := range map[types.Type]bool{
		p: true, pair: true, types.NewArray(p, 2): true, types.NewPointer(p): false, types.NewSlice(pair): false,
		types.Typ[types.Int]: false,
	} {
		if open(of) != want {
			t.Errorf("%s: %v", of, !want)
		}
	}
}
