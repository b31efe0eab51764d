//go:build !linux

package counts

type event struct{}

var instructionsOfUser event

// counting runs a function: nothing is counted here.
func counting(_ event, run func() error) (int64, error) { return Unknown, run() }
