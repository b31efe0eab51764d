package server

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/cytisus/cytisus/runtime/gc"
	"github.com/cytisus/cytisus/runtime/lane"
)

// filled sets everything in v that JSON shows to something that is not zero: one element in each
// list and map.
func filled(v reflect.Value) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
		return
	case lane.Lane:
		v.Set(reflect.ValueOf(lane.RPC2))
		return
	case gc.Phase:
		v.Set(reflect.ValueOf(gc.Marking))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				filled(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		filled(v.Index(0))
	case reflect.Array:
		for i := range v.Len() {
			filled(v.Index(i))
		}
	case reflect.Map:
		e := reflect.New(v.Type().Elem()).Elem()
		filled(e)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("a name"), e)
	case reflect.String:
		v.SetString("a text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1.5)
	default:
		if v.CanInt() {
			v.SetInt(1)
		} else {
			v.SetUint(1)
		}
	}
}

// firsts leaves one element of each list, which all are of one shape.
func firsts(v any) any {
	switch v := v.(type) {
	case []any:
		return []any{firsts(v[0])}
	case map[string]any:
		for k := range v {
			v[k] = firsts(v[k])
		}
	}
	return v
}

// The answer to cytisus/stats, which stats --json and state.json show, has the shape that
// testdata/stats.json shows: programs rely on its keys. It reads back as what was written.
func TestShapeOfStats(t *testing.T) {
	var st, back Stats
	filled(reflect.ValueOf(&st).Elem())
	raw, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(st, back) {
		t.Errorf("it reads back as %+v, %v\nwant %+v", back, err, st)
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(firsts(tree), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	file := filepath.Join("testdata", "stats.json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the shape of stats is not that of %s (-update rewrites it):\n%s", file, got)
	}
}
