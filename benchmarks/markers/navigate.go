package markers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.lsp.dev/protocol"
)

func def(ctx context.Context, m *mark) error {
	return m.leads(ctx, protocol.MethodTextDocumentDefinition)
}

func typedef(ctx context.Context, m *mark) error {
	return m.leads(ctx, protocol.MethodTextDocumentTypeDefinition)
}

func implementation(ctx context.Context, m *mark) error {
	return m.leads(ctx, protocol.MethodTextDocumentImplementation)
}

// leads checks that a request at the first argument answers the other ones.
func (m *mark) leads(ctx context.Context, method string) error {
	all, err := m.locationsFrom(0)
	if err != nil {
		return err
	}
	params := all[0].position()
	if method == protocol.MethodTextDocumentTypeDefinition {
		params["range"] = all[0].rang // beyond the protocol: of an expression, its type is wanted
	}
	var answer json.RawMessage
	err = m.run.ask(ctx, method, params, &answer)
	if wanted, ok := m.note.named["err"]; ok {
		return m.refused(wanted, err)
	}
	if err != nil {
		return err
	}
	got, err := locations(answer)
	if err != nil {
		return err
	}
	return m.run.sameLocations(got, all[1:])
}

// refs asks with and without the declaration, which is the first of the wanted ones.
func refs(ctx context.Context, m *mark) (errs error) {
	all, err := m.locationsFrom(0)
	if err != nil {
		return err
	}
	for _, declaration := range []bool{false, true} {
		want := all[1:]
		if !declaration && len(want) > 0 {
			want = want[1:]
		}
		params := all[0].position()
		params["context"] = map[string]any{"includeDeclaration": declaration}
		var answer json.RawMessage
		err := m.run.ask(ctx, protocol.MethodTextDocumentReferences, params, &answer)
		if err == nil {
			var got []location
			if got, err = locations(answer); err == nil {
				err = m.run.sameLocations(got, want)
			}
		}
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("includeDeclaration %v: %w", declaration, err))
		}
	}
	return errs
}

func incoming(ctx context.Context, m *mark) error {
	return m.calls(ctx, "callHierarchy/incomingCalls")
}

func outgoing(ctx context.Context, m *mark) error {
	return m.calls(ctx, "callHierarchy/outgoingCalls")
}

// A hierarchyItem is a CallHierarchyItem or a TypeHierarchyItem.
type hierarchyItem struct {
	URI            string
	Range          protocol.Range
	SelectionRange protocol.Range
}

func (i hierarchyItem) location() location {
	return wireLocation{URI: i.URI, Range: i.Range}.location()
}

func (i hierarchyItem) selected() location {
	return wireLocation{URI: i.URI, Range: i.SelectionRange}.location()
}

// prepare asks for the item at a location. That its range is not the name's, but its selection
// range is, is a matter of taste, which soft tells.
func (m *mark) prepare(ctx context.Context, method string, at location) (
	item json.RawMessage, soft bool, err error,
) {
	var items []json.RawMessage
	if err := m.run.ask(ctx, method, at.position(), &items); err != nil {
		return nil, false, fmt.Errorf("%s: %w", method, err)
	}
	if len(items) != 1 {
		return nil, false, fmt.Errorf("%s answers %d items, not 1", method, len(items))
	}
	got, err := decoded[hierarchyItem](items[0])
	switch {
	case err != nil:
		return nil, false, err
	case got.location() == at:
		return items[0], false, nil
	case got.selected() == at:
		return items[0], true, nil
	}
	return nil, false, fmt.Errorf("%s leads to %s, not %s", method, m.run.show(got.location()), m.run.show(at))
}

// calls compares the places of functions that call or are called, in any order.
func (m *mark) calls(ctx context.Context, method string) error {
	all, err := m.locationsFrom(0)
	if err != nil {
		return err
	}
	item, soft, err := m.prepare(ctx, "textDocument/prepareCallHierarchy", all[0])
	if err != nil {
		return err
	}
	var calls []struct{ From, To hierarchyItem }
	if err := m.run.ask(ctx, method, map[string]any{"item": item}, &calls); err != nil {
		return err
	}
	var got, selected []location
	for _, c := range calls {
		one := c.From
		if one.URI == "" {
			one = c.To
		}
		got, selected = append(got, one.location()), append(selected, one.selected())
	}
	return m.eitherWay(m.run.sameLocations(got, all[1:]), m.run.sameLocations(selected, all[1:]), soft)
}

// eitherWay passes if the ranges are right, and softly if the selection ranges are.
func (m *mark) eitherWay(ranges, selected error, soft bool) error {
	if ranges == nil && !soft {
		return nil
	}
	if ranges == nil || selected == nil {
		return taste(errors.New("ranges of items are not those of names, selection ranges are"))
	}
	return selected
}

func subtypes(ctx context.Context, m *mark) error {
	return m.relatives(ctx, "typeHierarchy/subtypes")
}

func supertypes(ctx context.Context, m *mark) error {
	return m.relatives(ctx, "typeHierarchy/supertypes")
}

// relatives compares the places of types. Another order is a matter of taste.
func (m *mark) relatives(ctx context.Context, method string) error {
	all, err := m.locationsFrom(0)
	if err != nil {
		return err
	}
	item, soft, err := m.prepare(ctx, "textDocument/prepareTypeHierarchy", all[0])
	if err != nil {
		return err
	}
	var items []hierarchyItem
	if err := m.run.ask(ctx, method, map[string]any{"item": item}, &items); err != nil {
		return err
	}
	var got, selected []location
	for _, i := range items {
		got, selected = append(got, i.location()), append(selected, i.selected())
	}
	err = m.eitherWay(m.run.sameLocations(got, all[1:]), m.run.sameLocations(selected, all[1:]), soft)
	if err == nil && !slices.Equal(got, all[1:]) {
		err = taste(errors.New("the order differs"))
	}
	return err
}

// A highlight is a DocumentHighlight.
type highlight struct {
	rang protocol.Range
	kind int
}

func kindOfHighlight(arg any) int {
	switch arg {
	case identifier("read"):
		return 2
	case identifier("write"):
		return 3
	}
	return 1
}

// highlightsFrom are the arguments from one on.
func (m *mark) highlightsFrom(i int) (list []highlight, err error) {
	for ; i < len(m.note.args); i++ {
		id, _ := m.note.args[i].(identifier)
		h, ok := m.run.values[id].(highlight)
		if !ok {
			return nil, fmt.Errorf("%v is no highlight", m.note.args[i])
		}
		list = append(list, h)
	}
	return list, nil
}

func highlights(ctx context.Context, m *mark) error {
	all, err := m.highlightsFrom(0)
	if err != nil {
		return err
	}
	return m.highlighted(ctx, all[0], all[1:])
}

func highlightAll(ctx context.Context, m *mark) (errs error) {
	all, err := m.highlightsFrom(0)
	if err != nil {
		return err
	}
	for _, h := range all {
		if err := m.highlighted(ctx, h, all); err != nil {
			at := m.run.show(location{m.path(), h.rang})
			errs = errors.Join(errs, fmt.Errorf("at %s: %w", at, err))
		}
	}
	return errs
}

// highlighted compares ranges with their kinds. Other kinds at the right ranges are a matter of
// taste.
func (m *mark) highlighted(ctx context.Context, at highlight, want []highlight) error {
	var answer []struct {
		Range protocol.Range
		Kind  int
	}
	params := location{m.path(), at.rang}.position()
	if err := m.run.ask(ctx, protocol.MethodTextDocumentDocumentHighlight, params, &answer); err != nil {
		return err
	}
	names := []string{"text", "text", "read", "write"}
	kindsOf := func(list []highlight) map[string]string {
		out := make(map[string]string)
		for _, h := range list {
			out[m.run.show(location{m.path(), h.rang})] = names[min(max(h.kind, 0), 3)]
		}
		return out
	}
	var got []highlight
	for _, h := range answer {
		got = append(got, highlight{h.Range, h.Kind})
	}
	if len(got) != len(kindsOf(got)) {
		return errors.New("a range is highlighted twice")
	}
	lines := func(list map[string]string, kinds bool) (out []string) {
		for _, place := range slices.Sorted(maps.Keys(list)) {
			if kinds {
				place += " " + list[place]
			}
			out = append(out, place)
		}
		return out
	}
	g, w := kindsOf(got), kindsOf(want)
	err := sameList(lines(g, true), lines(w, true))
	if err != nil && sameList(lines(g, false), lines(w, false)) == nil {
		return taste(err)
	}
	return err
}
