package golang

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cytisus/cytisus/lsp/files"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// A fileList is which files a build has.
type fileList struct {
	Files []string // URIs of the Go files, those nearby included
	Open  []string // those of Files that have an unsaved text
	Near  []string // URIs of module files nearby
}

var (
	fileLists = runtime.NewQuery("golang/build-files", version(1), fileListOf)

	// buildHeaders are the headers of all files of a build.
	buildHeaders = newGathering("golang/build-headers", 1, func(t *runtime.Task, root string) ([]gatheringItem, error) {
		l, err := fileLists.Get(t, root)
		items := make([]gatheringItem, len(l.Files))
		for i, uri := range l.Files {
			items[i] = gatheringItem{uri, uri}
		}
		return items, err
	}, func(t *runtime.Task, _ string, uris []string) ([]byte, error) {
		all, err := headers.All(t, uris)
		var b []byte
		for i, h := range all {
			b = appendText(appendText(b, uris[i]), h)
		}
		return b, err
	})
)

func fileListOf(t *runtime.Task, root string) (fileList, error) {
	var l fileList
	env, err := environments.Get(t, root)
	if err != nil {
		return l, err
	}
	own, err := filesOf(t, members, root)
	if err != nil {
		return l, err
	}
	near, err := filesOf(t, nearby, root)
	if err != nil {
		return l, err
	}
	for _, uri := range own {
		if syntax.IsGoFile(uri) {
			l.Files = append(l.Files, uri)
		}
	}
	var dirs []string // of files nearby
	for _, uri := range near {
		if syntax.IsGoFile(uri) {
			l.Files = append(l.Files, uri)
			dirs = append(dirs, files.DirURI(uri))
		} else {
			l.Near = append(l.Near, uri)
		}
	}
	slices.Sort(l.Files)
	l.Files = slices.Compact(l.Files)
	slices.Sort(dirs)
	unsaved := map[string]bool{} // whether the build has the file for this reason alone
	for _, dir := range slices.Compact(dirs) {
		some, err := overlays.Keys(t, runtime.Prefix(dir))
		if err != nil {
			return l, err
		}
		for _, uri := range some {
			unsaved[uri] = false
		}
	}
	for _, own := range env.Own {
		some, err := overlays.Keys(t, runtime.Prefix(files.URIPrefix(own)))
		if err != nil {
			return l, err
		}
		for _, uri := range some {
			path, ok := files.Path(uri)
			unsaved[uri] = ok && syntax.IsGoFile(uri) && disk.IsInput(files.BaseName(uri)) && env.Owns(path) && (env.Tests || !syntax.IsTestFile(uri))
		}
	}
	var more []string
	for uri, joins := range unsaved {
		if _, known := slices.BinarySearch(l.Files, uri); known || joins {
			l.Open = append(l.Open, uri)
			if !known {
				more = append(more, uri)
			}
		}
	}
	slices.Sort(l.Open)
	l.Files = append(l.Files, more...)
	slices.Sort(l.Files)
	return l, nil
}

// A layout is what the files of a build mean to the go command.
type layout struct {
	Files   []string   // URIs of the Go files, those nearby included
	Headers []gathered // of Files
	Unsaved []string   // files whose header is another one than on disk
	Near    []string   // URIs of module files nearby
}

func layoutOf(t *runtime.Task, root string) (layout, error) {
	list, err := fileLists.Get(t, root)
	if err != nil {
		return layout{}, err
	}
	l := layout{Files: list.Files, Near: list.Near}
	if l.Headers, err = buildHeaders.all(t, root); err != nil {
		return l, err
	}
	for _, uri := range list.Open {
		now, err := headers.Get(t, uri)
		if err != nil {
			return l, err
		}
		saved, err := savedTexts.Get(t, uri)
		switch {
		case errors.Is(err, runtime.ErrNotFound):
			l.Unsaved = append(l.Unsaved, uri)
		case err != nil:
			return l, err
		case syntax.HeaderText(saved) != now:
			l.Unsaved = append(l.Unsaved, uri)
		}
	}
	return l, nil
}

// heads returns the headers of the files of a layout, in the order of Files.
func (l *layout) heads(r runtime.Reader) ([]string, error) {
	out := make([]string, len(l.Files))
	for _, g := range l.Headers {
		b, err := runtime.ReadBlob(r, g.Of)
		for err == nil && len(b) > 0 {
			var uri, head string
			if uri, b, err = takeText(b); err != nil {
				break
			}
			if head, b, err = takeText(b); err != nil {
				break
			}
			if i, ok := slices.BinarySearch(l.Files, uri); ok {
				out[i] = head
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// appendText writes a text so that takeText finds its end.
func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

var errTexts = fmt.Errorf("golang: damaged list of texts")

// takeText takes the first text off.
func takeText(b []byte) (text string, rest []byte, err error) {
	part, rest, err := takePart(b)
	return string(part), rest, err
}

// takePart is takeText without a copy.
func takePart(b []byte) (part, rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, errTexts
	}
	return b[size:][:n:n], b[size:][n:], nil
}

var layouts = runtime.NewQuery("golang/layout", version(4), layoutOf)
