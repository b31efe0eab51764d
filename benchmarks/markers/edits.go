package markers

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

// A workspaceEdit is one of the protocol's.
type workspaceEdit struct {
	Changes         map[string][]editor.TextEdit
	DocumentChanges []change
}

// A change is an edit of one file, or an operation on files.
type change struct {
	Kind                string // "" for an edit
	TextDocument        struct{ URI string }
	Edits               []editor.TextEdit
	URI, OldURI, NewURI string
	Options             struct{ Recursive bool }
}

// changed is what edits make of the workspace: new texts by name, "" for files that are gone. The
// workspace stays as it is.
func (r *run) changed(edits ...workspaceEdit) (map[string]string, error) {
	newest := make(map[string]string) // by path
	gone := make(map[string]bool)
	read := func(path string) (string, error) {
		if gone[path] {
			return "", fmt.Errorf("%s has been deleted", r.nameOf(path))
		}
		if text, ok := newest[path]; ok {
			return text, nil
		}
		text, ok := r.text(path)
		if !ok {
			return "", fmt.Errorf("no file %s", r.nameOf(path))
		}
		return text, nil
	}
	write := func(path, text string) { newest[path], gone[path] = text, false }
	remove := func(path string) { newest[path], gone[path] = "", true }
	move := func(from, to string) error {
		text, err := read(from)
		if err != nil {
			return err
		}
		remove(from)
		write(to, text)
		return nil
	}
	edit := func(path string, edits []editor.TextEdit) error {
		text, err := read(path)
		if err != nil {
			return err
		}
		if text, err = editor.Edited(text, edits); err != nil {
			return fmt.Errorf("%s: %w", r.nameOf(path), err)
		}
		write(path, text)
		return nil
	}
	one := func(c change) error {
		switch c.Kind {
		case "":
			return edit(editor.PathOf(c.TextDocument.URI), c.Edits)
		case "create":
			path := editor.PathOf(c.URI)
			if _, err := read(path); err == nil {
				return fmt.Errorf("%s exists", r.nameOf(path))
			}
			write(path, "")
			return nil
		case "rename":
			from, to := editor.PathOf(c.OldURI), editor.PathOf(c.NewURI)
			files := r.below(from)
			if len(files) == 0 {
				return move(from, to)
			}
			for _, file := range files {
				if err := move(file, filepath.Join(to, filepath.Base(file))); err != nil {
					return err
				}
			}
			return nil
		case "delete":
			path := editor.PathOf(c.URI)
			files := r.below(path)
			if len(files) == 0 {
				remove(path)
			} else if c.Options.Recursive {
				for _, file := range files {
					remove(file)
				}
			}
			return nil
		}
		return fmt.Errorf("a change of kind %q", c.Kind)
	}
	for _, e := range edits {
		if len(e.DocumentChanges) == 0 {
			for _, uri := range slices.Sorted(maps.Keys(e.Changes)) {
				if err := edit(editor.PathOf(uri), e.Changes[uri]); err != nil {
					return nil, err
				}
			}
		}
		for _, c := range e.DocumentChanges {
			if err := one(c); err != nil {
				return nil, err
			}
		}
	}
	byName := make(map[string]string)
	for path, text := range newest {
		byName[r.nameOf(path)] = text
	}
	return byName, nil
}

// checkFiles compares changed files with golden ones.
func checkFiles(got, want map[string]string) (errs error) {
	for _, name := range slices.Sorted(maps.Keys(got)) {
		text, ok := want[name]
		if !ok {
			errs = errors.Join(errs, fmt.Errorf("%s should not change, and becomes:\n%s", name, got[name]))
		} else if err := sameText(got[name], text); err != nil {
			errs = errors.Join(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[name]; !ok {
			errs = errors.Join(errs, fmt.Errorf("%s does not change, and should be:\n%s", name, want[name]))
		}
	}
	return errs
}

// checkDiffs compares changed files with golden ones that are kept as differences.
func (r *run) checkDiffs(got, diffs map[string]string) error {
	want := make(map[string]string)
	for name, diff := range diffs {
		patched, err := patch(r.archive.files[name], diff)
		if err != nil {
			return fmt.Errorf("golden content of %s: %w", name, err)
		}
		want[name] = patched
	}
	return checkFiles(got, want)
}

// patch applies a unified difference without context and without header.
func patch(text, diff string) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	var out strings.Builder
	at := 0    // lines of text that are written or dropped
	fresh := 0 // ends of lines of what was last added
	for line := range strings.Lines(diff) {
		switch {
		case strings.HasPrefix(line, "@@"):
			var start, count int
			old, _, _ := strings.Cut(strings.TrimPrefix(line, "@@ -"), " ")
			if n, _ := fmt.Sscanf(old, "%d,%d", &start, &count); n == 1 {
				count = 1
			} else if n == 0 {
				return "", fmt.Errorf("%q is no head of a hunk", line)
			}
			if count == 0 {
				start++ // what is added comes behind that line
			}
			for ; at < start-1 && at < len(lines); at++ {
				out.WriteString(lines[at])
			}
		case strings.HasPrefix(line, "-"), strings.HasPrefix(line, " "):
			if at >= len(lines) || strings.TrimSuffix(lines[at], "\n") != strings.TrimSuffix(line[1:], "\n") {
				return "", fmt.Errorf("line %d is not %q", at+1, line[1:])
			}
			if line[0] == ' ' {
				out.WriteString(lines[at])
			}
			at++
		case strings.HasPrefix(line, "+"):
			out.WriteString(line[1:])
			fresh = len(line)
		case strings.HasPrefix(line, "\\"): // no end of line behind the line before
			if fresh > 0 {
				kept := strings.TrimSuffix(out.String(), "\n")
				out.Reset()
				out.WriteString(kept)
			}
		case strings.TrimSpace(line) == "":
		default:
			return "", fmt.Errorf("%q in a difference", line)
		}
		if !strings.HasPrefix(line, "+") {
			fresh = 0
		}
	}
	for ; at < len(lines); at++ {
		out.WriteString(lines[at])
	}
	return out.String(), nil
}

// sameText compares texts. Whether the last line ends does not matter.
func sameText(got, want string) error {
	if strings.TrimSuffix(got, "\n") == strings.TrimSuffix(want, "\n") {
		return nil
	}
	return fmt.Errorf("%s", differing(got, want))
}

// differing shows the lines in which texts differ, from the first to the last.
func differing(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var out strings.Builder
	fmt.Fprintf(&out, "from line %d on\n\tgot:", head+1)
	for _, line := range a[head : len(a)-tail] {
		out.WriteString("\n\t\t" + line)
	}
	out.WriteString("\n\twanted:")
	for _, line := range b[head : len(b)-tail] {
		out.WriteString("\n\t\t" + line)
	}
	return out.String()
}

// asked takes the edits that the server has asked to be applied since the last call.
func (r *run) asked() []workspaceEdit {
	r.mu.Lock()
	defer r.mu.Unlock()
	edits := r.edits
	r.edits = nil
	return edits
}

// decoded decodes a part of an answer.
func decoded[T any](raw json.RawMessage) (out T, err error) {
	err = json.Unmarshal(raw, &out)
	return out, err
}
