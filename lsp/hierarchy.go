package lsp

import "github.com/cytisus/cytisus/runtime"

// A HierarchyItem is a declaration in a hierarchy of calls or types. It is asked about by the start
// of its name.
type HierarchyItem struct {
	Name   string
	Detail string // where it belongs to
	Kind   SymbolKind
	At     Location // of its name
}

// A Call is a function and the places at which it calls, or is called.
type Call struct {
	Item  HierarchyItem
	Spans []Span // in the file of the function that calls
}

// A CallHierarchy is a Workspace that knows which function calls which. Its methods fail like
// Workspace.Definition.
type CallHierarchy interface {
	// Callables are the functions that stand at an offset.
	Callables(t *runtime.Task, uri string, offset int) ([]HierarchyItem, error)
	// IncomingCalls are the functions in which what is declared at an offset is named, sorted by
	// place. A variable with a function as its value is one of them.
	IncomingCalls(t *runtime.Task, uri string, offset int) ([]Call, error)
	// OutgoingCalls are the functions and methods that are called in what is declared at an offset,
	// sorted by place.
	OutgoingCalls(t *runtime.Task, uri string, offset int) ([]Call, error)
}

// A TypeHierarchy is a Workspace that knows which type implements which. Its methods fail like
// Workspace.Definition.
type TypeHierarchy interface {
	// Types are the types that stand at an offset.
	Types(t *runtime.Task, uri string, offset int) ([]HierarchyItem, error)
	// Supertypes are the interfaces that the type at an offset implements, those
	// beside it first.
	Supertypes(t *runtime.Task, uri string, offset int) ([]HierarchyItem, error)
	// Subtypes are the types that implement the interface at an offset, those beside it first.
	Subtypes(t *runtime.Task, uri string, offset int) ([]HierarchyItem, error)
}
