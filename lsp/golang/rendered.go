package golang

import "strings"

// renderSignature is a stored signature for readers inside the declaring package (from "") or
// outside, who see its name.
func renderSignature(s, from string) string {
	if from == "" {
		return strings.ReplaceAll(s, ownPackage+".", "")
	}
	return strings.ReplaceAll(s, ownPackage, from)
}
