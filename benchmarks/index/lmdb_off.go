//go:build !lmdb || !cgo

package index

import (
	"context"
	"errors"
)

const lmdbSkip = "needs cgo, liblmdb with its header (liblmdb-dev), and -tags lmdb"

func openLMDB(context.Context, string, *data) (contender, error) {
	return nil, errors.New("index: built without LMDB: " + lmdbSkip)
}
