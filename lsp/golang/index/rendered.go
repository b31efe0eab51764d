package index

import "strings"

// Render is a stored signature for readers inside the declaring package (from "") or
// outside, who see its name.
func Render(s, from string) string {
	if from == "" {
		return strings.ReplaceAll(s, OwnPackage+".", "")
	}
	return strings.ReplaceAll(s, OwnPackage, from)
}
