package lsptest

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/lsptest/editor"
	"github.com/cytisus/cytisus/lsp/server"
)

// A player plays one archive.
type player struct {
	*editor.Editor
	t        testing.TB
	root     string
	language string // as editors name it
	texts    map[string]string
	marks    map[string]mark
	places   map[string]string // names of directories outside of the root

	legend   legend              // of semantic tokens
	heard    int                 // how many messages await has passed by
	tokens   map[string]tokenSet // by path: the last full answers
	proposed *editor.WorkspaceEdit
}

type mark struct {
	path   string
	offset int
}

// A spot is a range of a file's text, and the text.
type spot struct {
	path, text string
	start, end int
}

var (
	markPattern  = regexp.MustCompile(`«(\w+)»`)
	pointPattern = regexp.MustCompile(`^(.+?):(\d+):(\d+)$`)
)

func newPlayer(t testing.TB, lang lsp.Language, a *txtar.Archive, o Options) *player {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := &player{
		t: t, root: root, language: lang.ID(), texts: map[string]string{}, marks: map[string]mark{},
		places: o.Elsewhere, tokens: map[string]tokenSet{},
	}
	for _, f := range a.Files {
		p.texts[f.Name] = string(f.Data)
		if !strings.HasPrefix(f.Name, "@") {
			p.put(f.Name, p.marked(f.Name, string(f.Data)))
		}
	}
	var initialized string
	p.Editor, initialized = start(t, lang, root, o)
	p.legend = readLegend(initialized)
	p.Must(server.MethodSettle, nil)
	return p
}

// marked takes the marks out of a text, which becomes that of a file.
func (p *player) marked(name, text string) string {
	path := p.path(name)
	for at := markPattern.FindStringSubmatchIndex(text); at != nil; at = markPattern.FindStringSubmatchIndex(text) {
		p.marks[text[at[2]:at[3]]] = mark{path, at[0]}
		text = text[:at[0]] + text[at[1]:]
	}
	return text
}

func (p *player) path(name string) string { return filepath.Join(p.root, filepath.FromSlash(name)) }

func (p *player) put(name, text string) {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Dir(p.path(name)), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(p.path(name), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// clean takes the machine's own names out of an answer.
func (p *player) clean(answer string) string {
	var replace []string
	for _, root := range []string{editor.URI(p.root), filepath.ToSlash(p.root), p.root} {
		replace = append(replace, root+"/", "", root+string(filepath.Separator), "", root, ".")
	}
	for _, name := range slices.Sorted(maps.Keys(p.places)) {
		dir := p.places[name]
		replace = append(replace, editor.URI(dir), name, filepath.ToSlash(dir), name, dir, name)
	}
	return strings.NewReplacer(replace...).Replace(answer)
}

// name is how an answer names a file.
func (p *player) name(u string) string { return p.clean(filepath.ToSlash(editor.Path(u))) }

// words cuts a step at its spaces, except within backquotes.
func words(step string) []string {
	var list []string
	for i, piece := range strings.Split(step, "`") {
		if i%2 == 1 {
			list = append(list, piece)
			continue
		}
		list = append(list, strings.Fields(piece)...)
	}
	return list
}

// point reads a place.
func (p *player) point(args []string) (at spot, rest []string, err error) {
	at, rest, err = p.spot(args)
	if err == nil && at.start != at.end {
		err = fmt.Errorf("a range stands where a place is meant")
	}
	return at, rest, err
}

// spot reads a range, or a place, which is one without an extent.
func (p *player) spot(args []string) (at spot, rest []string, err error) {
	if len(args) == 0 {
		return spot{}, nil, fmt.Errorf("it names no place")
	}
	from, to, isRange := strings.Cut(args[0], "..")
	switch {
	case strings.HasPrefix(args[0], "@"):
		m, ok := p.marks[from[1:]]
		if !ok {
			return spot{}, nil, fmt.Errorf("there is no mark %s", from)
		}
		text, err := p.Text(m.path)
		at = spot{m.path, text, m.offset, m.offset}
		if isRange && err == nil {
			end, ok := p.marks[strings.TrimPrefix(to, "@")]
			if !ok || end.path != m.path {
				return spot{}, nil, fmt.Errorf("there is no mark %s in that file", to)
			}
			at.end = end.offset
		}
		return at, args[1:], err
	case pointPattern.MatchString(from):
		m := pointPattern.FindStringSubmatch(from)
		text, err := p.Text(p.path(m[1]))
		if err != nil {
			return spot{}, nil, err
		}
		at = spot{path: p.path(m[1]), text: text}
		if at.start, err = offsetOf(text, m[2], m[3]); err != nil {
			return spot{}, nil, err
		}
		if at.end = at.start; isRange {
			line, column, _ := strings.Cut(to, ":")
			at.end, err = offsetOf(text, line, column)
		}
		return at, args[1:], err
	case len(args) < 2:
		return spot{}, nil, fmt.Errorf("%s is no place", args[0])
	}
	text, err := p.Text(p.path(args[0]))
	if err != nil {
		return spot{}, nil, err
	}
	at, err = within(p.path(args[0]), text, args[1])
	return at, args[2:], err
}

// within finds a piece of a text with a place or a range marked in it.
func within(path, text, piece string) (spot, error) {
	before, after, isPoint := strings.Cut(piece, "|")
	inside := ""
	if head, rest, ok := strings.Cut(piece, "«"); ok {
		before, isPoint = head, true
		inside, after, ok = strings.Cut(rest, "»")
		if !ok {
			return spot{}, fmt.Errorf("%q has no »", piece)
		}
	}
	if !isPoint {
		return spot{}, fmt.Errorf("%q has no | and no «…»", piece)
	}
	if n := strings.Count(text, before+inside+after); n != 1 {
		return spot{}, fmt.Errorf("%q stands %d times in the file", before+inside+after, n)
	}
	start := strings.Index(text, before+inside+after) + len(before)
	return spot{path, text, start, start + len(inside)}, nil
}

// offsetOf is the byte offset of a line and column, which count from 1.
func offsetOf(text, line, column string) (int, error) {
	l, err := strconv.Atoi(line)
	if err != nil {
		return 0, err
	}
	c, err := strconv.Atoi(column)
	if err != nil {
		return 0, err
	}
	at := 0
	for range l - 1 {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return 0, fmt.Errorf("there is no line %d", l)
		}
		at += i + 1
	}
	if at+c-1 > len(text) || c < 1 {
		return 0, fmt.Errorf("line %d has no column %d", l, c)
	}
	return at + c - 1, nil
}

var (
	fileInJSON = regexp.MustCompile(`file\(([^)]*)\)`)
	markInJSON = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|@\w+`)
)

// json fills in the files and marks of JSON in a step.
func (p *player) json(text string) (json.RawMessage, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	text = fileInJSON.ReplaceAllStringFunc(text, func(s string) string {
		return strconv.Quote(editor.URI(p.path(s[len("file(") : len(s)-1])))
	})
	var wrong error
	text = markInJSON.ReplaceAllStringFunc(text, func(s string) string {
		if s[0] == '"' {
			return s
		}
		at, _, err := p.point([]string{s})
		if err != nil {
			wrong = err
			return s
		}
		raw, _ := json.Marshal(editor.Position(at.text, at.start)) // numbers
		return string(raw)
	})
	if wrong == nil && !json.Valid([]byte(text)) {
		wrong = fmt.Errorf("it is no JSON: %s", text)
	}
	return json.RawMessage(text), wrong
}
