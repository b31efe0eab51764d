package mmapcas_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/cytisus/cytisus/mmapcas"
)

func Example() {
	tmp, err := os.MkdirTemp("", "mmapcas")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	dir := filepath.Join(tmp, "store")

	s, err := mmapcas.Open(dir, mmapcas.Options{Sync: mmapcas.SyncGroup})
	if err != nil {
		log.Fatal(err)
	}
	const text mmapcas.Kind = 1
	h, fresh, err := s.Put(text, []byte("hello"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(h, fresh)
	_, fresh, err = s.Put(text, []byte("hello"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("again:", fresh)
	if err := s.Commit([]byte("root is " + h.String())); err != nil {
		log.Fatal(err)
	}
	if err := s.Close(); err != nil {
		log.Fatal(err)
	}

	s, err = mmapcas.Open(dir, mmapcas.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", s.Note())
	err = s.View(h, func(kind mmapcas.Kind, payload []byte) error {
		fmt.Printf("kind %d: %s\n", kind, payload)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	_, _, err = s.Get(mmapcas.HashOf(text, []byte("absent")), nil)
	fmt.Println(errors.Is(err, mmapcas.ErrNotFound))
	if err := s.Close(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// cb36cd20b77e3ada257ec5405e7c4c4f true
	// again: false
	// root is cb36cd20b77e3ada257ec5405e7c4c4f
	// kind 1: hello
	// true
}
