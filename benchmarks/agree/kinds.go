package agree

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

// A kind is a request as a row of the table below.
type kind struct {
	name   string
	field  string // of the capabilities
	method string

	// whole says that each line of an answer is a point of its own.
	whole bool

	// fits reports whether places of a role are asked about. Nil asks once for each file.
	fits func(role string) bool

	// edit is what is typed before a question, and where it is asked then. Nil types nothing.
	edit func(*question) (editor.Edit, int)

	// share is how many of so many places are asked about. 0 counts as 1.
	share int

	params func(*question) any

	// next is asked for each item of the answer, whose answers together are the answer; "" for
	// none.
	next string

	read func(*reader, *question, []byte) ([]string, error)

	// offered reads all that an answer has, where its lines are some of it; nil for nothing.
	offered func([]byte) ([]string, error)
}

// A question is one request of a kind.
type question struct {
	kind *kind
	file *source
	place
	at protocol.Position
}

func (q *question) String() string {
	return fmt.Sprintf("%s %s (%s)", q.kind.name, q.name, q.role)
}

func everywhere(string) bool { return true }

func not(roles ...string) func(string) bool {
	return func(role string) bool { return !slices.Contains(roles, role) }
}

func only(roles ...string) func(string) bool {
	return func(role string) bool { return slices.Contains(roles, role) }
}

// kinds are the rows. Another request is another row.
var kinds = []*kind{
	{
		name: "definition", field: "definitionProvider", method: "textDocument/definition",
		fits: everywhere, params: atPlace, read: readLocations,
	},
	{
		name: "type definition", field: "typeDefinitionProvider", method: "textDocument/typeDefinition",
		fits: everywhere, share: 2, params: atPlace, read: readLocations,
	},
	{
		name: "implementation", field: "implementationProvider", method: "textDocument/implementation",
		fits: everywhere, share: 2, params: atPlace, read: readLocations,
	},
	{
		name: "references", field: "referencesProvider", method: "textDocument/references",
		fits: everywhere, params: withDeclaration, read: readLocations,
	},
	{
		name: "highlight", field: "documentHighlightProvider", method: "textDocument/documentHighlight",
		fits: everywhere, params: atPlace, read: readHighlights,
	},
	{
		name: "hover", field: "hoverProvider", method: "textDocument/hover",
		fits: everywhere, params: atPlace, read: readHover,
	},
	{
		name: "rename", field: "renameProvider", method: "textDocument/rename",
		fits: everywhere, share: 4, params: withName, read: readRename,
	},
	{
		name: "signature help", field: "signatureHelpProvider", method: "textDocument/signatureHelp",
		fits: only(roleCall), params: invoked, read: readSignature,
	},
	{
		name: "incoming calls", field: "callHierarchyProvider", next: "callHierarchy/incomingCalls",
		method: "textDocument/prepareCallHierarchy",
		fits:   only(roleFunc, roleMethod), params: atPlace, read: readCalls,
	},
	{
		name: "outgoing calls", field: "callHierarchyProvider", next: "callHierarchy/outgoingCalls",
		method: "textDocument/prepareCallHierarchy",
		fits:   only(roleFunc, roleMethod), params: atPlace, read: readCalls,
	},
	{
		name: "subtypes", field: "typeHierarchyProvider", next: "typeHierarchy/subtypes",
		method: "textDocument/prepareTypeHierarchy",
		fits:   only(roleType), params: atPlace, read: readTypes,
	},
	{
		name: "supertypes", field: "typeHierarchyProvider", next: "typeHierarchy/supertypes",
		method: "textDocument/prepareTypeHierarchy",
		fits:   only(roleType), params: atPlace, read: readTypes,
	},
	{
		name: "completion, first three", field: "completionProvider", method: "textDocument/completion",
		fits: only(roleSelector, roleOther, roleBuiltin, roleQualifier, roleKey), share: 2,
		edit: cutOff, params: atPlace, read: readExpected,
	},
	{
		name: "completion, first ten", field: "completionProvider", method: "textDocument/completion",
		fits: only(roleSelector, roleOther, roleBuiltin, roleQualifier, roleKey), share: 4,
		edit: cutOff, params: atPlace, read: readLabels, offered: labelsOf, whole: true,
	},
	{
		name: "errors", method: "textDocument/diagnostic", field: "diagnosticProvider",
		fits: only(roleSelector, roleOther, roleQualifier, roleFunc, roleField), share: 8,
		edit: misspell, params: inFile, read: readErrors, whole: true,
	},
	{
		name: "analysis", method: "textDocument/diagnostic", field: "diagnosticProvider",
		params: inFile, read: readWarnings, whole: true,
	},
	{
		name: "symbols", field: "documentSymbolProvider", method: "textDocument/documentSymbol",
		params: inFile, read: readSymbols, whole: true,
	},
	{
		name: "workspace symbols", field: "workspaceSymbolProvider", method: "workspace/symbol",
		fits: only(roleFunc, roleType, roleMethod), share: 2, params: byName, read: readNamed,
	},
	{
		name: "folding", field: "foldingRangeProvider", method: "textDocument/foldingRange",
		params: inFile, read: readFolding, whole: true,
	},
	{
		name: "tokens", field: "semanticTokensProvider", method: "textDocument/semanticTokens/full",
		params: inFile, read: readTokens, whole: true,
	},
	{
		name: "formatting", field: "documentFormattingProvider", method: "textDocument/formatting",
		edit: untidy, params: withOptions, read: readFormatted,
	},
}

// roleCall is the role of places between the parentheses of a call.
const roleCall = "argument"

func inFile(q *question) any { return map[string]any{"textDocument": editor.Named(q.file.path)} }

func atPlace(q *question) any {
	return map[string]any{"textDocument": editor.Named(q.file.path), "position": q.at}
}

// invoked asks as an editor does when its user wants an answer, and not what is typed.
func invoked(q *question) any {
	return map[string]any{
		"textDocument": editor.Named(q.file.path), "position": q.at,
		"context": map[string]any{"triggerKind": 1, "isRetrigger": false},
	}
}

func withDeclaration(q *question) any {
	return map[string]any{
		"textDocument": editor.Named(q.file.path), "position": q.at,
		"context": map[string]any{"includeDeclaration": true},
	}
}

func withName(q *question) any {
	return map[string]any{
		"textDocument": editor.Named(q.file.path), "position": q.at, "newName": q.name + "Renamed",
	}
}

func withOptions(q *question) any {
	return map[string]any{
		"textDocument": editor.Named(q.file.path),
		"options":      map[string]any{"tabSize": 8, "insertSpaces": false},
	}
}

func byName(q *question) any { return map[string]any{"query": q.name} }

// cutOff cuts a name off behind its first letter, or behind the second of a long one.
func cutOff(q *question) (editor.Edit, int) {
	keep := min(len(q.name), 1+len(q.name)/8)
	for keep < len(q.name) && q.name[keep]&0xC0 == 0x80 {
		keep++
	}
	e := editor.Edit{Path: q.file.path, Start: q.offset + keep, End: q.offset + len(q.name)}
	return e, q.offset + keep
}

// misspell makes a name one that is not declared.
func misspell(q *question) (editor.Edit, int) {
	end := q.offset + len(q.name)
	return editor.Edit{Path: q.file.path, Start: end, End: end, Text: "Misspelt"}, q.offset
}

// untidy puts spaces where they do not belong: behind each opening brace of a function, and a line
// more.
func untidy(q *question) (editor.Edit, int) {
	at := 0
	if len(q.file.bodies) > 0 {
		at = q.file.bodies[len(q.file.bodies)/2]
	}
	return editor.Edit{Path: q.file.path, Start: at, End: at, Text: " ;\n\n\n    "}, at
}

// A reader reads answers of one server.
type reader struct {
	root   string
	legend []string // of token types
}

// where is a location as a line.
func (r *reader) where(u string, rang protocol.Range) string {
	path := editor.PathOf(u)
	if rest, ok := strings.CutPrefix(path, r.root); ok {
		path = strings.TrimPrefix(rest, "/")
	}
	return path + ":" + span(rang)
}

func span(r protocol.Range) string {
	return fmt.Sprintf("%d:%d-%d:%d", r.Start.Line+1, r.Start.Character+1, r.End.Line+1, r.End.Character+1)
}

type located struct {
	URI                  string
	Range                protocol.Range
	TargetURI            string
	TargetSelectionRange protocol.Range
}

func readLocations(r *reader, _ *question, answer []byte) (lines []string, err error) {
	var list []located
	if strings.HasPrefix(strings.TrimSpace(string(answer)), "{") {
		answer = fmt.Appendf(nil, "[%s]", answer)
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, err
	}
	for _, l := range list {
		if l.TargetURI != "" {
			l.URI, l.Range = l.TargetURI, l.TargetSelectionRange
		}
		lines = append(lines, r.where(l.URI, l.Range))
	}
	return lines, nil
}

func readHighlights(_ *reader, _ *question, answer []byte) (lines []string, err error) {
	var list []struct{ Range protocol.Range }
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, err
	}
	for _, h := range list {
		lines = append(lines, span(h.Range))
	}
	return lines, nil
}

// readHover reads the first line of code, without a comment at its end and without the brace that
// opens a type.
func readHover(_ *reader, _ *question, answer []byte) ([]string, error) {
	var hover *struct{ Contents struct{ Value string } }
	if err := json.Unmarshal(answer, &hover); err != nil || hover == nil {
		return nil, err
	}
	_, code, ok := strings.Cut(hover.Contents.Value, "```go\n")
	if !ok {
		return []string{hover.Contents.Value}, nil
	}
	line, _, _ := strings.Cut(code, "\n")
	line, _, _ = strings.Cut(line, "//")
	line = strings.TrimSuffix(strings.Join(strings.Fields(line), " "), "{")
	return []string{strings.TrimSpace(line)}, nil
}

func readRename(r *reader, _ *question, answer []byte) (lines []string, err error) {
	type textEdit struct {
		Range   protocol.Range
		NewText string
	}
	var edit struct {
		Changes         map[string][]textEdit
		DocumentChanges []struct {
			Kind           string
			OldURI, NewURI string
			TextDocument   struct{ URI string }
			Edits          []textEdit
		}
	}
	if err := json.Unmarshal(answer, &edit); err != nil {
		return nil, err
	}
	add := func(u string, edits []textEdit) {
		for _, e := range edits {
			// What an edit leaves as it was, at either end, is no part of it.
			lines = append(lines, r.where(u, protocol.Range{Start: e.Range.End, End: e.Range.End})+" "+
				tailOf(e.NewText))
		}
	}
	for u, edits := range edit.Changes {
		add(u, edits)
	}
	for _, c := range edit.DocumentChanges {
		if c.Kind != "" {
			lines = append(lines, c.Kind+" "+r.where(c.OldURI, protocol.Range{})+" "+r.where(c.NewURI, protocol.Range{}))
		}
		add(c.TextDocument.URI, c.Edits)
	}
	return lines, nil
}

// tailOf is the end of a new text: servers may replace a name, or add what is new behind it.
func tailOf(text string) string { return text[max(0, len(text)-len("Renamed")):] }

func readSignature(_ *reader, _ *question, answer []byte) (lines []string, err error) {
	var help struct {
		Signatures []struct {
			Label           string
			ActiveParameter *int
		}
		ActiveSignature int
		ActiveParameter *int
	}
	if err := json.Unmarshal(answer, &help); err != nil {
		return nil, err
	}
	for _, s := range help.Signatures {
		active := help.ActiveParameter
		if s.ActiveParameter != nil {
			active = s.ActiveParameter
		}
		line := strings.Join(strings.Fields(s.Label), " ")
		if active != nil {
			line += fmt.Sprintf(" #%d", *active)
		}
		lines = append(lines, line)
	}
	return lines, nil
}

type hierarchyItem struct {
	URI            string
	SelectionRange protocol.Range
}

func readCalls(r *reader, _ *question, answer []byte) (lines []string, err error) {
	var list []struct {
		From, To   hierarchyItem
		FromRanges []protocol.Range
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, err
	}
	for _, c := range list {
		one := c.From
		if one.URI == "" {
			one = c.To
		}
		lines = append(lines, r.where(one.URI, one.SelectionRange))
	}
	return lines, nil
}

func readTypes(r *reader, _ *question, answer []byte) (lines []string, err error) {
	var list []hierarchyItem
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, err
	}
	for _, i := range list {
		lines = append(lines, r.where(i.URI, i.SelectionRange))
	}
	return lines, nil
}

// packageMark is behind the labels of packages, which protocol.CompletionItemKind calls modules.
const packageMark = " (package)"

// labelsOf are the labels of completions in the order in which an editor shows them.
func labelsOf(answer []byte) ([]string, error) {
	type item struct {
		Label, SortText string
		Kind            protocol.CompletionItemKind
	}
	var list []item
	if json.Unmarshal(answer, &list) != nil {
		var full struct{ Items []item }
		if err := json.Unmarshal(answer, &full); err != nil {
			return nil, err
		}
		list = full.Items
	}
	slices.SortStableFunc(list, func(a, b item) int {
		return strings.Compare(cmp.Or(a.SortText, a.Label), cmp.Or(b.SortText, b.Label))
	})
	var labels []string
	for _, i := range list {
		if i.Kind == protocol.CompletionItemKindModule {
			i.Label += packageMark
		}
		labels = append(labels, i.Label)
	}
	return labels, nil
}

func readExpected(_ *reader, q *question, answer []byte) ([]string, error) {
	labels, err := labelsOf(answer)
	if at := slices.IndexFunc(labels, func(l string) bool { return plainLabel(l) == q.name }); at >= 0 && at < 3 {
		return []string{expected}, err
	}
	return []string{"not " + expected}, err
}

const expected = "among the first three"

// plainLabel is the name that a label begins with: some have parameters behind it.
func plainLabel(label string) string {
	if at := strings.IndexAny(label, "(… "); at > 0 {
		return label[:at]
	}
	return strings.TrimSuffix(label, ":")
}

func readLabels(_ *reader, _ *question, answer []byte) (lines []string, err error) {
	labels, err := labelsOf(answer)
	for _, l := range labels[:min(10, len(labels))] {
		lines = append(lines, plainLabel(l))
	}
	return lines, err
}

type report struct {
	Items []editor.Diagnostic
}

func readErrors(_ *reader, _ *question, answer []byte) (lines []string, err error) {
	var full report
	if err := json.Unmarshal(answer, &full); err != nil {
		return nil, err
	}
	for _, d := range full.Items {
		if d.Severity == editor.SeverityError {
			lines = append(lines, fmt.Sprintf("%d:%d %s", d.Range.Start.Line+1, d.Range.Start.Character+1, d.Message))
		}
	}
	return lines, nil
}

func readWarnings(_ *reader, _ *question, answer []byte) (lines []string, err error) {
	var full report
	if err := json.Unmarshal(answer, &full); err != nil {
		return nil, err
	}
	for _, d := range full.Items {
		lines = append(lines, fmt.Sprintf("%d:%d %s", d.Range.Start.Line+1, d.Range.Start.Character+1, d.Message))
	}
	return lines, nil
}

type documentSymbol struct {
	Name                  string
	Kind                  int
	Range, SelectionRange protocol.Range
	Children              []documentSymbol
}

func readSymbols(_ *reader, _ *question, answer []byte) (lines []string, err error) {
	var list []documentSymbol
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, err
	}
	var walk func(list []documentSymbol, above string)
	walk = func(list []documentSymbol, above string) {
		for _, s := range list {
			lines = append(lines, fmt.Sprintf("%s%s kind %d %s", above, s.Name, s.Kind, span(s.SelectionRange)))
			walk(s.Children, above+s.Name+".")
		}
	}
	walk(list, "")
	return lines, nil
}

// readNamed reads the symbols of the workspace that have the very name that was asked for. How many
// others there are depends on how many a server answers.
func readNamed(r *reader, q *question, answer []byte) (lines []string, err error) {
	var list []struct {
		Name     string
		Kind     int
		Location located
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, err
	}
	for _, s := range list {
		where := r.where(s.Location.URI, s.Location.Range)
		if s.Name[strings.LastIndexByte(s.Name, '.')+1:] == q.name && !filepath.IsAbs(where) {
			lines = append(lines, fmt.Sprintf("kind %d %s", s.Kind, where))
		}
	}
	return lines, nil
}

func readFolding(_ *reader, _ *question, answer []byte) (lines []string, err error) {
	var list []struct{ StartLine, EndLine uint32 }
	if err := json.Unmarshal(answer, &list); err != nil {
		return nil, err
	}
	for _, f := range list {
		lines = append(lines, fmt.Sprintf("%d-%d", f.StartLine+1, f.EndLine+1))
	}
	return lines, nil
}

func readTokens(r *reader, _ *question, answer []byte) (lines []string, err error) {
	var tokens struct{ Data []uint32 }
	if err := json.Unmarshal(answer, &tokens); err != nil {
		return nil, err
	}
	var line, character uint32
	for d := range slices.Chunk(tokens.Data, 5) {
		if len(d) < 5 || int(d[3]) >= len(r.legend) {
			return nil, fmt.Errorf("token %v", d)
		}
		if line += d[0]; d[0] > 0 {
			character = 0
		}
		character += d[1]
		lines = append(lines, fmt.Sprintf("%d:%d+%d %s", line+1, character+1, d[2], r.legend[d[3]]))
	}
	return lines, nil
}

func readFormatted(_ *reader, q *question, answer []byte) ([]string, error) {
	var edits []editor.TextEdit
	if err := json.Unmarshal(answer, &edits); err != nil {
		return nil, err
	}
	e, _ := q.kind.edit(q)
	text := q.file.text[:e.Start] + e.Text + q.file.text[e.End:]
	out, err := editor.Edited(text, edits)
	return []string{out}, err
}
