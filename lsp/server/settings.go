package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"go.lsp.dev/protocol"
	"go.lsp.dev/uri"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/dispatch"
)

const settingsRegistration = "cytisus-settings"

// configuring keeps the settings of a session's roots up to date. Settings are asked for, or taken
// from what the client sent, on a goroutine of its own: nothing waits for a client.
type configuring struct {
	mu     sync.Mutex
	going  chan struct{}   // guarded by mu: closed when there is nothing to do any more; nil: there is not
	again  bool            // guarded by mu: something has changed since the work began
	pushed json.RawMessage // guarded by mu: the section as the client sent it, if it cannot be asked
	said   bool            // guarded by mu: the client has set something, so that null takes it back
}

// section is the name of the language's settings; ok is false if it has none.
func (h *Host) section() (name string, ok bool) {
	c, ok := h.lang.Prototype().(lsp.Configurable)
	if !ok {
		return "", false
	}
	return c.SettingsSection(), true
}

// watchSettings has the client say what it has set, now and whenever that changes.
func (s *session) watchSettings(given json.RawMessage) {
	section, ok := s.host.section()
	if !ok {
		return
	}
	s.settings.mu.Lock()
	s.settings.pushed = bytes.Clone(given)
	s.settings.mu.Unlock()
	s.configure()
	if !s.agreed.Load().caps.settingsEvents {
		return
	}
	s.begin(func(ctx context.Context) {
		raw, err := json.Marshal(map[string]string{"section": section})
		if err == nil {
			err = s.conn.Call(ctx, protocol.MethodClientRegisterCapability, &protocol.RegistrationParams{Registrations: []protocol.Registration{
				{ID: settingsRegistration, Method: protocol.MethodWorkspaceDidChangeConfiguration, RegisterOptions: raw},
			}}, nil)
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("server: the client refuses to tell of changed settings", "err", err)
		}
	})
}

// didChangeConfiguration has settings asked for, or takes them from the message if the client
// cannot be asked.
func (s *session) didChangeConfiguration(_ context.Context, r *dispatch.Request) (dispatch.Outcome, error) {
	section, ok := s.host.section()
	if !ok {
		return dispatch.Done, nil
	}
	var p struct {
		Settings map[string]json.RawMessage `json:"settings"`
	}
	if !s.agreed.Load().caps.settings {
		if err := r.Decode(&p); err != nil {
			return dispatch.Done, err
		}
		s.settings.mu.Lock()
		s.settings.pushed = bytes.Clone(p.Settings[section])
		s.settings.mu.Unlock()
	}
	s.configure()
	return dispatch.Done, nil
}

// configure brings the settings of all roots up to date, in the background.
func (s *session) configure() {
	if _, ok := s.host.section(); !ok {
		return
	}
	c := &s.settings
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.going != nil {
		c.again = true
		return
	}
	going := make(chan struct{})
	c.going = going
	s.begin(func(ctx context.Context) {
		for more := true; more; {
			if err := s.configureAll(ctx); err != nil && ctx.Err() == nil && !closed(err) && !s.host.storeFailed(err) {
				s.tell(protocol.MessageTypeWarning, true, fmt.Sprintf("%s: settings: %v", s.host.o.Name, err))
			}
			c.mu.Lock()
			if more = c.again && ctx.Err() == nil; !more {
				c.going = nil
				close(going)
			}
			c.again = false
			c.mu.Unlock()
		}
	})
}

// configured waits until what the client has said about settings has had its effect.
func (s *session) configured(ctx context.Context) error {
	s.settings.mu.Lock()
	going := s.settings.going
	s.settings.mu.Unlock()
	if going == nil {
		return nil
	}
	select {
	case <-going:
		return nil
	case <-s.ended.Done():
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *session) configureAll(ctx context.Context) error {
	section, _ := s.host.section()
	folders := s.folderList()
	if len(folders) == 0 {
		return nil
	}
	settings := make([]json.RawMessage, len(folders))
	if s.agreed.Load().caps.settings {
		items := make([]protocol.ConfigurationItem, len(folders))
		for i, f := range folders {
			scope := uri.URI(f.named[:len(f.named)-1])
			items[i] = protocol.ConfigurationItem{ScopeURI: &scope, Section: &section}
		}
		var raw protocol.LSPAny
		if err := s.conn.Call(ctx, protocol.MethodWorkspaceConfiguration, &protocol.ConfigurationParams{Items: items}, &raw); err != nil {
			return err
		}
		if err := json.Unmarshal(raw, &settings); err != nil || len(settings) != len(folders) {
			return fmt.Errorf("the client was asked for the settings of %d folders and answered %.200s", len(folders), raw)
		}
	} else {
		s.settings.mu.Lock()
		for i := range settings {
			settings[i] = s.settings.pushed
		}
		s.settings.mu.Unlock()
	}
	var problems []error
	for i, f := range folders {
		if s.settings.says(settings[i]) {
			problems = append(problems, f.root.configure(ctx, settings[i]))
		}
	}
	return errors.Join(problems...)
}

// says reports whether a client sets something: one that never has leaves a root that it shares as
// others have set it.
func (c *configuring) says(settings json.RawMessage) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = c.said || len(settings) > 0 && string(settings) != "null"
	return c.said
}

// configure gives the workspace its settings, unless it has them. Of several clients and folders
// that share a root the last one counts.
func (r *root) configure(ctx context.Context, settings json.RawMessage) error {
	var same bytes.Buffer
	if len(settings) == 0 || json.Compact(&same, settings) != nil {
		same.Reset()
		same.WriteString("null")
	}
	r.configuring.Lock()
	defer r.configuring.Unlock()
	if bytes.Equal(same.Bytes(), r.settings) || r.settings == nil && same.String() == "null" {
		return nil
	}
	r.settings = same.Bytes()
	err := r.ws.(lsp.Configurable).Configure(ctx, same.Bytes())
	r.host.refreshDerived(r)
	return err
}
