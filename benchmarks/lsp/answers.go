package lsp

import (
	"fmt"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

// calledNames are names of other packages' functions and types where they are called with
// something.
func calledNames(s *source) []place { return s.called(func(call) bool { return true }) }

// calledFunctions are those of calledNames that are no types: a conversion has no signature. What
// package unsafe declares is left out, as predeclared names are.
func calledFunctions(s *source) []place {
	return s.called(func(c call) bool { return c.function && c.importPath != "unsafe" })
}

func (s *source) called(wanted func(call) bool) (list []place) {
	for _, c := range s.calls {
		if !wanted(c) {
			continue
		}
		behind := s.text[c.offset+len(c.name):]
		if len(behind) > 1 && behind[0] == '(' && behind[1] != ')' && s.ascii(c.offset+len(c.name)) {
			list = append(list, place{c.name, c.offset})
		}
	}
	return list
}

func methodNames(s *source) (list []place) {
	for _, f := range s.functions {
		if f.method {
			list = append(list, f.place)
		}
	}
	return list
}

// plainNames are those of functions that nothing but Go calls by their names.
func plainNames(s *source) (list []place) {
	for _, f := range s.functions {
		if !f.method && f.name != "main" && f.name != "init" && !strings.HasSuffix(s.path, "_test.go") {
			list = append(list, f.place)
		}
	}
	return list
}

func toNewName(q question) any {
	return map[string]any{
		"textDocument": editor.Named(q.file.path), "position": q.at, "newName": q.name + "Anew",
	}
}

func actionsAt(q question) any {
	return map[string]any{
		"textDocument": editor.Named(q.file.path),
		"range":        protocol.Range{Start: q.at, End: q.at},
		"context":      map[string]any{"diagnostics": []any{}},
	}
}

func inWholeFile(q question) any {
	end := editor.Position(q.file.text, len(q.file.text))
	return map[string]any{"textDocument": editor.Named(q.file.path), "range": protocol.Range{End: end}}
}

func formatted(q question) any {
	return map[string]any{
		"textDocument": editor.Named(q.file.path),
		"options":      map[string]any{"tabSize": 8, "insertSpaces": false},
	}
}

// checkDecodes is for answers that may rightly be empty: they must be of a type.
func checkDecodes[T any](_ *client, _ question, answer []byte) error {
	if string(answer) == "null" {
		return nil
	}
	var is T
	return decode(answer, &is)
}

func checkHighlight(_ *client, q question, answer []byte) error {
	var list []struct{ Range protocol.Range }
	if err := decode(answer, &list); err != nil {
		return err
	}
	for _, h := range list {
		if h.Range.Start == q.at {
			return nil
		}
	}
	return fmt.Errorf("%d highlights, and the place itself is not among them", len(list))
}

func checkSignature(_ *client, q question, answer []byte) error {
	var help struct{ Signatures []struct{ Label string } }
	if err := decode(answer, &help); err != nil {
		return err
	}
	if len(help.Signatures) == 0 || !strings.Contains(help.Signatures[0].Label, q.name) {
		return fmt.Errorf("no signature of %s: %v", q.name, help.Signatures)
	}
	return nil
}

func checkCompletion(_ *client, q question, answer []byte) error {
	var list struct{ Items []struct{ Label string } }
	if err := decode(answer, &list); err != nil {
		return err
	}
	for _, item := range list.Items {
		if strings.HasPrefix(item.Label, q.name) {
			return nil
		}
	}
	return fmt.Errorf("%s is not among %d completions", q.name, len(list.Items))
}

func checkCalls(_ *client, q question, answer []byte) error {
	var list []struct{ Name string }
	if err := decode(answer, &list); err != nil {
		return err
	}
	if len(list) == 0 || !strings.Contains(list[0].Name, q.name) {
		return fmt.Errorf("no item for %s: %v", q.name, list)
	}
	return nil
}

func checkRename(_ *client, q question, answer []byte) error {
	type edits []struct{ NewText string }
	var edit struct {
		Changes         map[string]edits
		DocumentChanges []struct{ Edits edits }
	}
	if err := decode(answer, &edit); err != nil {
		return err
	}
	all := make([]edits, 0, len(edit.Changes))
	for _, list := range edit.Changes {
		all = append(all, list)
	}
	for _, d := range edit.DocumentChanges {
		all = append(all, d.Edits)
	}
	for _, list := range all {
		for _, e := range list {
			if strings.Contains(e.NewText, q.name+"Anew") {
				return nil
			}
		}
	}
	return fmt.Errorf("no edit writes %sAnew", q.name)
}

func checkFolding(_ *client, _ question, answer []byte) error {
	var list []struct{ StartLine, EndLine int }
	if err := decode(answer, &list); err != nil {
		return err
	}
	if len(list) == 0 {
		return fmt.Errorf("nothing can be folded")
	}
	return nil
}

func checkHints(_ *client, _ question, answer []byte) error {
	var list []struct{ Position protocol.Position }
	if err := decode(answer, &list); err != nil {
		return err
	}
	if len(list) == 0 {
		return fmt.Errorf("there are no hints")
	}
	return nil
}

func checkTokens(_ *client, _ question, answer []byte) error {
	var tokens struct{ Data []uint32 }
	if err := decode(answer, &tokens); err != nil {
		return err
	}
	if len(tokens.Data) == 0 || len(tokens.Data)%5 != 0 {
		return fmt.Errorf("%d numbers are no tokens", len(tokens.Data))
	}
	return nil
}
