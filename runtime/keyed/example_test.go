package keyed_test

import (
	"context"
	"fmt"
	"log"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/keyed"
)

// Settings of services; the fields of a key order it, and the first ones name a part of the
// partition.
type settingKey struct {
	Service string
	Port    uint16
}

var settings = keyed.NewPartition[settingKey, string]("settings")

func ExamplePartition() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	err = eng.Commit(ctx, func(w *runtime.Writer) error {
		for k, v := range map[settingKey]string{{"web", 443}: "tls", {"web", 80}: "plain", {"webhook", 1}: "off"} {
			if err := settings.Put(w, k, v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	s := eng.Snapshot()
	defer s.Release()
	web, err := settings.Under(settingKey{Service: "web"}, 1) // not webhook
	if err != nil {
		log.Fatal(err)
	}
	err = settings.Scan(s, web, func(k settingKey, v string) error {
		fmt.Println(k.Port, v)
		return nil
	}, runtime.Backward())
	if err != nil {
		log.Fatal(err)
	}
	privileged, err := settings.Range(settingKey{Service: "web"}, settingKey{Service: "web", Port: 100})
	if err != nil {
		log.Fatal(err)
	}
	keys, err := settings.Keys(s, privileged)
	if err != nil {
		log.Fatal(err)
	}
	stored, err := settings.Encode(keys[0]) // for what takes keys as they are stored
	if err != nil {
		log.Fatal(err)
	}
	if there, err := settings.Untyped().Has(s, stored); err != nil || !there {
		log.Fatal(err)
	}
	plain, err := settings.Get(s, keys[0])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(keys, plain)
	// Output:
	// 443 tls
	// 80 plain
	// [{web 80}] plain
}

func ExampleCovering() {
	ctx := context.Background()
	eng, err := runtime.Open("", runtime.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close(ctx)
	type symbol struct{ File, Name string }
	type shown struct {
		Kind string
		Line uint32
	}
	symbols := keyed.NewCovering[symbol, shown, string]("symbols")
	err = eng.Commit(ctx, func(w *runtime.Writer) error {
		if err := symbols.ClearUnder(w, symbol{File: "a.go"}, 1); err != nil {
			return err
		}
		if err := symbols.Put(w, symbol{"a.go", "Open"}, shown{"func", 12}, "func Open(name string) (*File, error)"); err != nil {
			return err
		}
		return symbols.Put(w, symbol{"a.go", "File"}, shown{"type", 3}, "type File struct{ … }")
	})
	if err != nil {
		log.Fatal(err)
	}
	s := eng.Snapshot()
	defer s.Release()
	of, err := symbols.Under(symbol{File: "a.go"}, 1)
	if err != nil {
		log.Fatal(err)
	}
	err = symbols.Each(s, of, func(k symbol, e shown) error { // reads no value
		fmt.Println(e.Line, e.Kind, k.Name)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	keys, err := symbols.Untyped().Keys(s, of, runtime.Limit(1))
	if err != nil {
		log.Fatal(err)
	}
	first, _, err := symbols.Decode(keys[0])
	if err != nil {
		log.Fatal(err)
	}
	if err := eng.Commit(ctx, func(w *runtime.Writer) error { return symbols.Delete(w, first) }); err != nil {
		log.Fatal(err)
	}
	_, text, err := symbols.Get(s, symbol{"a.go", "Open"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
	// Output:
	// 3 type File
	// 12 func Open
	// func Open(name string) (*File, error)
}
