package inspect

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/db"
	"github.com/cytisus/cytisus/runtime/internal/inside"
)

// A Record is one entry of a partition.
type Record struct {
	Key   string          `json:"key"` // in hexadecimal digits after 0x if it is not text
	Hash  string          `json:"hash"`
	Bytes int             `json:"bytes"`           // of the stored value
	Value json.RawMessage `json:"value,omitzero"`  // as the program's definition of the partition reads it; without one, text, CBOR or hexadecimal digits
	Error string          `json:"error,omitempty"` // why there is no value

	at runtime.Cursor
}

// Cursor is the place after the record, for runtime.After. A record that was decoded from JSON has
// none.
func (r Record) Cursor() runtime.Cursor { return r.at }

// Records calls fn for the entries of a partition that match, until it returns an error, which
// Records returns. An unknown name is a *NoPartitionError.
func Records(e *runtime.Engine, partition string, pat runtime.Pattern, fn func(Record) error, opts ...runtime.ReadOption) error {
	in := inside.Of(e)
	if err := in.Admit(context.Background(), "inspect.Records"); err != nil {
		return err
	}
	sp := inside.Span(pat, opts)
	left := sp.Limit
	var stop error
	err := visit(in, partition, sp, func(key string, h db.Hash) bool {
		if !pat.Match(key) {
			return true
		}
		stop = fn(record(in, partition, key, h))
		left--
		return stop == nil && left != 0
	})
	if err != nil {
		return err
	}
	return stop
}

func record(in *inside.Engine, partition, key string, h db.Hash) Record {
	at, _ := inside.CursorAfter(key).(runtime.Cursor)
	rec := Record{Key: showBytes([]byte(key)), Hash: h.String(), at: at}
	err := in.Store.View(h, func(kind mmapcas.Kind, payload []byte) (err error) {
		rec.Bytes = len(payload)
		rec.Value, err = showValue(partition, kind, payload)
		return err
	})
	if err != nil {
		rec.Error = err.Error()
	}
	return rec
}

// showValue renders a record as JSON.
func showValue(partition string, kind mmapcas.Kind, payload []byte) (json.RawMessage, error) {
	plain, ok, err := inside.Plain(kind, payload)
	if !ok {
		return json.Marshal(fmt.Sprintf("%d bytes of kind %d", len(payload), kind))
	}
	if err != nil {
		return nil, err
	}
	if v, known, err := inside.Decode(partition, kind, payload); err != nil {
		return nil, err
	} else if known {
		return showTyped(v)
	}
	if !utf8.Valid(plain) {
		if text, err := cbor.Diagnose(plain); err == nil {
			return json.Marshal(text)
		}
	}
	return json.Marshal(showBytes(plain))
}

// showTyped renders a value that the program knows. One that JSON has no form for, such as a map
// with keys of a struct type, is rendered as Go prints it.
func showTyped(v any) (json.RawMessage, error) {
	if b, ok := v.([]byte); ok {
		return json.Marshal(showBytes(b))
	}
	if out, err := json.Marshal(v); err == nil {
		return out, nil
	}
	return json.Marshal(fmt.Sprintf("%+v", v))
}

// showBytes returns bytes as text if they are that.
func showBytes(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return "0x" + hex.EncodeToString(b)
}
