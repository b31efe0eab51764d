// Package tokens says what the parts of a Go file are, for editors that colour them: from its
// types, or from its syntax alone. Literals, comments, keywords and operators are found by a scan
// of the text, so that no syntax error hides them; what names are, by a walk over the tree.
package tokens
