package tokens

import "github.com/cytisus/cytisus/lsp"

// The types of tokens, by their numbers in Legend.
const (
	namespace = iota
	typeName
	typeParameter
	parameter
	property
	variable
	function
	method
	keyword
	comment
	stringLiteral
	number
	operator
	label
)

// The modifiers of tokens, by their bits in Legend. From array on they say what the type of a name
// is made of.
const (
	definition = 1 << iota
	readonly
	defaultLibrary
	static
	array
	boolean
	channel
	format // of a directive in a format string
	interfaceType
	mapType
	numeric
	pointer
	signature
	slice
	stringType
	structType
	shadowing // the definition hides another one
)

// Legend names types and modifiers.
var Legend = lsp.TokenLegend{
	Types: []string{
		"namespace", "type", "typeParameter", "parameter", "property", "variable", "function", "method", "keyword", "comment",
		"string", "number", "operator", "label",
	},
	Modifiers: []string{
		"definition", "readonly", "defaultLibrary", "static", "array", "bool", "chan", "format", "interface", "map", "number",
		"pointer", "signature", "slice", "string", "struct", "shadowing",
	},
}
