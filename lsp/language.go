package lsp

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/cytisus/cytisus/runtime"
)

// A Language knows how to read one language. It is a value without state: state belongs to
// workspaces and engines.
type Language interface {
	// ID is the language identifier that editors use, such as "go".
	ID() string

	// Handles reports whether a file belongs to the language, by its name alone.
	Handles(uri string) bool

	// Open prepares a workspace over the directory root, an absolute path. It reads nothing but the
	// root itself: the work is done by Index and by questions. An engine may carry several
	// workspaces.
	Open(ctx context.Context, eng *runtime.Engine, root string, o WorkspaceOptions) (Workspace, error)

	// Prototype is a value of the type of the workspaces that Open gives, which is asked nothing.
	// A server finds in it which optional interfaces they implement, before there is one.
	Prototype() Workspace
}

// WorkspaceOptions say how a workspace is read. The zero value is ready for use.
type WorkspaceOptions struct {
	// Tests includes test files and external test packages.
	Tests bool

	// Lint also tells of open files what is no error and most likely a mistake.
	Lint bool

	// BuildTags are additional build tags, as in go build -tags.
	BuildTags []string

	// Env are additional KEY=VALUE settings for tools that the language runs; the last setting of a
	// key wins.
	Env []string

	// Client names who asks, in task names and statistics. Zero is nobody in particular.
	Client uint64

	// Logger receives what is worth telling but stops nothing. Nil discards.
	Logger *slog.Logger
}

// A Workspace answers questions about one root. All methods may be called from any goroutine.
//
// What not every language has is an interface of its own, which a workspace implements or not: the
// server offers a client what it finds (Language.Prototype).
type Workspace interface {
	// Root is the absolute path of the directory.
	Root() string

	// Index brings the workspace up to date with the disk: it scans the root, commits the inputs
	// that changed, computes everything that is asked for later, and publishes diagnostics. The
	// progress function, which may be nil, is called from one goroutine at a time and must be
	// quick. What is wrong with the code is a diagnostic, not an error.
	Index(ctx context.Context, progress func(Progress)) (Summary, error)

	// SetOverlay puts text in the place of the file's content on disk until ClearOverlay. The text
	// is copied. What is wrong with it is published as soon as it is known, before that of other
	// files, with a partition.Judgement.
	SetOverlay(ctx context.Context, uri string, text []byte) error
	// ClearOverlay goes back to the content on disk, which is read anew.
	ClearOverlay(ctx context.Context, uri string) error
	// FilesChanged says that files (or whole directories) may have been written, created or removed
	// on disk. The root stands for all that the workspace reads, also elsewhere.
	FilesChanged(ctx context.Context, uris []string) error

	// Settle waits until the published diagnostics follow from everything that was set, cleared or
	// reported as changed before.
	Settle(ctx context.Context) error

	// Text is the current text of a file, overlay first. It fails with ErrUnknownFile.
	Text(t *runtime.Task, uri string) ([]byte, error)

	// Digest is the digest of Text.
	Digest(t *runtime.Task, uri string) (Digest, error)

	// Diagnostics are everything known to be wrong with a file, sorted by position.
	Diagnostics(t *runtime.Task, uri string) ([]Diagnostic, error)
	// Symbols is the outline of a file in source order.
	Symbols(t *runtime.Task, uri string) ([]Symbol, error)
	// FindSymbols is a fuzzy search over all declarations of the workspace, best match first. Limit
	// 0 means 100.
	FindSymbols(t *runtime.Task, query string, limit int) ([]SymbolMatch, error)

	// Definition says where what stands at the offset is declared. Offsets at either end of a name
	// belong to it. It fails with ErrUnknownFile, ErrOutOfRange or ErrNoSymbol, as do References
	// and Hover.
	Definition(t *runtime.Task, uri string, offset int) ([]Location, error)
	// References lists every place that names the same thing, sorted by file and offset, the
	// declaration only on request.
	References(t *runtime.Task, uri string, offset int, declaration bool) ([]Location, error)
	// Hover describes what stands at the offset.
	Hover(t *runtime.Task, uri string, offset int) (*Hover, error)

	// Close ends background work and waits for it. The engine stays open; later calls fail with
	// ErrClosed.
	Close() error
}

// A Span is a half-open range of byte offsets (L0).
type Span struct {
	Start, End int
}

// Contains reports whether an offset is inside the span or at either of its ends: a caret behind a
// name is on that name.
func (s Span) Contains(offset int) bool { return s.Start <= offset && offset <= s.End }

// A Location is a span in a file.
type Location struct {
	URI  string
	Span Span
}

// Compare orders locations by file, then by start, then by end.
func (l Location) Compare(m Location) int {
	switch {
	case l.URI < m.URI:
		return -1
	case l.URI > m.URI:
		return 1
	case l.Span.Start != m.Span.Start:
		return l.Span.Start - m.Span.Start
	}
	return l.Span.End - m.Span.End
}

// Severity says how bad a diagnostic is. The numbers are those of the Language Server Protocol.
type Severity uint8

// The severities of the Language Server Protocol.
const (
	SeverityError   Severity = 1
	SeverityWarning Severity = 2
	SeverityInfo    Severity = 3
	SeverityHint    Severity = 4
)

// String is the word a person reads.
func (s Severity) String() string {
	switch s {
	case SeverityError:
		return "error"
	case SeverityWarning:
		return "warning"
	case SeverityInfo:
		return "info"
	case SeverityHint:
		return "hint"
	}
	return "unknown"
}

// A Diagnostic is something wrong at a place of a file.
type Diagnostic struct {
	Span        Span
	Severity    Severity
	Code        string // short and stable, for machines; may be empty
	Href        string // a page that explains the code; may be empty
	Source      string // who says so, such as "syntax", "types" or "go list"
	Message     string
	Unnecessary bool // the code can go: an editor may grey it out
	Deprecated  bool // what is used should not be any more: an editor may strike it out
	Related     []Related
}

// A Related is a place that helps to understand a diagnostic.
type Related struct {
	Location Location
	Message  string
}

// SymbolKind says what a symbol is. The numbers are those of the Language Server Protocol.
type SymbolKind uint8

// The symbol kinds of the Language Server Protocol.
const (
	KindFile          SymbolKind = 1
	KindModule        SymbolKind = 2
	KindNamespace     SymbolKind = 3
	KindPackage       SymbolKind = 4
	KindClass         SymbolKind = 5
	KindMethod        SymbolKind = 6
	KindProperty      SymbolKind = 7
	KindField         SymbolKind = 8
	KindConstructor   SymbolKind = 9
	KindEnum          SymbolKind = 10
	KindInterface     SymbolKind = 11
	KindFunction      SymbolKind = 12
	KindVariable      SymbolKind = 13
	KindConstant      SymbolKind = 14
	KindString        SymbolKind = 15
	KindNumber        SymbolKind = 16
	KindBoolean       SymbolKind = 17
	KindArray         SymbolKind = 18
	KindObject        SymbolKind = 19
	KindKey           SymbolKind = 20
	KindNull          SymbolKind = 21
	KindEnumMember    SymbolKind = 22
	KindStruct        SymbolKind = 23
	KindEvent         SymbolKind = 24
	KindOperator      SymbolKind = 25
	KindTypeParameter SymbolKind = 26
)

var kindNames = [...]string{
	KindFile: "file", KindModule: "module", KindNamespace: "namespace", KindPackage: "package", KindClass: "class",
	KindMethod: "method", KindProperty: "property", KindField: "field", KindConstructor: "constructor", KindEnum: "enum",
	KindInterface: "interface", KindFunction: "function", KindVariable: "variable", KindConstant: "constant",
	KindString: "string", KindNumber: "number", KindBoolean: "boolean", KindArray: "array", KindObject: "object",
	KindKey: "key", KindNull: "null", KindEnumMember: "enum member", KindStruct: "struct", KindEvent: "event",
	KindOperator: "operator", KindTypeParameter: "type parameter",
}

// String is the word a person reads.
func (k SymbolKind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "unknown"
}

// A Symbol is one declaration in the outline of a file.
type Symbol struct {
	Name     string
	Detail   string // type or signature, on one line
	Kind     SymbolKind
	Span     Span // the whole declaration
	NameSpan Span // inside Span
	Children []Symbol
}

// A SymbolMatch is one answer to a symbol search.
type SymbolMatch struct {
	Name      string
	Container string // what it is declared in, such as a package path
	Qualifier string // what the query names of the container, as it stands before the name; mostly empty
	Kind      SymbolKind
	Location  Location
	Score     float64 // greater is better; comparable within one answer only
}

// A FullDiagnoser is a Workspace whose Diagnostics may leave out of an edited file what takes long,
// and publishes it later. A client that pulls diagnostics, and that cannot be asked to pull again,
// would not hear of that.
type FullDiagnoser interface {
	// FullDiagnostics is Workspace.Diagnostics, and waits for what that leaves out.
	FullDiagnostics(t *runtime.Task, uri string) ([]Diagnostic, error)
}

// A SelectionHoverer is a Workspace that describes more than names: of whatever is selected the
// innermost whole that the selection lies in.
type SelectionHoverer interface {
	// HoverSelection is Workspace.Hover of a span.
	HoverSelection(t *runtime.Task, uri string, span Span) (*Hover, error)
}

// A Hover describes a name, or something else that stands in a file.
type Hover struct {
	Span      Span   // what is described
	Signature string // a declaration in the language, without its body
	Doc       string // the documentation comment as plain text; may be empty
	Language  string // of Signature, Declaration and Members, as an editor names it

	// DocMarkdown is Doc as Markdown, with its links. If it is empty, Doc is all there is.
	DocMarkdown string

	// Declaration is the declaration as its author wrote it, for what reads badly as a signature: a
	// type of many fields. It may be empty.
	Declaration string

	// Members are lists of declarations that belong to what is described and that its own
	// declaration does not show, such as the methods of a type. Each may have several lines.
	Members []string

	// Notes say what else is worth knowing, a line each.
	Notes []string

	// Reference says where there is more to read.
	Reference Reference
}

// A Reference is a page on the web about something. The zero value is none.
type Reference struct {
	Name string // of what it is about, in the language
	URL  string
}

// Text is what a reader is shown of the declaration.
func (h *Hover) Text() string {
	if h.Declaration != "" {
		return h.Declaration
	}
	return h.Signature
}

// Plain is all of it as plain text: the declaration, the documentation, members and notes, with
// blank lines between them.
func (h *Hover) Plain() string {
	parts := append([]string{h.Text(), h.Doc}, h.Members...)
	parts = append(parts, strings.Join(h.Notes, "\n"))
	parts = slices.DeleteFunc(parts, func(s string) bool { return strings.TrimSpace(s) == "" })
	return strings.TrimSpace(strings.Join(parts, "\n\n"))
}

// Progress says how far Index is. Totals of zero are not known yet.
type Progress struct {
	Phase      string // in a word of the language: "scan", "read", "check", "publish"
	FilesDone  int
	FilesTotal int
	UnitsDone  int // of what the language works out as a whole, if that is not a file
	UnitsTotal int
	Unit       string // what it calls them, such as "packages"
	Current    string // what was finished last
}

// A Summary says what Index found and what it cost.
type Summary struct {
	Files       int           `json:"files"`      // of the workspace
	Units       int           `json:"units"`      // of what the language works out as a whole, if that is not a file
	Unit        string        `json:"unit"`       // what it calls them, such as "packages"
	Symbols     int           `json:"symbols"`    // declarations
	References  int           `json:"references"` // identifiers that name something
	Diagnostics int           `json:"diagnostics"`
	Missing     []string      `json:"missing"`   // what kept the index from being whole, each with the reason; sorted
	FilesRead   int           `json:"filesRead"` // whose content was read because their stat record differed
	Ran         uint64        `json:"ran"`       // queries computed
	Reused      uint64        `json:"reused"`    // queries answered from memory or from the store
	Wall        time.Duration `json:"wall"`
}
