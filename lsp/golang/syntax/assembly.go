package syntax

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cytisus/cytisus/lsp"
	"github.com/cytisus/cytisus/lsp/files"
)

// An AssemblyKind is what a file of the assembler names.
type AssemblyKind uint8

// The kinds of what a file of the assembler names.
const (
	AssemblySymbol AssemblyKind = iota
	AssemblyLabel
	AssemblyRegister
)

// An AssemblyUse is a place where a file of the assembler names something.
type AssemblyUse struct {
	Kind     AssemblyKind
	Package  string // path of the package of a symbol; "" for the file's own, or none
	Name     string
	Bare     bool     // of a symbol: no package is part of its name
	Static   bool     // of a symbol: it is the file's own
	Span     lsp.Span // with the package, as it is written
	Declares bool     // a symbol behind TEXT or GLOBL, a label before its colon
	Writes   bool     // the place changes what it names
	Function int      // the number of the function around, 0 before the first
}

// Means reports whether two places of one file name the same thing. Labels and registers count
// within their function.
func (u *AssemblyUse) Means(other *AssemblyUse) bool {
	return u.Kind == other.Kind && u.Package == other.Package && u.Name == other.Name && u.Bare == other.Bare &&
		u.Static == other.Static && (u.Kind == AssemblySymbol || u.Function == other.Function)
}

// IsAssembly reports whether a file is one of Go's assembler, by its name.
func IsAssembly(uri string) bool { return strings.HasSuffix(uri, ".s") }

// isAssemblyRune reports whether a character can stand in a name. The assembler writes a middle dot
// for the dot of Go and a division slash for the slash of a path.
func isAssemblyRune(r rune) bool {
	return r == '_' || r == '·' || r == '∕' || r == '.' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// AssemblyUses lists the places of a file of the assembler where something is named, in their
// order. Which registers there are follows from the system that the file's name says.
func AssemblyUses(uri string, text []byte) []AssemblyUse {
	s := assemblyScan{text: maskAssembly(text), registers: registersOf(files.BaseName(uri))}
	start := 0
	for i := 0; i <= len(s.text); i++ {
		if i == len(s.text) || s.text[i] == '\n' || s.text[i] == ';' {
			s.statement(start, i)
			start = i + 1
		}
	}
	return s.resolved()
}

// AssemblyUseAt is the use at an offset; nil if there is none.
func AssemblyUseAt(uses []AssemblyUse, offset int) *AssemblyUse {
	for i := range uses {
		if s := uses[i].Span; s.Start <= offset && offset <= s.End {
			return &uses[i]
		}
	}
	return nil
}

// maskAssembly is a text of the same length without comments, strings and lines of the
// preprocessor: there are spaces for them.
func maskAssembly(text []byte) []byte {
	out := slices.Clone(text)
	blank := func(from, to int) {
		for i := from; i < to; i++ {
			if out[i] != '\n' {
				out[i] = ' '
			}
		}
	}
	endOf := func(from int, mark string) int {
		if i := strings.Index(string(text[from:]), mark); i >= 0 {
			return from + i
		}
		return len(text)
	}
	lineStart := true
	for i := 0; i < len(text); i++ {
		end := i
		switch c := text[i]; {
		case c == '\n':
			lineStart = true
			continue
		case c == ' ' || c == '\t':
			continue
		case strings.HasPrefix(string(text[i:min(i+2, len(text))]), "//"):
			end = endOf(i, "\n")
		case strings.HasPrefix(string(text[i:min(i+2, len(text))]), "/*"):
			end = min(endOf(i+2, "*/")+2, len(text))
		case c == '#' && lineStart:
			for end = endOf(i, "\n"); end < len(text) && text[end-1] == '\\'; {
				end = endOf(end+1, "\n")
			}
		case c == '"' || c == '\'':
			for end = i + 1; end < len(text) && text[end] != c && text[end] != '\n'; end++ {
				if text[end] == '\\' {
					end++
				}
			}
			end = min(end+1, len(text))
		}
		lineStart = false
		if end > i {
			blank(i, end)
			i = end - 1
		}
	}
	return out
}

type assemblyScan struct {
	text      []byte
	registers *regexp.Regexp // nil: none are known
	function  int
	uses      []AssemblyUse
	maybe     []int // of uses, those that are a label if their function has it, or else a symbol
	dropped   []int // of uses, those that are nothing unless they are a label
}

// An operand of an instruction, or of a macro.
type assemblyOperand struct{ from, to int }

var assemblyLabel = regexp.MustCompile(`^\s*([\pL_][\pL\pN_.]*)\s*:`)

// statement reads what lies between two ends of statements: labels, and an instruction.
func (s *assemblyScan) statement(from, to int) {
	for {
		m := assemblyLabel.FindSubmatchIndex(s.text[from:to])
		if m == nil {
			break
		}
		span := lsp.Span{Start: from + m[2], End: from + m[3]}
		s.uses = append(s.uses, AssemblyUse{
			Kind: AssemblyLabel, Name: string(s.text[span.Start:span.End]), Span: span,
			Declares: true, Writes: true, Function: s.function,
		})
		from += m[1]
	}
	for from < to && isSpace(s.text[from]) {
		from++
	}
	end := from
	for end < to && !isSpace(s.text[end]) && s.text[end] != '(' {
		end++
	}
	mnemonic := string(s.text[from:end])
	if mnemonic == "" {
		return
	}
	macro := end < to && s.text[end] == '('
	operands := s.operands(end, to, macro)
	if mnemonic == "TEXT" && len(operands) > 0 {
		if _, ok := s.symbolIn(operands[0]); ok {
			s.function++
		}
	}
	for i, o := range operands {
		s.operand(mnemonic, o, !macro && writesTo(mnemonic, i, len(operands)), i)
	}
}

// operands are split by commas outside of parentheses; those of a macro are in some themselves.
func (s *assemblyScan) operands(from, to int, macro bool) (list []assemblyOperand) {
	if macro {
		from++
		if i := strings.LastIndexByte(string(s.text[from:to]), ')'); i >= 0 {
			to = from + i
		}
	}
	depth, start := 0, from
	for i := from; i <= to; i++ {
		switch {
		case i == to || s.text[i] == ',' && depth == 0:
			if strings.TrimSpace(string(s.text[start:i])) != "" {
				list = append(list, assemblyOperand{start, i})
			}
			start = i + 1
		case s.text[i] == '(' || s.text[i] == '[':
			depth++
		case s.text[i] == ')' || s.text[i] == ']':
			depth--
		}
	}
	return list
}

// word is the next run of letters of names in an operand, from a place on.
func (s *assemblyScan) word(from, to int) (start, end int) {
	for start = from; start < to; {
		r, size := utf8.DecodeRune(s.text[start:to])
		if isAssemblyRune(r) && r != '.' {
			break
		}
		start += size
	}
	for end = start; end < to; {
		r, size := utf8.DecodeRune(s.text[end:to])
		if !isAssemblyRune(r) {
			break
		}
		end += size
	}
	return start, end
}

// pseudo is what stands in parentheses behind a name: SB for a symbol, FP and SP for places in the
// frame. Static says that the name is the file's own.
var pseudo = regexp.MustCompile(`^(<\w*>)?\s*(?:[+-]\s*[\w*+()-]+?)?\s*\((SB|FP|SP)\)`)

// symbolIn is the first symbol of an operand.
func (s *assemblyScan) symbolIn(o assemblyOperand) (u AssemblyUse, ok bool) {
	for at := o.from; ; {
		start, end := s.word(at, o.to)
		if start >= o.to {
			return u, false
		}
		if m := pseudo.FindSubmatch(s.text[end:o.to]); m != nil && string(m[2]) == "SB" {
			return s.symbol(start, end, string(m[1]) == "<>"), true
		}
		at = end
	}
}

func (s *assemblyScan) symbol(start, end int, static bool) AssemblyUse {
	u := AssemblyUse{Span: lsp.Span{Start: start, End: end}, Static: static, Function: s.function}
	word := string(s.text[start:end])
	if i := strings.LastIndex(word, "·"); i >= 0 {
		u.Package = strings.NewReplacer("·", ".", "∕", "/").Replace(word[:i])
		u.Name = word[i+len("·"):]
	} else {
		u.Name, u.Bare = word, true
	}
	return u
}

// operand notes what one names. Writes says that its instruction changes what it is.
func (s *assemblyScan) operand(mnemonic string, o assemblyOperand, writes bool, number int) {
	whole := strings.TrimSpace(string(s.text[o.from:o.to]))
	immediate := strings.HasPrefix(whole, "$")
	list := strings.HasPrefix(whole, "(") && strings.Contains(whole, ",") || strings.HasPrefix(whole, "[")
	memory := strings.Contains(whole, "(") && !list
	for at := o.from; ; {
		start, end := s.word(at, o.to)
		if start >= o.to {
			return
		}
		at = end
		if r, _ := utf8.DecodeRune(s.text[start:]); unicode.IsDigit(r) {
			continue
		}
		word := string(s.text[start:end])
		if m := pseudo.FindSubmatch(s.text[end:o.to]); m != nil {
			if string(m[2]) == "SB" {
				u := s.symbol(start, end, string(m[1]) == "<>")
				u.Declares = number == 0 && (mnemonic == "TEXT" || mnemonic == "GLOBL")
				u.Writes = u.Declares || mnemonic == "DATA" || writes && !immediate
				if u.Name != "" {
					s.uses = append(s.uses, u)
				}
			}
			at = end + len(m[0])
			continue
		}
		register, _, _ := strings.Cut(word, ".")
		if s.registers != nil && s.registers.MatchString(register) {
			s.uses = append(s.uses, AssemblyUse{
				Kind: AssemblyRegister, Name: register, Span: lsp.Span{Start: start, End: start + len(register)},
				Writes: writes && !memory, Function: s.function,
			})
			continue
		}
		if word != whole || register == "SB" || register == "FP" || register == "PC" {
			continue
		}
		if !jumps(mnemonic) {
			s.dropped = append(s.dropped, len(s.uses))
		}
		s.maybe = append(s.maybe, len(s.uses))
		s.uses = append(s.uses, s.symbol(start, end, false))
	}
}

// resolved are the uses, of which those are labels now that name one.
func (s *assemblyScan) resolved() []AssemblyUse {
	type label struct {
		name     string
		function int
	}
	labels := map[label]bool{}
	for _, u := range s.uses {
		if u.Kind == AssemblyLabel {
			labels[label{u.Name, u.Function}] = true
		}
	}
	for _, i := range s.maybe {
		if u := &s.uses[i]; u.Bare && labels[label{u.Name, u.Function}] {
			u.Kind, u.Bare = AssemblyLabel, false
		}
	}
	for _, i := range slices.Backward(s.dropped) {
		if s.uses[i].Kind == AssemblySymbol {
			s.uses = slices.Delete(s.uses, i, i+1)
		}
	}
	return s.uses
}

// jumps reports whether an instruction goes to one of its operands.
func jumps(mnemonic string) bool {
	switch mnemonic[0] {
	case 'J', 'B':
		return true
	}
	return mnemonic == "CALL" || strings.HasPrefix(mnemonic, "CB") || strings.HasPrefix(mnemonic, "TB") ||
		strings.HasPrefix(mnemonic, "LOOP")
}

var (
	// compares are instructions that change no operand: they compare, store on the stack, or jump.
	compares = regexp.MustCompile(`^(CMP|CMN|TEST|TST|TEQ|V?P?TEST|VTEST|V?U?COMI|FCMP|CCM[PN]|KO?R?TEST|` +
		`PUSH|OUT|BT[WLQ]?$|J[A-Z]|CALL$|CBN?Z|TBN?Z|B$|BL$|BEQ|BNE|BLT|BGE|BGT|BLE|PCALIGN)`)
	// changes are instructions that begin like one of those, and are none.
	changes = regexp.MustCompile(`^CMPXCHG`)
	// changesOne are instructions that change their only operand.
	changesOne = regexp.MustCompile(`^(POP|SET|NEG|NOT|INC|DEC|BSWAP|RDRAND|RDSEED|STMXCSR|FST)`)
	// exchanges are instructions that change both operands.
	exchanges = regexp.MustCompile(`^(XCHG|XADD)`)
)

// writesTo reports whether an instruction changes one of its operands: in Go's assembler the last,
// unless it only compares.
func writesTo(mnemonic string, i, n int) bool {
	switch {
	case mnemonic == "TEXT", mnemonic == "GLOBL", mnemonic == "DATA", mnemonic == "FUNCDATA", mnemonic == "PCDATA":
		return false
	case n == 1:
		return changesOne.MatchString(mnemonic)
	case exchanges.MatchString(mnemonic):
		return true
	case i < n-1:
		return false
	}
	return changes.MatchString(mnemonic) || !compares.MatchString(mnemonic)
}

// registers are those of architectures, as the assembler calls them.
var registers = map[string]*regexp.Regexp{}

func init() {
	x86 := `[ABCD][LHX]|[SD]I[LB]?|[BS]P[LB]?|R(8|9|1[0-5])[BWD]?|[XYZ]([12]?\d|3[01])|[KMF][0-7]|[CDEFGS]S`
	for pattern, archs := range map[string]string{
		x86: "amd64 386",
		`R([12]?\d|30)|[FVP]([12]?\d|3[01])|ZR|RSP|LR|g`:                    "arm64",
		`R(\d|1[0-5])|F(\d|1[0-5])|LR|SP|g`:                                 "arm",
		`R([12]?\d|3[01])|[FV]([12]?\d|3[01])|VS([1-5]?\d|6[0-3])|CR[0-7]`:  "ppc64 ppc64le",
		`[XFV]([12]?\d|3[01])|[AS]\d|S1[01]|T[0-6]|F[ATS]\d+|RA|GP|TP|ZERO`: "riscv64",
		`[RFVX]([12]?\d|3[01])|FCC[0-7]|FCSR[0-3]`:                          "loong64",
		`[RFW]([12]?\d|3[01])|HI|LO`:                                        "mips mipsle mips64 mips64le",
		`[RF](\d|1[0-5])|V([12]?\d|3[01])|AR(\d|1[0-5])`:                    "s390x",
		`[RF]([12]?\d|3[01])|SP|CTXT|g|RET[0-3]|PAUSE`:                      "wasm",
	} {
		re := regexp.MustCompile("^(?:" + pattern + ")$")
		for _, arch := range strings.Fields(archs) {
			registers[arch] = re
		}
	}
}

// registersOf are the registers of the architecture that a file's name ends in; nil for none.
func registersOf(name string) *regexp.Regexp {
	name = strings.TrimSuffix(name, ".s")
	i := strings.LastIndexByte(name, '_')
	if i < 0 {
		return nil
	}
	return registers[name[i+1:]]
}
