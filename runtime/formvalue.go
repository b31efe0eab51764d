package runtime

import (
	"fmt"
	"math"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

const (
	// maxValueLevels bounds how deep a value is nested: in structs, slices, arrays and maps.
	maxValueLevels = 10_000

	// maxValueParts bounds what a value of a type that holds itself consists of. Pointers to one
	// part are written as if each pointed to a part of its own, so a small value may have no end of
	// parts.
	maxValueParts = 1 << 24
)

// A pathError says where in a type or value the reason is why it does not come back.
type pathError struct {
	root   reflect.Type
	path   []string // steps from the root
	reason string
}

func (e *pathError) Error() string {
	path := e.path
	if len(path) > 8 {
		path = slices.Concat(path[:6], []string{"…"}, path[len(path)-1:])
	}
	return fmt.Sprintf("%v%s: %s", e.root, strings.Join(path, ""), e.reason)
}

func (e *pathError) Is(target error) bool { return target == ErrBadValue }

// A formCheck is the check of one value.
type formCheck struct {
	left  int      // parts that the value may still have
	steps []string // from a part that does not come back to the root, once it was found
}

// A badPart is the reason why a part of a value does not come back; empty: it does.
type badPart string

// at adds a step of the way from the root.
func (c *formCheck) at(why badPart, format string, args ...any) badPart {
	if why != "" {
		c.steps = append(c.steps, fmt.Sprintf(format, args...))
	}
	return why
}

// verify returns nil if v, which is of the form's type, comes back from its bytes.
func (f *form) verify(v reflect.Value) error {
	if !f.checked {
		return nil
	}
	c := formCheck{left: maxValueParts}
	if why := c.check(f, v, 0); why != "" {
		slices.Reverse(c.steps)
		return &pathError{root: f.t, path: c.steps, reason: string(why)}
	}
	return nil
}

func (c *formCheck) check(f *form, v reflect.Value, level int) badPart {
	if !f.checked {
		return ""
	}
	switch {
	case f.t == timeType:
		return checkTime(v.Interface().(time.Time))
	case f.t == urlType:
		return checkURL(v.Interface().(url.URL))
	case f.own != ownNone:
		return ""
	}
	switch f.t.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return ""
		}
		if f.elem.isNull(v.Elem()) {
			return "a pointer to what is nil, or to a zero time, comes back nil itself"
		}
		return c.check(f.elem, v.Elem(), level)
	case reflect.Interface:
		return c.checkAny(v.Interface(), level)
	case reflect.Float32, reflect.Float64:
		if math.IsNaN(v.Float()) {
			return "NaN is no key of a map"
		}
		return ""
	}
	if why := c.enter(level); why != "" {
		return why
	}
	switch f.t.Kind() {
	case reflect.Struct:
		return c.checkStruct(f, v, level+1)
	case reflect.Map:
		return c.checkMap(f, v, level+1)
	default:
		for i := range v.Len() {
			if why := c.check(f.elem, v.Index(i), level+1); why != "" {
				return c.at(why, "[%d]", i)
			}
		}
		return ""
	}
}

// enter counts a part that has parts itself.
func (c *formCheck) enter(level int) badPart {
	if c.left--; c.left < 0 {
		return badPart(fmt.Sprintf("the value has more than %d parts, each counted as often as it is pointed to", maxValueParts))
	}
	if level >= maxValueLevels {
		return badPart(fmt.Sprintf("the value is nested more than %d levels deep", maxValueLevels))
	}
	return ""
}

func (c *formCheck) checkStruct(f *form, v reflect.Value, level int) badPart {
	for i := range f.fields {
		field := &f.fields[i]
		fv := v.Field(field.index)
		why := c.check(field.form, fv, level)
		if why == "" && (field.omitEmpty || field.omitZero) {
			why = field.leftOut(fv)
		}
		if why != "" {
			return c.at(why, ".%s", field.name)
		}
	}
	return ""
}

// leftOut refuses a value that a tag leaves out, and that comes back as another one for that
// reason.
func (f *formField) leftOut(v reflect.Value) badPart {
	if v.IsZero() {
		if minusZero(v) {
			return "its tag leaves out -0"
		}
		return ""
	}
	if f.omitEmpty {
		switch k := v.Kind(); {
		case f.form.own == ownBinary && f.form.emptyBinary(v):
			return "omitempty leaves out what is not zero"
		case f.form.own != ownNone:
		case (k == reflect.Slice || k == reflect.Map) && v.Len() == 0:
			return "omitempty leaves out what is empty, and it comes back nil"
		}
	}
	if f.omitZero {
		if z, ok := addressOf(v).(interface{ IsZero() bool }); ok && z.IsZero() {
			return "omitzero leaves out what is not zero, as its IsZero says"
		}
	}
	return ""
}

// minusZero reports whether v, which is zero as reflect sees it, has a -0 in it.
func minusZero(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		return math.Signbit(v.Float())
	case reflect.Array:
		for i := range v.Len() {
			if minusZero(v.Index(i)) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if minusZero(v.Field(i)) {
				return true
			}
		}
	}
	return false
}

// emptyBinary reports whether v is written as no bytes. An error is found again when v is written.
func (f *form) emptyBinary(v reflect.Value) bool {
	b, err := cborEnc.Marshal(addressOf(v))
	return err == nil && len(b) == 1
}

// addressOf returns a pointer to v, or to a copy of it if v has no address.
func addressOf(v reflect.Value) any {
	if v.CanAddr() {
		return v.Addr().Interface()
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p.Interface()
}

func (c *formCheck) checkMap(f *form, v reflect.Value, level int) badPart {
	for it := v.MapRange(); it.Next(); {
		why := c.check(f.key, it.Key(), level)
		if why == "" && f.key.blurred {
			why = f.key.checkOwnKey(it.Key())
		}
		if why == "" {
			why = c.check(f.elem, it.Value(), level)
		}
		if why != "" {
			return c.at(why, "[%v]", showKey(it.Key()))
		}
	}
	return ""
}

// checkOwnKey refuses a key that does not come back from its own form as the same key. Two keys
// with the same bytes, of which one would be lost, are refused therefore.
func (f *form) checkOwnKey(k reflect.Value) badPart {
	b, err := cborEnc.Marshal(addressOf(k))
	if err != nil {
		return "" // it is found again when the map is written
	}
	back := reflect.New(f.t)
	if err := f.decode(b, back.Interface()); err != nil || !back.Elem().Equal(k) {
		return "the key comes back as another one"
	}
	return ""
}

func showKey(k reflect.Value) string {
	if k.Kind() == reflect.String {
		return fmt.Sprintf("%q", k.String())
	}
	return fmt.Sprintf("%v", k)
}

// checkAny accepts in an interface what CBOR has a kind of its own for.
func (c *formCheck) checkAny(x any, level int) badPart {
	switch x := x.(type) {
	case nil, bool, int64, float64, string:
		return ""
	case []byte:
		if x != nil {
			return ""
		}
	case []any:
		if x != nil {
			why := c.enter(level)
			for i := 0; i < len(x) && why == ""; i++ {
				why = c.at(c.checkAny(x[i], level+1), "[%d]", i)
			}
			return why
		}
	case map[string]any:
		if x != nil {
			if why := c.enter(level); why != "" {
				return why
			}
			for k, e := range x {
				if why := c.checkAny(e, level+1); why != "" {
					return c.at(why, "[%q]", k)
				}
			}
			return ""
		}
	default:
		return badPart(fmt.Sprintf("a %T in an interface comes back as another type; "+
			"nil, bool, int64, float64, string, []byte, []any and map[string]any do not", x))
	}
	return badPart(fmt.Sprintf("a nil %T in an interface comes back as nil", x))
}

// checkTime refuses what RFC 3339 cannot say.
func checkTime(t time.Time) badPart {
	_, offset := t.Zone()
	switch {
	case offset%60 != 0 || max(offset, -offset) >= 24*60*60:
		return badPart(fmt.Sprintf("a zone %d seconds east of UTC has no form; use UTC", offset))
	case t.Year() < 0 || t.Year() > 9999:
		return badPart(fmt.Sprintf("the year %d has no form, which those from 0 to 9999 have", t.Year()))
	case t.IsZero() && offset != 0:
		return "the zero time comes back in UTC; use UTC"
	}
	return ""
}

// checkURL refuses a URL whose text means another one. Those that url.Parse makes come back.
func checkURL(u url.URL) badPart {
	var back url.URL
	b, err := u.MarshalBinary()
	if err == nil {
		err = back.UnmarshalBinary(b)
	}
	if err != nil || !reflect.DeepEqual(u, back) {
		return badPart(fmt.Sprintf("the URL does not come back from its text %q", b))
	}
	return ""
}

// isNull reports whether v is written as null.
func (f *form) isNull(v reflect.Value) bool {
	if !f.mayBeNull() {
		return false
	}
	switch {
	case f.t == timeType:
		return v.Interface().(time.Time).IsZero()
	case f.own == ownCBOR:
		b, err := cborEnc.Marshal(addressOf(v))
		return err == nil && len(b) == 1 && (b[0] == cborNull || b[0] == cborUndefined)
	default:
		return v.IsNil()
	}
}

const cborNull, cborUndefined = 0xf6, 0xf7

// settle sets right what depends on the machine in a value that was decoded: a time is in UTC or in
// a zone without a name, and never in the zone of the process, which may be the same by chance.
func (f *form) settle(v reflect.Value) {
	if !f.timed {
		return
	}
	if f.t == timeType {
		t := v.Addr().Interface().(*time.Time)
		*t = settledTime(*t)
		return
	}
	switch f.t.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			f.elem.settle(v.Elem())
		}
	case reflect.Struct:
		for i := range f.fields {
			f.fields[i].form.settle(v.Field(f.fields[i].index))
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			f.elem.settle(v.Index(i))
		}
	case reflect.Map:
		e := reflect.New(f.elem.t).Elem()
		for it := v.MapRange(); it.Next(); {
			e.Set(it.Value())
			f.elem.settle(e)
			v.SetMapIndex(it.Key(), e)
		}
	}
}

func settledTime(t time.Time) time.Time {
	if _, offset := t.Zone(); offset != 0 {
		return t.In(time.FixedZone("", offset))
	}
	return t.UTC()
}

// wellFormed refuses bytes in which a MarshalCBOR wrote what the decoder does not take.
func (f *form) wellFormed(b []byte) error {
	if err := cborDec.Wellformed(b); err != nil {
		return &pathError{root: f.t, reason: fmt.Sprintf("what a MarshalCBOR wrote is refused: %v", err)}
	}
	return nil
}
