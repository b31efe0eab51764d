package runtime

import (
	"encoding"
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	goruntime "runtime"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// A form is what is known about a type of values: whether values come back from CBOR as they went
// in, what has to be looked at in each of them first, and what has to be set right in one that was
// decoded. Forms are made once for each type that a partition or query names. They are a graph,
// because a type may hold itself.
//
// F1: a type has a form only if every value that check accepts comes back equal. What equal means,
// and which types and values are refused, is said in the package comment.
//
// F2: two values that check accepts have the same bytes only if they come back as the same value.
//
// Both rest on what fxamacker/cbor does with each kind; formOf has a case for each, and refuses
// what it does not know.
type form struct {
	t         reflect.Type
	own       ownForm
	fields    []formField // of a struct
	key, elem *form       // of a map; elem also of a slice, an array and a pointer

	open    bool // being made
	checked bool // some values do not come back: see check
	timed   bool // values may hold times: see settle
	foreign bool // values may hold what a MarshalCBOR wrote
	blurred bool // of a map's key: methods of its own may give back another key

	array    bool    // of a struct: a tag says toarray
	embedded bool    // of a struct: its fields are those of another one
	repeats  bool    // a value may hold any number of these
	met      bool    // repeat was here
	marked   bool    // of a whole value: it may be compact
	layout   *layout // of a struct: see the compact form
	numbered bool    // structs in it have numbers in the compact form
	how      compactHow
}

// An ownForm says whose methods write and read a value.
type ownForm uint8

const (
	ownNone   ownForm = iota
	ownBinary         // MarshalBinary and UnmarshalBinary
	ownCBOR           // MarshalCBOR and UnmarshalCBOR
)

type formField struct {
	index     int
	name      string
	form      *form
	stored    storedName
	embedded  bool // its fields count as those of the struct that it is in
	omitEmpty bool
	omitZero  bool
}

var (
	timeType              = reflect.TypeFor[time.Time]()
	urlType               = reflect.TypeFor[url.URL]()
	bigIntType            = reflect.TypeFor[big.Int]()
	cborPackage           = reflect.TypeFor[cbor.Tag]().PkgPath()
	cborMarshalerType     = reflect.TypeFor[cbor.Marshaler]()
	cborUnmarshalerType   = reflect.TypeFor[cbor.Unmarshaler]()
	binaryAppenderType    = reflect.TypeFor[encoding.BinaryAppender]()
	binaryMarshalerType   = reflect.TypeFor[encoding.BinaryMarshaler]()
	binaryUnmarshalerType = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

// maxTypeLevels bounds how deep types are nested that do not hold themselves.
const maxTypeLevels = 500

// formOf returns the form of a type, or why and where in it values would not come back. A whole
// value may have AppendBinary in the place of MarshalBinary; a part of one, or a key, may not.
func formOf(t reflect.Type, whole bool) (*form, error) {
	b := &formBuilder{root: t, whole: whole, forms: map[formID]*form{}}
	f, err := b.of(t, false)
	if err != nil {
		return nil, err
	}
	b.spread()
	return f, b.layOut(f)
}

// A formID names a form: as the key of a map a type has another one than elsewhere.
type formID struct {
	t     reflect.Type
	inKey bool
}

type formBuilder struct {
	root  reflect.Type
	whole bool
	path  []string
	forms map[formID]*form
	all   []*form
}

func (b *formBuilder) refuse(format string, args ...any) error {
	return &pathError{root: b.root, path: b.path, reason: fmt.Sprintf(format, args...)}
}

func (b *formBuilder) at(step string, t reflect.Type, inKey bool) (*form, error) {
	b.path = append(b.path, step)
	f, err := b.of(t, inKey)
	if err == nil {
		b.path = b.path[:len(b.path)-1]
	}
	return f, err
}

func (b *formBuilder) of(t reflect.Type, inKey bool) (*form, error) {
	id := formID{t, inKey}
	if f, ok := b.forms[id]; ok {
		f.checked = f.checked || f.open // t holds itself: a value may be too deep
		return f, nil
	}
	f := &form{t: t, open: true}
	defer func() { f.open = false }()
	b.forms[id] = f
	b.all = append(b.all, f)
	if len(b.path) > maxTypeLevels {
		return nil, b.refuse("types are nested more than %d levels deep", maxTypeLevels)
	}
	return f, b.fill(f, inKey)
}

func (b *formBuilder) fill(f *form, inKey bool) (err error) {
	t := f.t
	if t == timeType {
		f.timed, f.checked = true, !b.isWhole()
		if inKey {
			return b.refuse("a time.Time is no key of a map: the same time may be two keys; use UnixNano")
		}
		return nil
	}
	if t == bigIntType {
		return nil
	}
	if f.own, err = b.ownForm(t); err != nil {
		return err
	}
	switch f.own {
	case ownBinary, ownCBOR:
		f.checked = t == urlType
		f.foreign = f.own == ownCBOR
		f.blurred = inKey
		return nil
	}
	switch t.Kind() {
	case reflect.Bool, reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return nil
	case reflect.Float32, reflect.Float64:
		f.checked = inKey // NaN is not equal to itself
		return nil
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return nil
		}
		f.elem, err = b.at("[]", t.Elem(), inKey)
		return err
	case reflect.Map:
		if f.key, err = b.at("[key]", t.Key(), true); err != nil {
			return err
		}
		f.elem, err = b.at("[]", t.Elem(), false)
		return err
	case reflect.Pointer:
		return b.pointer(f, inKey)
	case reflect.Interface:
		if inKey || t.NumMethod() > 0 {
			return b.refuse("what is in the interface %v comes back as another type, or not at all; use a type of its own", t)
		}
		f.checked = true
		return nil
	case reflect.Struct:
		return b.structure(f, inKey)
	default:
		return b.refuse("a value of kind %v does not come back", t.Kind())
	}
}

// isWhole reports whether the type at hand is that of the whole value, in its own binary form.
func (b *formBuilder) isWhole() bool { return b.whole && len(b.path) == 0 }

func (b *formBuilder) pointer(f *form, inKey bool) (err error) {
	if inKey {
		return b.refuse("a pointer is no key of a map: it comes back as another one")
	}
	for e, seen := f.t, map[reflect.Type]bool{}; e.Kind() == reflect.Pointer; e = e.Elem() {
		if seen[e] {
			return b.refuse("%v points to itself only", f.t)
		}
		seen[e] = true
	}
	// The whole of it is below the pointer, where the codec has no say.
	whole := b.whole
	b.whole = false
	f.elem, err = b.of(f.t.Elem(), false)
	b.whole = whole
	if err == nil && f.elem.mayBeNull() {
		f.checked = true
	}
	return err
}

// mayBeNull reports whether some values are written as null, which a pointer to them would be as
// well.
func (f *form) mayBeNull() bool {
	if f.t == timeType || f.own == ownCBOR {
		return true
	}
	if f.own != ownNone {
		return false
	}
	switch f.t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
		return true
	}
	return false
}

// ownForm finds the methods by which values of a type are written and read, as cbor looks for them.
// A pair of which one half is missing is refused.
func (b *formBuilder) ownForm(t reflect.Type) (ownForm, error) {
	if t.PkgPath() == cborPackage {
		return 0, b.refuse("%v belongs to the codec", t)
	}
	if t.Kind() == reflect.Interface {
		return ownNone, nil
	}
	p := reflect.PointerTo(t)
	mc, uc := p.Implements(cborMarshalerType), p.Implements(cborUnmarshalerType)
	mb, ub := p.Implements(binaryMarshalerType), p.Implements(binaryUnmarshalerType)
	ab := p.Implements(binaryAppenderType)
	lacks := func(has, has2 string) (ownForm, error) {
		return 0, b.refuse("%v has %s but not %s; it needs both or neither", t, has, has2)
	}
	switch {
	case b.isWhole() && ub && (ab || mb):
		writes := marshalBinary
		if ab {
			writes = appendBinary
		}
		return b.promoted(t, ownBinary, unmarshalBinary, writes)
	case mc && uc:
		return b.promoted(t, ownCBOR, unmarshalCBOR, marshalCBOR)
	case mc:
		return lacks("MarshalCBOR", "UnmarshalCBOR")
	case uc:
		return lacks("UnmarshalCBOR", "MarshalCBOR")
	case mb && ub:
		return b.promoted(t, ownBinary, unmarshalBinary, marshalBinary)
	case mb:
		return lacks("MarshalBinary", "UnmarshalBinary")
	case ub && ab:
		return lacks("AppendBinary and UnmarshalBinary", "MarshalBinary")
	case ub:
		return lacks("UnmarshalBinary", "MarshalBinary")
	default:
		return ownNone, nil
	}
}

// promoted returns own, unless one of the methods is that of an embedded field: such a method knows
// nothing of the other fields. If there are no others, it will do.
func (b *formBuilder) promoted(t reflect.Type, own ownForm, methods ...formMethod) (ownForm, error) {
	if t.Kind() != reflect.Struct {
		return own, nil
	}
	embedded := ""
	for _, m := range methods {
		if e := embeddedMethod(t, m); e != "" {
			embedded = e
		}
	}
	if embedded == "" {
		return own, nil
	}
	f, _ := t.FieldByName(embedded)
	alone := f.Type.Kind() == reflect.Struct && f.Type != timeType && f.Type != urlType // see check and settle
	for i := range t.NumField() {
		if other := t.Field(i).Name; other != "_" && other != embedded {
			alone = false
		}
	}
	if !alone {
		return 0, b.refuse("it has %s of the embedded %v, which knows no other field; give the field a name, or %v methods of its own",
			methods[1].name, f.Type, t)
	}
	return own, nil
}

// embeddedMethod returns the embedded field of a struct from which it has a method, if it has not
// declared the method itself. The compiler wraps such methods, and calls the file of a wrapper
// <autogenerated>.
func embeddedMethod(t reflect.Type, method formMethod) string {
	pc := method.pc(t)
	if pc == 0 {
		pc = method.pc(reflect.PointerTo(t))
	}
	if code := goruntime.FuncForPC(pc); code != nil {
		if file, _ := code.FileLine(pc); file != "<autogenerated>" {
			return ""
		}
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && (f.Type.Implements(method.in) || reflect.PointerTo(f.Type).Implements(method.in)) {
			return f.Name
		}
	}
	return ""
}

// A formMethod is a method by which values are written or read.
type formMethod struct {
	name string
	in   reflect.Type // the interface of it alone
}

var (
	marshalBinary   = formMethod{"MarshalBinary", binaryMarshalerType}
	appendBinary    = formMethod{"AppendBinary", binaryAppenderType}
	unmarshalBinary = formMethod{"UnmarshalBinary", binaryUnmarshalerType}
	marshalCBOR     = formMethod{"MarshalCBOR", cborMarshalerType}
	unmarshalCBOR   = formMethod{"UnmarshalCBOR", cborUnmarshalerType}
)

// pc returns where the code of the method is, or 0 if t has no such method. The names are constants
// because the linker keeps every method of every type where it sees another name.
func (m formMethod) pc(t reflect.Type) uintptr {
	var f reflect.Method
	ok := false
	switch m.name {
	case "MarshalBinary":
		f, ok = t.MethodByName("MarshalBinary")
	case "AppendBinary":
		f, ok = t.MethodByName("AppendBinary")
	case "UnmarshalBinary":
		f, ok = t.MethodByName("UnmarshalBinary")
	case "MarshalCBOR":
		f, ok = t.MethodByName("MarshalCBOR")
	case "UnmarshalCBOR":
		f, ok = t.MethodByName("UnmarshalCBOR")
	}
	if !ok {
		return 0
	}
	return f.Func.Pointer()
}

// A storedName is the name under which a field is stored.
type storedName struct {
	name string
	num  bool
}

// cbor returns the name as it is written.
func (s storedName) cbor() ([]byte, error) {
	if !s.num {
		return append(appendHead(nil, cborText, uint64(len(s.name))), s.name...), nil
	}
	n, err := strconv.Atoi(s.name)
	if err != nil {
		return nil, err
	}
	return cborEnc.Marshal(n)
}

// structure looks at a struct as cbor does: the fields of embedded structs count as its own.
func (b *formBuilder) structure(f *form, inKey bool) error {
	array := false
	if blank, ok := f.t.FieldByName("_"); ok {
		for _, opt := range strings.Split(blank.Tag.Get("cbor"), ",") {
			if opt == "toindefarray" {
				return b.refuse("toindefarray is not deterministic; use toarray")
			}
			array = array || opt == "toarray"
		}
	}
	f.array = array
	_, err := b.addFields(f, f.t, inKey, array, map[storedName]string{}, map[reflect.Type]bool{f.t: true}, "")
	return err
}

// addFields adds the fields of t to f. It returns how many of them are stored in every case,
// without those behind embedded pointers: if there are none, a nil pointer and one to a zero t look
// the same.
func (b *formBuilder) addFields(f *form, t reflect.Type, inKey, array bool,
	names map[storedName]string, open map[reflect.Type]bool, prefix string,
) (always int, err error) {
	for i := range t.NumField() {
		s := t.Field(i)
		if s.Name == "_" {
			continue
		}
		tag := tagOf(s)
		target, pointer := s.Type, s.Type.Kind() == reflect.Pointer
		if pointer {
			target = target.Elem()
		}
		b.path = append(b.path, "."+s.Name)
		field := formField{index: i, name: s.Name, omitEmpty: tag.omitEmpty && !array, omitZero: tag.omitZero && !array}
		switch {
		case s.Anonymous && target.Kind() == reflect.Struct && tag.name == "" && !tag.drop:
			n := 0
			field.embedded = true
			if field.form, n, err = b.embedded(s, target, inKey, array, names, open, prefix+s.Name+"."); err != nil {
				return 0, err
			}
			if !pointer {
				always += n
			}
		case s.Type.Size() == 0 && (tag.drop || !s.IsExported()):
			b.path = b.path[:len(b.path)-1]
			continue // there is nothing to lose
		case !s.IsExported():
			return 0, b.refuse("an unexported field does not come back; export it, or give %v MarshalBinary and UnmarshalBinary", t)
		case tag.drop:
			return 0, b.refuse("its tag leaves it out; a tag cbor:%q overrides one for JSON", s.Name)
		default:
			if field.stored, err = b.addName(tag, s, names, prefix); err != nil {
				return 0, err
			}
			if field.form, err = b.of(s.Type, inKey); err != nil {
				return 0, err
			}
			if !tag.omitEmpty && !tag.omitZero {
				always++
			}
		}
		b.path = b.path[:len(b.path)-1]
		f.checked = f.checked || field.omitEmpty || field.omitZero
		f.fields = append(f.fields, field)
	}
	return always, nil
}

func (b *formBuilder) addName(tag fieldTag, s reflect.StructField, names map[storedName]string, prefix string) (storedName, error) {
	name := storedName{tag.name, tag.keyAsInt}
	if name.name == "" {
		name.name = s.Name
	}
	if name.num {
		n, err := strconv.Atoi(name.name)
		if err != nil {
			return name, b.refuse("%q is no number, as its tag says", name.name)
		}
		name.name = strconv.Itoa(n)
	}
	if other, ok := names[name]; ok {
		return name, b.refuse("it would be stored under the name %q, as %s is; give one of them another name with a tag", name.name, other)
	}
	names[name] = prefix + s.Name
	return name, nil
}

// embedded returns the form of an embedded struct or of a pointer to one.
func (b *formBuilder) embedded(s reflect.StructField, target reflect.Type, inKey, array bool,
	names map[storedName]string, open map[reflect.Type]bool, prefix string,
) (*form, int, error) {
	pointer := s.Type.Kind() == reflect.Pointer
	switch {
	case open[target]:
		return nil, 0, b.refuse("%v embeds itself", target)
	case target == timeType || reflect.PointerTo(target).Implements(binaryMarshalerType) || reflect.PointerTo(target).Implements(cborMarshalerType):
		return nil, 0, b.refuse("an embedded %v is taken apart, and its methods are not used; give it a name", target)
	case pointer && inKey:
		return nil, 0, b.refuse("a pointer is no key of a map: it comes back as another one")
	case pointer && !s.IsExported():
		return nil, 0, b.refuse("an embedded pointer to an unexported struct does not come back; give it a name")
	case pointer && array:
		return nil, 0, b.refuse("an embedded pointer has no place in an array; give it a name")
	}
	open[target] = true
	f := &form{t: target, embedded: true}
	b.all = append(b.all, f)
	always, err := b.addFields(f, target, inKey, array, names, open, prefix)
	delete(open, target)
	if err != nil {
		return nil, 0, err
	}
	if !pointer {
		return f, always, nil
	}
	if always == 0 {
		return nil, 0, b.refuse("a pointer to an embedded struct without a field that is always stored comes back nil; give it a name")
	}
	p := &form{t: s.Type, elem: f}
	b.all = append(b.all, p)
	return p, always, nil
}

// A fieldTag is what the tag of a field says, as cbor reads it.
type fieldTag struct {
	name                          string
	drop                          bool
	omitEmpty, omitZero, keyAsInt bool
}

func tagOf(s reflect.StructField) (t fieldTag) {
	tag := s.Tag.Get("cbor")
	if tag == "" {
		tag = s.Tag.Get("json")
	}
	if tag == "-" {
		return fieldTag{drop: true}
	}
	name, opts, _ := strings.Cut(tag, ",")
	t.name = name
	for opt := range strings.SplitSeq(opts, ",") {
		switch opt {
		case "omitempty":
			t.omitEmpty = true
		case "omitzero":
			t.omitZero = true
		case "keyasint":
			t.keyAsInt = true
		}
	}
	return t
}

// parts yields the forms of what a value of f consists of.
func (f *form) parts(yield func(*form) bool) {
	for _, part := range []*form{f.key, f.elem} {
		if part != nil && !yield(part) {
			return
		}
	}
	for _, field := range f.fields {
		if !yield(field.form) {
			return
		}
	}
}

// spread tells every form what its parts are like.
func (b *formBuilder) spread() {
	for again := true; again; {
		again = false
		for _, f := range b.all {
			before := *f
			for part := range f.parts {
				f.checked = f.checked || part.checked
				f.timed = f.timed || part.timed
				f.foreign = f.foreign || part.foreign
				f.blurred = f.blurred || part.blurred && part != f.key
			}
			f.checked = f.checked || f.key != nil && f.key.blurred
			again = again || before.checked != f.checked || before.timed != f.timed ||
				before.foreign != f.foreign || before.blurred != f.blurred
		}
	}
}
