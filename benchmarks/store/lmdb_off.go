//go:build !lmdb || !cgo

package store

import (
	"context"
	"errors"
)

const lmdbSkip = "needs cgo, liblmdb with its header (liblmdb-dev), and -tags lmdb"

func openLMDB(context.Context, string, int, bool) (contender, error) {
	return nil, errors.New("store: built without LMDB: " + lmdbSkip)
}
