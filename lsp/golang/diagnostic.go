package golang

// Sources of diagnostics, as editors show them.
const (
	sourceSyntax = "syntax"
	sourceTypes  = "types"
	sourceList   = "go list"
	sourceDisk   = "disk"
)
