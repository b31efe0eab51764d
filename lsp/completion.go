package lsp

import (
	"bytes"
	"strconv"
	"unicode"

	"github.com/cytisus/cytisus/runtime"
)

// A CompletionKind says what a completion is. The numbers are those of the Language Server
// Protocol.
type CompletionKind uint8

// The completion kinds that languages use.
const (
	CompletionText      CompletionKind = 1
	CompletionMethod    CompletionKind = 2
	CompletionFunction  CompletionKind = 3
	CompletionField     CompletionKind = 5
	CompletionVariable  CompletionKind = 6
	CompletionClass     CompletionKind = 7
	CompletionInterface CompletionKind = 8
	CompletionModule    CompletionKind = 9
	CompletionKeyword   CompletionKind = 14
	CompletionSnippet   CompletionKind = 15
	CompletionConstant  CompletionKind = 21
	CompletionStruct    CompletionKind = 22
	CompletionTypeParam CompletionKind = 25
)

var completionKinds = map[CompletionKind]string{
	CompletionText: "text", CompletionMethod: "method", CompletionFunction: "function", CompletionField: "field",
	CompletionVariable: "variable", CompletionClass: "type", CompletionInterface: "interface", CompletionModule: "package",
	CompletionKeyword: "keyword", CompletionSnippet: "snippet", CompletionConstant: "constant", CompletionStruct: "struct",
	CompletionTypeParam: "type parameter",
}

// String is what people call the kind.
func (k CompletionKind) String() string {
	if name := completionKinds[k]; name != "" {
		return name
	}
	return "kind " + strconv.Itoa(int(k))
}

// A Completion is something that could stand at a place.
type Completion struct {
	Label      string // as it is shown
	Detail     string // its type or the like; "" if there is nothing to say
	Kind       CompletionKind
	Text       string // that takes the place of the list's span
	Snippet    bool   // Text is a snippet: $0, ${1:} are places, and \ stands before a $, } or \ that is none
	Filter     string // what is typed is compared with; "" means Label
	Deprecated bool
	Extra      []TextEdit // further edits of the file, that touch neither each other nor the span
	Token      string     // for Completer.CompletionDoc; "" if there is no documentation
}

// A CompletionList is what could stand at a place, best first.
type CompletionList struct {
	Insert  Span // is replaced by the text of what is chosen; ends at the place
	Replace Span // likewise, by clients that replace the rest of the word, too
	Items   []Completion
	Partial bool // there may be others when more is typed
}

// CompletionsAt is the list, still empty, for the word around an offset of a text: letters, digits
// and underscores.
func CompletionsAt(text []byte, offset int) *CompletionList {
	isWord := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	start := len(bytes.TrimRightFunc(text[:offset], isWord))
	end := len(text) - len(bytes.TrimLeftFunc(text[offset:], isWord))
	return &CompletionList{Insert: Span{start, offset}, Replace: Span{start, end}}
}

// CompletionOptions are what a client wants and understands.
type CompletionOptions struct {
	Placeholders bool // places of snippets have the names of what belongs there
	Snippets     bool
	Limit        int // of items; 0 means some default
}

// A Completer is a Workspace that knows what could stand at a place.
type Completer interface {
	// Complete lists what could stand at an offset, where a name may have been begun. It fails like
	// Workspace.Definition, but for places where nothing can stand, which have an empty list.
	Complete(t *runtime.Task, uri string, offset int, o CompletionOptions) (*CompletionList, error)

	// CompletionDoc is the documentation of a completion in a file, from the token of it; "" if
	// there is none.
	CompletionDoc(t *runtime.Task, uri, token string) (string, error)

	// CompletionTriggers are the characters behind which a client asks by itself. It is asked of
	// the prototype.
	CompletionTriggers() []string
}
