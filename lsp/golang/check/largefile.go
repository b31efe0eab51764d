package check

import (
	"fmt"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/golang/syntax"
)

// largeFile says why a file is not checked.
func largeFile(t *syntax.Tree) FileDiagnostic {
	end := t.Span(t.AST.Name.Pos(), t.AST.Name.End())
	return FileDiagnostic{t.URI, lsp.Diagnostic{
		Span: end, Severity: lsp.SeverityWarning, Code: "too-large", Source: SourceTypes,
		Message: fmt.Sprintf("the file is not type-checked: it has more than %d MiB of code", syntax.MaxCode>>20),
	}}
}
