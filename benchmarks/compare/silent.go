package compare

import "fmt"

// Silent is a logger for peers that would write to the terminal that the table goes to. What they
// call fatal still is.
type Silent struct{}

// Infof drops a message.
func (Silent) Infof(string, ...any) {}

// Errorf drops a message: a peer that fails says so in its errors too.
func (Silent) Errorf(string, ...any) {}

// Fatalf panics.
func (Silent) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }
