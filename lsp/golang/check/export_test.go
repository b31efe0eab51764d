package check

import "go/types"

// DecodeWorld is what a check imports from.
func DecodeWorld(imports []Import) (types.Importer, error) { return decodeWorld(imports) }
