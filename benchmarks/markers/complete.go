package markers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/types"
	"slices"
	"strings"

	"go.lsp.dev/protocol"

	"github.com/cytisus/cytisus/benchmarks/editor"
)

// An item is what a marker says of a completion. What is empty is not compared.
type item struct{ label, detail, kind, documentation string }

// itemKinds are the names of CompletionItemKind, from 1 on, as markers have them.
var itemKinds = strings.Fields(". text method func constructor field var type interface package " +
	"property unit value enum keyword snippet color file reference folder enumMember const struct " +
	"event operator typeParam")

const keywordItem = 14 // CompletionItemKind.Keyword

// A completion is a CompletionItem.
type completion struct {
	Label, Detail, InsertText string
	Kind                      int
	Documentation             json.RawMessage
	TextEdit                  *struct {
		NewText       string
		Range, Insert *protocol.Range
	}
	AdditionalTextEdits []editor.TextEdit

	raw json.RawMessage
}

// completions are the items at a location, in the order of the answer.
func (m *mark) completions(ctx context.Context, at location) (list []*completion, err error) {
	var answer json.RawMessage
	if err := m.run.ask(ctx, protocol.MethodTextDocumentCompletion, at.position(), &answer); err != nil {
		return nil, err
	}
	raws, err := decoded[[]json.RawMessage](answer)
	if err != nil {
		full, err := decoded[struct{ Items []json.RawMessage }](answer)
		if err != nil {
			return nil, err
		}
		raws = full.Items
	}
	for _, raw := range raws {
		c, err := decoded[completion](raw)
		if err != nil {
			return nil, err
		}
		c.raw = raw
		list = append(list, &c)
	}
	return list, nil
}

// resolve asks for what an item lacks, if the server has an answer to that.
func (m *mark) resolve(ctx context.Context, c *completion) error {
	options, err := decoded[struct{ ResolveProvider bool }](m.run.client.Capabilities["completionProvider"])
	if err != nil || !options.ResolveProvider {
		return err
	}
	return m.run.ask(ctx, protocol.MethodCompletionItemResolve, c.raw, c)
}

// filtered are items without builtins and keywords, unless the archive wants them.
func (m *mark) filtered(list []*completion) []*completion {
	f := m.run.archive.flags
	return slices.DeleteFunc(list, func(c *completion) bool {
		return f.filterKeywords && c.Kind == keywordItem ||
			f.filterBuiltins && types.Universe.Lookup(c.Label) != nil
	})
}

func (c *completion) document() string {
	if text, err := decoded[string](c.Documentation); err == nil {
		return text
	}
	content, _ := decoded[struct{ Value string }](c.Documentation) // empty for none
	return strings.TrimSpace(content.Value)
}

// itemsFrom are the arguments from one on, as items.
func (m *mark) itemsFrom(i int) (list []item, err error) {
	for ; i < len(m.note.args); i++ {
		it, err := m.item(m.note.args[i])
		if err != nil {
			return nil, err
		}
		list = append(list, it)
	}
	return list, nil
}

func (m *mark) item(arg any) (item, error) {
	switch arg := arg.(type) {
	case string:
		return item{label: arg}, nil
	case identifier:
		if it, ok := m.run.values[arg].(item); ok {
			return it, nil
		}
	}
	return item{}, fmt.Errorf("%v is no completion", arg)
}

// complete compares all items in their order. That all wanted labels are there in their order,
// among others, is right but for taste.
func complete(ctx context.Context, m *mark) error {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return err
	}
	want, err := m.itemsFrom(1)
	if err != nil {
		return err
	}
	list, err := m.completions(ctx, at)
	if err != nil {
		return err
	}
	list = m.filtered(list)
	var got []item
	for i, c := range list {
		it := item{label: c.Label}
		if i < len(want) {
			if want[i].documentation != "" && len(c.Documentation) == 0 {
				if err := m.resolve(ctx, c); err != nil {
					return err
				}
			}
			if want[i].detail != "" {
				it.detail = c.Detail
			}
			if want[i].kind != "" {
				it.kind = itemKinds[c.Kind%len(itemKinds)]
			}
			if want[i].documentation != "" {
				it.documentation = c.document()
			}
		}
		got = append(got, it)
	}
	if slices.Equal(got, want) {
		return nil
	}
	show := func(list []item) (out []string) {
		for i, it := range list {
			if i == 20 {
				return append(out, "...")
			}
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s  %s  %s  %s",
				it.label, it.detail, it.kind, it.documentation)))
		}
		return out
	}
	err = sameList(show(got), show(want))
	if err == nil {
		err = errors.New("items behind the 20th differ")
	}
	next := 0
	for _, it := range got {
		if next < len(want) && it.label == want[next].label {
			next++
		}
	}
	if next == len(want) && len(want) > 0 {
		return taste(err)
	}
	return err
}

// rank compares the order of labels, whatever stands between them. Those with a ! must be missing.
func rank(ctx context.Context, m *mark) error {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return err
	}
	items, err := m.itemsFrom(1)
	if err != nil {
		return err
	}
	list, err := m.completions(ctx, at)
	if err != nil {
		return err
	}
	var want, never, got []string
	for _, it := range items {
		if label, not := strings.CutPrefix(it.label, "!"); not {
			never = append(never, label)
		} else {
			want = append(want, label)
		}
	}
	for _, c := range list {
		if slices.Contains(never, c.Label) {
			return fmt.Errorf("got %q, which is not wanted", c.Label)
		}
		if slices.Contains(want, c.Label) {
			got = append(got, c.Label)
		}
	}
	return sameList(got, want)
}

// snippet compares what an item inserts.
func snippet(ctx context.Context, m *mark) error {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return err
	}
	it, err := m.item(m.arg(1))
	if err != nil {
		return err
	}
	list, err := m.completions(ctx, at)
	if err != nil {
		return err
	}
	var labels []string
	for _, c := range m.filtered(list) {
		if c.Label != it.label {
			labels = append(labels, c.Label)
			continue
		}
		got := c.InsertText
		if c.TextEdit != nil {
			got = c.TextEdit.NewText
		}
		if got != m.string(2) {
			return fmt.Errorf("got %q, wanted %q", got, m.string(2))
		}
		return nil
	}
	return fmt.Errorf("no %q among %d: %.20q", it.label, len(labels), labels)
}

// acceptCompletion compares the file with an item taken.
func acceptCompletion(ctx context.Context, m *mark) error {
	at, err := m.locate(m.arg(0))
	if err != nil {
		return err
	}
	want, err := m.golden(m.arg(2))
	if err != nil {
		return err
	}
	list, err := m.completions(ctx, at)
	if err != nil {
		return err
	}
	var labels []string
	for _, c := range list {
		if c.Label != m.string(1) {
			labels = append(labels, c.Label)
			continue
		}
		if len(c.AdditionalTextEdits) == 0 {
			if err := m.resolve(ctx, c); err != nil {
				return err
			}
		}
		if c.TextEdit == nil {
			return errors.New("the item has no edit")
		}
		edit := editor.TextEdit{NewText: c.TextEdit.NewText}
		switch {
		case c.TextEdit.Range != nil:
			edit.Range = *c.TextEdit.Range
		case c.TextEdit.Insert != nil:
			edit.Range = *c.TextEdit.Insert
		}
		text, err := editor.Edited(
			m.run.archive.files[m.note.file],
			append([]editor.TextEdit{edit}, c.AdditionalTextEdits...),
		)
		if err != nil {
			return err
		}
		return checkFiles(map[string]string{m.note.file: text}, want)
	}
	return fmt.Errorf("no %q among %d: %.20q", m.string(1), len(labels), labels)
}
