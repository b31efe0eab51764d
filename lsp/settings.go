package lsp

import "context"

// A Configurable is a Workspace of which a user can set something.
type Configurable interface {
	// SettingsSection is the name of the section of the user's settings that the language reads,
	// such as "words". It is asked of the prototype.
	SettingsSection() string

	// Configure takes the settings of the section for this workspace, JSON; null are the defaults.
	// They count from now on, and what was published follows from them once Settle returns. An
	// error is shown to the user; what could be understood counts nevertheless. It is called by one
	// goroutine at a time, before the first Index has ended if the client says what is set, and
	// only with settings that differ from those before.
	Configure(ctx context.Context, settings []byte) error
}
