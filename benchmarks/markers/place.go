package markers

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

// A location is a range of a file.
type location struct {
	path string
	rang protocol.Range
}

// Places of the packages builtin and unsafe are one each, whatever is meant in them.
var pseudo = map[identifier]location{
	"BUILTIN": {path: "builtin/builtin.go"},
	"UNSAFE":  {path: "unsafe/unsafe.go"},
}

func (l location) canonical() location {
	for _, p := range pseudo {
		if strings.HasSuffix(filepath.ToSlash(l.path), "src/"+p.path) {
			return p
		}
	}
	return l
}

// position is the start, as the parameters of most requests have it.
func (l location) position() map[string]any {
	return map[string]any{"textDocument": editor.Named(l.path), "position": l.rang.Start}
}

// A wireLocation is a Location or a LocationLink.
type wireLocation struct {
	URI                  string
	Range                protocol.Range
	TargetURI            string
	TargetSelectionRange protocol.Range
}

func (w wireLocation) location() location {
	if w.TargetURI != "" {
		return location{editor.PathOf(w.TargetURI), w.TargetSelectionRange}
	}
	return location{editor.PathOf(w.URI), w.Range}
}

// locations decodes an answer that is one location, many, or none.
func locations(answer []byte) (list []location, err error) {
	var wire []wireLocation
	if text := strings.TrimSpace(string(answer)); strings.HasPrefix(text, "{") {
		answer = []byte("[" + text + "]")
	}
	if err := json.Unmarshal(answer, &wire); err != nil {
		return nil, err
	}
	for _, w := range wire {
		list = append(list, w.location())
	}
	return list, nil
}

// wire is a location as the protocol has it.
func (l location) wire() map[string]any {
	return map[string]any{"uri": string(uri.File(l.path)), "range": l.rang}
}

// show is a location for people: the name in the archive, line and columns counted from 1.
func (r *run) show(l location) string {
	l = l.canonical()
	for _, p := range pseudo {
		if l == p {
			return p.path
		}
	}
	name := r.nameOf(l.path)
	text, ok := r.text(l.path)
	if !ok {
		return fmt.Sprintf("%s:%d:%d", name, l.rang.Start.Line+1, l.rang.Start.Character+1)
	}
	return name + ":" + spanIn(text, l.rang)
}

// spanIn is line:column, and the end, with columns in bytes, all counted from 1.
func spanIn(text string, r protocol.Range) string {
	start, err := editor.Offset(text, r.Start)
	if err != nil {
		return fmt.Sprint(r)
	}
	end, err := editor.Offset(text, r.End)
	if err != nil {
		return fmt.Sprint(r)
	}
	column := func(offset int) int { return offset - strings.LastIndexByte(text[:offset], '\n') }
	out := fmt.Sprintf("%d:%d", r.Start.Line+1, column(start))
	switch {
	case r.End.Line != r.Start.Line:
		out += fmt.Sprintf("-%d:%d", r.End.Line+1, column(end))
	case start != end:
		out += fmt.Sprintf("-%d", column(end))
	}
	return out
}

// sameLocations compares locations without their order.
func (r *run) sameLocations(got, want []location) error {
	words := func(list []location) (out []string) {
		for _, l := range list {
			out = append(out, r.show(l))
		}
		slices.Sort(out)
		return out
	}
	return sameList(words(got), words(want))
}

// sameList says what differs between two lists of words.
func sameList(got, want []string) error {
	if slices.Equal(got, want) {
		return nil
	}
	return fmt.Errorf("got %d:%swanted %d:%s", len(got), column(got), len(want), column(want))
}

func column(list []string) string {
	var b strings.Builder
	for _, one := range list {
		b.WriteString("\n\t" + strings.ReplaceAll(one, "\n", "\n\t"))
	}
	return b.String() + "\n"
}

// locate turns an argument into a location: the first match in the marker's line or behind it, if
// it begins before the marker.
func (m *mark) locate(arg any) (location, error) {
	if id, ok := arg.(identifier); ok {
		switch value := m.run.values[id].(type) {
		case location:
			return value, nil
		case highlight:
			return location{m.path(), value.rang}, nil
		case nil:
			return location{}, fmt.Errorf("no location is named %s", id)
		default:
			return location{}, fmt.Errorf("%s is a %T, no location", id, value)
		}
	}
	text := m.run.archive.files[m.note.file]
	from := strings.LastIndexByte(text[:m.note.offset], '\n') + 1
	var start, end int
	switch arg := arg.(type) {
	case string:
		if start = strings.Index(text[from:], arg); start < 0 {
			return location{}, fmt.Errorf("no %q in the line", arg)
		}
		end = start + len(arg)
	case *regexp.Regexp:
		at := arg.FindStringSubmatchIndex(text[from:])
		if at == nil {
			return location{}, fmt.Errorf("no match of %q in the line", arg)
		}
		if start, end = at[0], at[1]; len(at) == 4 {
			start, end = at[2], at[3]
		}
	default:
		return location{}, fmt.Errorf("%v of type %T is no location", arg, arg)
	}
	if from+start > m.note.offset {
		return location{}, fmt.Errorf("%v is only behind the marker", arg)
	}
	return m.run.span(m.note.file, from+start, from+end), nil
}

// span is the location of bytes of a file of the archive.
func (r *run) span(name string, start, end int) location {
	text := r.archive.files[name]
	return location{r.path(name), protocol.Range{
		Start: editor.Position(text, start), End: editor.Position(text, end),
	}}
}
