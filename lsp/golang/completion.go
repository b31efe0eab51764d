package golang

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/check"
	"github.com/cytisus/cytisus/lsp/golang/complete"
	"github.com/cytisus/cytisus/lsp/golang/disk"
	"github.com/cytisus/cytisus/lsp/golang/index"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
	"github.com/cytisus/cytisus/runtime"
)

// CompletionTriggers implements lsp.Completer.
func (w *workspace) CompletionTriggers() []string { return []string{"."} }

// Complete implements lsp.Completer.
func (w *workspace) Complete(t *runtime.Task, uri string, offset int, o lsp.CompletionOptions) (list *lsp.CompletionList, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return nil, err
	}
	if disk.IsModuleFile(uri) {
		return w.completeModule(t, uri, offset, o)
	}
	draft := func(text []byte) *syntax.Draft { return syntax.NewDraft(uri, text, offset) }
	err = w.withDraft(t, uri, offset, draft, func(v *view, d *syntax.Draft) error {
		options := complete.Options{CompletionOptions: o, Settings: w.set().completions, Local: w.set().Local}
		items, partial, err := complete.At(v.View, d, options, newImportable(v.taskSource, v.Meta))
		if err != nil {
			return err
		}
		list = &lsp.CompletionList{Insert: lsp.Span{Start: d.Word.Start, End: offset}, Replace: d.Word, Partial: partial}
		for _, item := range items {
			item.Token = v.docToken(&item)
			list.Items = append(list.Items, item.Completion)
		}
		return nil
	})
	if errors.Is(err, check.ErrUnfit) {
		err = &lsp.FileError{URI: uri, Offset: offset, Err: lsp.ErrNoSymbol}
	}
	return list, err
}

// A docToken says what the documentation is of that a completion stands for: something of another
// package, or of the file, near an offset.
type docToken struct {
	From     string         `json:"from"` // ID of the package that names it
	External index.External `json:"of,omitzero"`
	URI      string         `json:"uri,omitempty"`
	Name     string         `json:"name,omitempty"`
	Near     int            `json:"near,omitempty"`
}

func (v *view) docToken(item *complete.Item) string {
	token := docToken{From: v.Meta.ID}
	switch {
	case item.Object != nil:
		name, ok := v.NameOf(item.Object)
		if !ok {
			return ""
		}
		token.External, token.URI, token.Near = name.External, name.URI, name.Offset
		if name.URI != "" {
			token.Name = item.Object.Name()
		}
	case item.Path != "":
		token.External = index.External{Package: item.Path, Path: item.Name}
	default:
		return ""
	}
	text, err := json.Marshal(token)
	if err != nil {
		return ""
	}
	return string(text)
}

// CompletionDoc implements lsp.Completer.
func (w *workspace) CompletionDoc(t *runtime.Task, uri, text string) (doc string, err error) {
	uri, err = w.canonical(uri)
	if err != nil {
		return "", err
	}
	err = w.askAbout(t, uri, func(t *runtime.Task, root string) (err error) {
		doc, err = documented(taskSource{t, root}, text)
		return err
	})
	return doc, err
}

// documented is the documentation that a token leads to.
func documented(src taskSource, text string) (string, error) {
	var token docToken
	if err := json.Unmarshal([]byte(text), &token); err != nil {
		return "", fmt.Errorf("golang: what a completion stands for: %w", err)
	}
	return documentation(src, token)
}

// documentation is the doc comment of what a token says; "" if there is none.
func documentation(src taskSource, token docToken) (string, error) {
	if token.URI != "" {
		text, err := src.text(token.URI)
		if err != nil {
			return "", ignoreUnknown(err)
		}
		return syntax.DocText(text, check.DocNear(syntax.Trees.Get(token.URI, text), token.Name, token.Near)), nil
	}
	from, err := src.find(token.From)
	if err != nil || from == nil {
		return "", err
	}
	f, ok, err := declarationNamed(src, token.External, from)
	if err != nil || !ok || f.Doc.End <= f.Doc.Start {
		return "", err
	}
	text, err := src.text(f.index.URI(f.File))
	if err != nil {
		return "", ignoreUnknown(err)
	}
	return syntax.DocText(text, f.Doc), nil
}
