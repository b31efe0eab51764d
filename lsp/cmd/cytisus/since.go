package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.lsp.dev/uri"
)

// changes are the lines that differ from a revision, by the absolute path of their file. A file
// that the revision does not have is there as a whole.
type changes map[string][]lineRange

// A lineRange is from one line to another, both included, counted from 1.
type lineRange struct{ from, to int }

// wholeFile are all lines of a file.
var wholeFile = lineRange{1, int(^uint(0) >> 1)}

// touch reports whether a place has a line that differs.
func (c changes) touch(at found) bool {
	to := at.EndLine
	if to > at.Line && at.EndColumn == 1 {
		to--
	}
	return slices.ContainsFunc(c[at.File], func(r lineRange) bool { return r.from <= max(to, at.Line) && at.Line <= r.to })
}

// uris are those of the files.
func (c changes) uris() []string {
	out := []string{}
	for path := range c {
		out = append(out, string(uri.File(path)))
	}
	slices.Sort(out)
	return out
}

// changesSince asks git which lines below a directory have changed since its HEAD left a revision.
func changesSince(ctx context.Context, dir, rev string) (changes, error) {
	top, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	root, err := filepath.EvalSymlinks(filepath.FromSlash(strings.TrimRight(string(top), "\r\n")))
	if err != nil {
		return nil, fmt.Errorf("--since: %w", err)
	}
	commit, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		if errors.As(err, new(*exec.ExitError)) {
			err = fmt.Errorf("--since: git knows no revision %q here", rev)
		}
		return nil, &usageError{err}
	}
	from := strings.TrimSpace(string(commit))
	// Histories that have nothing in common, or whose beginnings were not fetched, are compared as
	// they end.
	if base, err := git(ctx, dir, "merge-base", from, "HEAD"); err == nil {
		from = strings.TrimSpace(string(base))
	}
	diff, err := git(ctx, dir, "-c", "core.quotePath=false", "diff", "-U0", "--no-color", "--no-ext-diff", "--no-textconv", "--find-renames",
		"--ignore-submodules", "--src-prefix=a/", "--dst-prefix=b/", from, "--", ".")
	if err != nil {
		return nil, err
	}
	out := changes{}
	if err := out.addDiff(root, diff); err != nil {
		return nil, err
	}
	names, err := git(ctx, dir, "ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ".")
	if err != nil {
		return nil, err
	}
	for name := range strings.SplitSeq(string(names), "\x00") {
		if name != "" {
			out[filepath.Join(root, filepath.FromSlash(name))] = []lineRange{wholeFile}
		}
	}
	return out, nil
}

// git runs git in a directory and returns what it prints.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		why := strings.TrimSpace(said.String())
		if why != "" {
			err = fmt.Errorf("%w: %s", err, why)
		}
		return nil, &usageError{fmt.Errorf("--since: git %s in %s: %w", args[0], dir, err)}
	}
	return out, nil
}

// errDiff is in the error for what is no output of git diff.
var errDiff = errors.New("--since: git diff printed something that is not understood")

// addDiff adds the lines that a diff without context has on its new side. Names in it are from root
// on.
func (c changes) addDiff(root string, diff []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(diff))
	lines.Buffer(nil, len(diff)+1)
	name, left := "", 0 // left are lines of a hunk that are still to come
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), "\r")
		switch {
		case left > 0:
			if !strings.HasPrefix(line, `\`) { // no newline at the end of the file
				left--
			}
		case strings.HasPrefix(line, "+++ "):
			var err error
			if name, err = newName(line); err != nil {
				return err
			}
		case strings.HasPrefix(line, "@@ "):
			old, now, err := hunk(line)
			if err != nil {
				return err
			}
			left = old.to - old.from + 1 + now.to - now.from + 1
			if name != "" && now.to >= now.from {
				path := filepath.Join(root, filepath.FromSlash(name))
				c[path] = append(c[path], now)
			}
		}
	}
	return lines.Err()
}

// newName is the file of a line such as "+++ b/name"; "" if it is gone.
func newName(line string) (string, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(line, "+++ "), "\t")
	if strings.HasPrefix(name, `"`) {
		var err error
		if name, err = strconv.Unquote(name); err != nil {
			return "", fmt.Errorf("%w: %s: %w", errDiff, line, err)
		}
	}
	if name == "/dev/null" {
		return "", nil
	}
	name, ok := strings.CutPrefix(name, "b/")
	if !ok {
		return "", fmt.Errorf("%w: %s", errDiff, line)
	}
	return name, nil
}

// hunk takes a line such as "@@ -1,2 +3 @@ text" apart. A side without lines ends before it begins.
func hunk(line string) (old, now lineRange, err error) {
	fields := strings.Fields(line)
	if len(fields) < 4 || fields[3] != "@@" {
		return old, now, fmt.Errorf("%w: %s", errDiff, line)
	}
	side := func(text, sign string) (r lineRange, err error) {
		text, ok := strings.CutPrefix(text, sign)
		from, count, counted := strings.Cut(text, ",")
		n := 1
		if r.from, err = strconv.Atoi(from); err == nil && counted {
			n, err = strconv.Atoi(count)
		}
		if err != nil || !ok || n < 0 {
			return r, fmt.Errorf("%w: %s", errDiff, line)
		}
		r.to = r.from + n - 1
		return r, nil
	}
	if old, err = side(fields[1], "-"); err == nil {
		now, err = side(fields[2], "+")
	}
	return old, now, err
}
