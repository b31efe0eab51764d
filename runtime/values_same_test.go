package runtime_test

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"time"
)

// differ says in what two values differ, "" if they are equal. Equal is reflect.DeepEqual, but
//   - floats are compared by their bits: -0 is not 0, and a NaN is itself;
//   - times are equal if they are the same instant in zones that are as far from UTC: neither the
//     name of the zone nor the monotonic reading is kept;
//   - big integers are compared as numbers;
//   - fields named _ are not compared.
func differ(a, b reflect.Value) string {
	if !a.IsValid() || !b.IsValid() {
		if a.IsValid() != b.IsValid() {
			return fmt.Sprintf("%v, and %v", a, b)
		}
		return ""
	}
	if a.Type() != b.Type() {
		return fmt.Sprintf("a %v, and a %v", a.Type(), b.Type())
	}
	unequal := func(equal bool) string {
		if equal {
			return ""
		}
		return fmt.Sprintf("%#v, and %#v", a, b)
	}
	part := func(a, b reflect.Value, where string, args ...any) string {
		if d := differ(a, b); d != "" {
			return fmt.Sprintf(where, args...) + ": " + d
		}
		return ""
	}
	switch a.Type() {
	case reflect.TypeFor[time.Time]():
		x, y := a.Interface().(time.Time), b.Interface().(time.Time)
		_, xo := x.Zone()
		_, yo := y.Zone()
		return unequal(x.Equal(y) && xo == yo)
	case reflect.TypeFor[big.Int]():
		x, y := a.Interface().(big.Int), b.Interface().(big.Int)
		return unequal(x.Cmp(&y) == 0)
	}
	switch a.Kind() {
	case reflect.Float32, reflect.Float64:
		return unequal(math.Float64bits(a.Float()) == math.Float64bits(b.Float()))
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return unequal(a.IsNil() == b.IsNil())
		}
		return differ(a.Elem(), b.Elem())
	case reflect.Slice, reflect.Array:
		if a.Len() != b.Len() || a.Kind() == reflect.Slice && a.IsNil() != b.IsNil() {
			return unequal(false)
		}
		for i := range a.Len() {
			if d := part(a.Index(i), b.Index(i), "[%d]", i); d != "" {
				return d
			}
		}
		return ""
	case reflect.Map:
		if a.Len() != b.Len() || a.IsNil() != b.IsNil() {
			return unequal(false)
		}
		for it := a.MapRange(); it.Next(); {
			if d := part(it.Value(), b.MapIndex(it.Key()), "[%v]", it.Key()); d != "" {
				return d
			}
		}
		return ""
	case reflect.Struct:
		for i := range a.NumField() {
			if a.Type().Field(i).Name == "_" {
				continue
			}
			if d := part(a.Field(i), b.Field(i), ".%s", a.Type().Field(i).Name); d != "" {
				return d
			}
		}
		return ""
	default:
		if a.CanInterface() && b.CanInterface() {
			return unequal(reflect.DeepEqual(a.Interface(), b.Interface()))
		}
		return unequal(a.Equal(b)) // in a type that has a form of its own
	}
}
