package markers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A mark is a marker in a run.
type mark struct {
	run  *run
	note *note
}

func (m *mark) path() string { return m.run.path(m.note.file) }

// document are the parameters of requests about the whole file.
func (m *mark) document() map[string]any {
	return map[string]any{"textDocument": map[string]any{"uri": m.run.span(m.note.file, 0, 0).wire()["uri"]}}
}

// A judge decides about the checks of one kind.
type judge struct {
	field  string // of the server's capabilities that stands for the feature, "" for none
	method string // of the feature, as a server registers it later
	run    func(context.Context, *mark) error
}

// extraKind is the kind of the check that no diagnostic is left over.
const extraKind = "extradiag"

// kinds are the judges by the names of markers.
var kinds = map[string]judge{
	"def":            {"definitionProvider", "textDocument/definition", def},
	"typedef":        {"typeDefinitionProvider", "textDocument/typeDefinition", typedef},
	"refs":           {"referencesProvider", "textDocument/references", refs},
	"implementation": {"implementationProvider", "textDocument/implementation", implementation},
	"incomingcalls":  {"callHierarchyProvider", "textDocument/prepareCallHierarchy", incoming},
	"outgoingcalls":  {"callHierarchyProvider", "textDocument/prepareCallHierarchy", outgoing},
	"subtypes":       {"typeHierarchyProvider", "textDocument/prepareTypeHierarchy", subtypes},
	"supertypes":     {"typeHierarchyProvider", "textDocument/prepareTypeHierarchy", supertypes},

	"hover":           {"hoverProvider", "textDocument/hover", hover},
	"hovererr":        {"hoverProvider", "textDocument/hover", hoverErr},
	"signature":       {"signatureHelpProvider", "textDocument/signatureHelp", signature},
	"symbol":          {"documentSymbolProvider", "textDocument/documentSymbol", symbols},
	"workspacesymbol": {"workspaceSymbolProvider", "workspace/symbol", workspaceSymbols},
	"diag":            {"", "", diag},

	"highlight":      {"documentHighlightProvider", "textDocument/documentHighlight", highlights},
	"highlightall":   {"documentHighlightProvider", "textDocument/documentHighlight", highlightAll},
	"token":          {"semanticTokensProvider", "textDocument/semanticTokens", tokens},
	"inlayhints":     {"inlayHintProvider", "textDocument/inlayHint", inlayHints},
	"foldingrange":   {"foldingRangeProvider", "textDocument/foldingRange", foldingRanges},
	"selectionrange": {"selectionRangeProvider", "textDocument/selectionRange", selectionRanges},
	"codelenses":     {"codeLensProvider", "textDocument/codeLens", codeLenses},
	"documentlink":   {"documentLinkProvider", "textDocument/documentLink", documentLinks},

	"complete":         {"completionProvider", "textDocument/completion", complete},
	"rank":             {"completionProvider", "textDocument/completion", rank},
	"snippet":          {"completionProvider", "textDocument/completion", snippet},
	"acceptcompletion": {"completionProvider", "textDocument/completion", acceptCompletion},

	"rename":        {"renameProvider", "textDocument/rename", rename},
	"renameerr":     {"renameProvider", "textDocument/rename", renameErr},
	"preparerename": {"renameProvider", "textDocument/rename", prepareRename},
	"format":        {"documentFormattingProvider", "textDocument/formatting", format},
	"codeaction":    {"codeActionProvider", "textDocument/codeAction", codeAction},
	"quickfix":      {"codeActionProvider", "textDocument/codeAction", quickFix},
	"quickfixerr":   {"codeActionProvider", "textDocument/codeAction", quickFixErr},
}

// kindOf is the kind of check that a marker is, "" for one that checks nothing.
func kindOf(name string) string {
	if _, ok := kinds[name]; ok {
		return name
	}
	return ""
}

// A verdict is what became of one check.
type verdict struct {
	Archive     string `json:"archive"`
	Place       string `json:"place"` // file:line in the archive's workspace
	Kind        string `json:"kind"`
	Marker      string `json:"marker"` // as it is written
	Passed      bool   `json:"passed"`
	Soft        bool   `json:"soft"`        // passed, but for what is a matter of taste
	Unsupported bool   `json:"unsupported"` // the server does not announce the feature
	Why         string `json:"why,omitempty"`
}

// errTaste is in the error of a check that fails only in what is a matter of taste.
var errTaste = errors.New("a matter of taste")

// taste wraps an error, if there is one, as a matter of taste.
func taste(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("(%w) %w", errTaste, err)
}

// judge makes all checks of the wanted kinds.
func (r *run) judge(ctx context.Context) (all []verdict, err error) {
	r.values = make(map[identifier]any)
	for id, l := range pseudo {
		r.values[id] = l
	}
	for _, n := range r.archive.notes {
		m := &mark{r, n}
		if err := m.define(ctx); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", m.place(), n.name, err)
		}
	}
	if r.wanted(extraKind) && !r.archive.flags.extraDiagnostics {
		all = append(all, r.extra())
	}
	for _, n := range r.archive.notes {
		kind := kindOf(n.name)
		if _, dialog := n.named["answers"]; kind == "" || !r.wanted(kind) || dialog {
			continue
		}
		m := &mark{r, n}
		v := verdict{
			Archive: r.archive.name, Place: m.place(), Kind: kind, Marker: m.written(),
		}
		j := kinds[kind]
		if j.field != "" && !r.client.Announces(j.field, j.method) {
			v.Unsupported, v.Why = true, "the server does not announce "+j.field
		} else if err := j.run(ctx, m); err != nil {
			v.Soft, v.Why = errors.Is(err, errTaste), err.Error()
		} else {
			v.Passed, v.Soft = true, true
		}
		all = append(all, v)
	}
	return all, nil
}

// extra checks that all diagnostics are expected by some marker.
func (r *run) extra() verdict {
	left := append([]*shown{}, r.left...)
	for _, n := range r.archive.notes {
		m := &mark{r, n}
		var pattern any
		switch n.name {
		case "diag", "quickfix", "quickfixerr":
			if len(n.args) > 1 {
				pattern = n.args[1]
			}
		case "codeaction":
			pattern = n.named["diag"]
		}
		re, err := patternOf(pattern)
		if err != nil || len(n.args) == 0 {
			continue
		}
		if l, err := m.locate(n.args[0]); err == nil {
			_ = take(&left, l, re, false)
		}
	}
	v := verdict{
		Archive: r.archive.name, Place: r.archive.name, Kind: extraKind,
		Passed: len(left) == 0, Soft: len(left) == 0,
	}
	for _, d := range left {
		v.Why += fmt.Sprintf("unexpected at %s: %s\n", r.show(location{d.path, d.Range}), d.Message)
	}
	return v
}

// place is where a marker stands.
func (m *mark) place() string {
	text := m.run.archive.files[m.note.file]
	return fmt.Sprintf("%s:%d", m.note.file, 1+strings.Count(text[:m.note.offset], "\n"))
}

// written is a marker as it stands in the source, up to the end of its line.
func (m *mark) written() string {
	line, _, _ := strings.Cut(m.run.archive.files[m.note.file][m.note.offset:], "\n")
	return line
}

// define evaluates a value marker.
func (m *mark) define(ctx context.Context) error {
	var value any
	switch m.note.name {
	case "loc", "defloc", "hiloc":
		if len(m.note.args) < 2 {
			return errors.New("too few arguments")
		}
		l, err := m.locate(m.note.args[1])
		if err != nil {
			return err
		}
		value = l
		if m.note.name == "hiloc" {
			value = highlight{l.rang, kindOfHighlight(m.arg(2))}
		}
		if m.note.name == "defloc" {
			var answer json.RawMessage
			if err := m.run.ask(ctx, "textDocument/definition", l.position(), &answer); err != nil {
				return err
			}
			list, err := locations(answer)
			if err != nil || len(list) == 0 {
				return fmt.Errorf("%d definitions, %w", len(list), err)
			}
			value = list[0]
		}
	case "item":
		var it item
		for i, to := range []*string{&it.label, &it.detail, &it.kind, &it.documentation} {
			if text, ok := m.arg(i + 1).(string); ok {
				*to = text
			}
		}
		value = it
	default:
		return nil
	}
	id, ok := m.arg(0).(identifier)
	if !ok {
		return errors.New("the first argument is no name")
	}
	m.run.values[id] = value
	return nil
}

// arg is an argument, nil for none.
func (m *mark) arg(i int) any {
	if i < len(m.note.args) {
		return m.note.args[i]
	}
	return nil
}

// locationsFrom are the arguments from one on.
func (m *mark) locationsFrom(i int) (list []location, err error) {
	for ; i < len(m.note.args); i++ {
		l, err := m.locate(m.note.args[i])
		if err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, nil
}

// string is an argument that is a text or the text of a pattern.
func (m *mark) string(i int) string {
	text, _ := m.arg(i).(string)
	return text
}

// golden is the golden content that an argument names.
func (m *mark) golden(arg any) (map[string]string, error) {
	id, ok := arg.(identifier)
	if !ok {
		return nil, fmt.Errorf("%v names no golden content", arg)
	}
	return m.run.archive.gold[string(id)], nil
}

// one is golden content that is one text.
func (m *mark) one(arg any) (string, error) {
	g, err := m.golden(arg)
	return g[""], err
}

// matches compares a text with an argument: golden content, a pattern, or a part.
func (m *mark) matches(arg any, got string) error {
	switch arg := arg.(type) {
	case identifier:
		if arg == "_" {
			arg = ""
		}
		return sameText(got, m.run.archive.gold[string(arg)][""])
	case *regexp.Regexp:
		if !arg.MatchString(got) {
			return fmt.Errorf("got %.1000q\nwanted a match of %q", got, arg)
		}
		return nil
	case string:
		if !strings.Contains(got, arg) {
			return fmt.Errorf("got %.1000q\nwanted in it %q", got, arg)
		}
		return nil
	}
	return fmt.Errorf("%v is nothing to compare with", arg)
}

// refused checks that a request was refused with words that an argument describes. Other words are
// a matter of taste.
func (m *mark) refused(arg any, err error) error {
	if err == nil {
		return fmt.Errorf("got no error, wanted one like %v", arg)
	}
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		return err
	}
	return taste(m.matches(arg, r.message))
}

// patternOf is an argument as a pattern.
func patternOf(arg any) (*regexp.Regexp, error) {
	switch arg := arg.(type) {
	case *regexp.Regexp:
		return arg, nil
	case string:
		return regexp.Compile(arg)
	}
	return nil, fmt.Errorf("%v is no pattern", arg)
}
