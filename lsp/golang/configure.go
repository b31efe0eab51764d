package golang

import (
	"context"
	"fmt"
	"strings"
)

// SettingsSection implements lsp.Configurable.
func (*workspace) SettingsSection() string { return "cytisus" }

// Configure implements lsp.Configurable.
func (w *workspace) Configure(_ context.Context, raw []byte) error {
	s, err := readSettings(raw)
	if err != nil {
		err = fmt.Errorf("golang: reading the settings: %w", err)
	}
	if unknown := s.Unknown(); err == nil && len(unknown) > 0 {
		err = fmt.Errorf("golang: reading the settings: analyses: there are no %s", strings.Join(unknown, ", "))
	}
	before := w.set()
	w.settings.Store(s)
	if w.o.Lint && before.Key() != s.Key() {
		w.refresh(w.openFiles())
	}
	return err
}
