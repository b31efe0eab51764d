package lsp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

// A kind is a request as a row of the table below.
type kind struct {
	name   string
	method string

	// edited: each question comes right behind an edit of its file, about a place below the edit.
	edited bool

	// opens: each question is about a file that the client opens just before it, and closes behind
	// it.
	opens bool

	// files are those to draw from; what is edited must be open.
	files func(*script) []*source

	// places are those of a file to draw from.
	places func(*source) []place

	// behind is how many bytes behind the end of its name a place is asked about; nil: the place
	// is where the name starts.
	behind *int

	params func(question) any
	check  func(*client, question, []byte) error
}

// A question is one request of a kind.
type question struct {
	place
	file *source
	at   protocol.Position // in the text as it is when the question is asked
}

// kinds are the rows. Another request is another row.
var kinds = []kind{
	{
		name: "outline", method: protocol.MethodTextDocumentDocumentSymbol,
		files: unopened, places: functionNames, params: inFile, check: checkOutline,
	},
	{
		name: "open-outline", method: protocol.MethodTextDocumentDocumentSymbol, opens: true,
		files: unopened, places: functionNames, params: inFile, check: checkOutline,
	},
	{
		name: "hover", method: protocol.MethodTextDocumentHover,
		files: opened, places: allNames, params: atPlace, check: checkHover,
	},
	{
		name: "definition", method: protocol.MethodTextDocumentDefinition,
		files: opened, places: allNames, params: atPlace, check: checkDefinition,
	},
	{
		name: "references", method: protocol.MethodTextDocumentReferences,
		files: opened, places: allNames, params: withDeclaration, check: checkReferences,
	},
	{
		name: "symbols", method: protocol.MethodWorkspaceSymbol,
		files: unopened, places: exportedNames, params: byName, check: checkSymbols,
	},
	{
		name: "edit-outline", method: protocol.MethodTextDocumentDocumentSymbol, edited: true,
		files: opened, places: functionNames, params: inFile, check: checkOutline,
	},
	{
		name: "edit-hover", method: protocol.MethodTextDocumentHover, edited: true,
		files: opened, places: allNames, params: atPlace, check: checkHover,
	},
	{
		name: "highlight", method: protocol.MethodTextDocumentDocumentHighlight,
		files: opened, places: allNames, params: atPlace, check: checkHighlight,
	},
	{
		name: "signature", method: protocol.MethodTextDocumentSignatureHelp,
		files: opened, places: calledFunctions, behind: new(0), params: atPlace,
		check: checkSignature,
	},
	{
		name: "completion", method: protocol.MethodTextDocumentCompletion,
		files: opened, places: calledNames, behind: new(0), params: atPlace, check: checkCompletion,
	},
	{
		name: "edit-completion", method: protocol.MethodTextDocumentCompletion, edited: true,
		files: opened, places: calledNames, behind: new(0), params: atPlace, check: checkCompletion,
	},
	{
		name: "implementation", method: protocol.MethodTextDocumentImplementation,
		files: opened, places: methodNames, params: atPlace, check: checkDecodes[[]location],
	},
	{
		name: "calls", method: protocol.MethodTextDocumentPrepareCallHierarchy,
		files: opened, places: functionNames, params: atPlace, check: checkCalls,
	},
	{
		name: "rename", method: protocol.MethodTextDocumentRename,
		files: opened, places: plainNames, params: toNewName, check: checkRename,
	},
	{
		name: "actions", method: protocol.MethodTextDocumentCodeAction,
		files: opened, places: functionNames, params: actionsAt, check: checkDecodes[[]any],
	},
	{
		name: "folding", method: protocol.MethodTextDocumentFoldingRange,
		files: opened, places: functionNames, params: inFile, check: checkFolding,
	},
	{
		name: "tokens", method: protocol.MethodTextDocumentSemanticTokensFull,
		files: opened, places: functionNames, params: inFile, check: checkTokens,
	},
	{
		name: "hints", method: protocol.MethodTextDocumentInlayHint,
		files: opened, places: functionNames, params: inWholeFile, check: checkHints,
	},
	{
		name: "format", method: protocol.MethodTextDocumentFormatting,
		files: opened, places: functionNames, params: formatted, check: checkDecodes[[]any],
	},
}

// kindOf returns the kind of a name.
func kindOf(name string) kind {
	for _, k := range kinds {
		if k.name == name {
			return k
		}
	}
	panic("lsp: there is no kind " + name)
}

func opened(s *script) []*source   { return s.opened }
func unopened(s *script) []*source { return s.unopened }

func allNames(s *source) []place { return s.names }

func functionNames(s *source) (list []place) {
	for _, f := range s.functions {
		list = append(list, f.place)
	}
	return list
}

func exportedNames(s *source) (list []place) {
	for _, f := range s.functions {
		if f.exported && !f.method {
			list = append(list, f.place)
		}
	}
	return list
}

func inFile(q question) any { return map[string]any{"textDocument": editor.Named(q.file.path)} }

func atPlace(q question) any {
	return map[string]any{"textDocument": editor.Named(q.file.path), "position": q.at}
}

func withDeclaration(q question) any {
	return map[string]any{
		"textDocument": editor.Named(q.file.path), "position": q.at,
		"context": map[string]any{"includeDeclaration": true},
	}
}

func byName(q question) any { return map[string]any{"query": q.name} }

// offset is where a place is asked about.
func (k kind) offset(p place) int {
	if k.behind == nil {
		return p.offset
	}
	return p.offset + len(p.name) + *k.behind
}

// draw draws a question of a file that is not edited.
func (k kind) draw(s *script, r *rand.Rand) question {
	for {
		files := k.files(s)
		f := files[r.IntN(len(files))]
		if list := k.places(f); len(list) > 0 {
			p := list[r.IntN(len(list))]
			return question{p, f, editor.Position(f.text, k.offset(p))}
		}
	}
}

// drawBehind draws an edit and a question about a place below it, whose position is still the one
// before the edit.
func (k kind) drawBehind(s *script, r *rand.Rand) (e editor.Edit, q question) {
	for {
		files := k.files(s)
		f := files[r.IntN(len(files))]
		fn := f.functions[r.IntN(len(f.functions))]
		var below []place
		for _, p := range k.places(f) {
			if f.line(p.offset) > f.line(fn.body) {
				below = append(below, p)
			}
		}
		if len(below) > 0 {
			p := below[r.IntN(len(below))]
			return typeError(f, fn, r), question{p, f, editor.Position(f.text, k.offset(p))}
		}
	}
}

// typeError is an edit that puts a statement with a type error into a body, in lines of its own.
func typeError(f *source, fn function, r *rand.Rand) editor.Edit {
	return editor.Edit{Path: f.path, Start: fn.body, End: fn.body, Text: fmt.Sprintf("\n\tvar _ int = \"%d\"\n", r.Uint32())}
}

// decode decodes an answer.
func decode(answer []byte, into any) error {
	if len(answer) == 0 || bytes.Equal(answer, []byte("null")) {
		return fmt.Errorf("the answer is empty")
	}
	return json.Unmarshal(answer, into)
}

// A symbol is a DocumentSymbol, as far as it is looked at.
type symbol struct {
	Name           string
	SelectionRange protocol.Range
	Children       []symbol
}

func checkOutline(_ *client, q question, answer []byte) error {
	var list []symbol
	if err := decode(answer, &list); err != nil {
		return err
	}
	lines := make(map[string]map[uint32]bool)
	var walk func([]symbol)
	walk = func(list []symbol) {
		for _, s := range list {
			name := s.Name[strings.LastIndexByte(s.Name, '.')+1:] // of a method, (*T).M
			if lines[name] == nil {
				lines[name] = make(map[uint32]bool)
			}
			lines[name][s.SelectionRange.Start.Line] = true
			walk(s.Children)
		}
	}
	walk(list)
	for _, f := range q.file.functions {
		if lines[f.name] == nil {
			return fmt.Errorf("the outline lacks %s", f.name)
		}
	}
	if !lines[q.name][q.at.Line] {
		return fmt.Errorf(
			"the outline has %s in lines %v, not in %d",
			q.name,
			lines[q.name],
			q.at.Line,
		)
	}
	return nil
}

func checkHover(_ *client, q question, answer []byte) error {
	var hover struct{ Contents struct{ Value string } }
	if err := decode(answer, &hover); err != nil {
		return err
	}
	if !strings.Contains(hover.Contents.Value, q.name) {
		return fmt.Errorf("the hover does not name %s: %q", q.name, hover.Contents.Value)
	}
	return nil
}

type location struct {
	URI   string
	Range protocol.Range
}

func checkDefinition(c *client, q question, answer []byte) error {
	var list []location
	if err := decode(answer, &list); err != nil {
		return err
	}
	for _, l := range list {
		if line := c.Line(editor.PathOf(l.URI), int(l.Range.Start.Line)); strings.Contains(line, q.name) {
			return nil
		}
	}
	return fmt.Errorf("no line with %s among the definitions %v", q.name, list)
}

func checkReferences(_ *client, q question, answer []byte) error {
	var list []location
	if err := decode(answer, &list); err != nil {
		return err
	}
	for _, l := range list {
		if editor.PathOf(l.URI) == q.file.path && l.Range.Start == q.at {
			return nil
		}
	}
	return fmt.Errorf(
		"%d references, and %s:%d is not among them",
		len(list),
		q.file.path,
		q.at.Line+1,
	)
}

func checkSymbols(_ *client, q question, answer []byte) error {
	var list []struct{ Name string }
	if err := decode(answer, &list); err != nil {
		return err
	}
	for _, s := range list {
		if s.Name[strings.LastIndexByte(s.Name, '.')+1:] == q.name {
			return nil
		}
	}
	return fmt.Errorf("no symbol %s among %d", q.name, len(list))
}
