package golang

import (
	"context"
	"encoding/json"
	"fmt"
)

// SettingsSection implements lsp.Configurable.
func (*workspace) SettingsSection() string { return "cytisus" }

// Configure implements lsp.Configurable.
func (w *workspace) Configure(_ context.Context, raw []byte) error {
	s := &settings{}
	err := json.Unmarshal(raw, s)
	if err != nil {
		err = fmt.Errorf("golang: reading the settings: %w", err)
	}
	w.settings.Store(s)
	return err
}

// set are the settings that count now.
func (w *workspace) set() settings {
	if s := w.settings.Load(); s != nil {
		return *s
	}
	return settings{}
}
