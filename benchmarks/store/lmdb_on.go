//go:build lmdb && cgo

package store

/*
#cgo LDFLAGS: -llmdb
#include <stdlib.h>
#include <lmdb.h>

static int cy_put(MDB_txn *txn, MDB_dbi dbi, void *k, size_t kn, void *v, size_t vn) {
	MDB_val key = {kn, k}, val = {vn, v};
	return mdb_put(txn, dbi, &key, &val, 0);
}

// Renews a reset transaction, reads the ends of a value, and resets: one snapshot per get in one
// call from Go.
static int cy_get(MDB_txn *txn, MDB_dbi dbi, void *k, size_t kn) {
	MDB_val key = {kn, k}, val;
	if (mdb_txn_renew(txn) != 0) return -2;
	int sum = -1;
	if (mdb_get(txn, dbi, &key, &val) == 0) {
		unsigned char *p = val.mv_data;
		sum = p[0] + p[val.mv_size-1];
	}
	mdb_txn_reset(txn);
	return sum;
}
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"unsafe"
)

const lmdbSkip = ""

// Lmdb: one transaction per batch; each reader has one that it renews for every get. A get costs
// one call of C, about 40 ns.
type lmdb struct {
	env *C.MDB_env
	dbi C.MDB_dbi
}

func openLMDB(_ context.Context, dir string, n int, sync bool) (contender, error) {
	c := &lmdb{}
	if err := lmdbError("create", C.mdb_env_create(&c.env)); err != nil {
		return nil, err
	}
	flags := C.uint(C.MDB_NOTLS)
	if !sync {
		flags |= C.MDB_NOSYNC
	}
	goruntime.LockOSThread() // as in put
	defer goruntime.UnlockOSThread()
	path := C.CString(dir)
	defer C.free(unsafe.Pointer(path))
	var txn *C.MDB_txn
	err := errors.Join(
		lmdbError("map size", C.mdb_env_set_mapsize(c.env, C.size_t(n*valueBytes*8+64<<20))),
		lmdbError("open", C.mdb_env_open(c.env, path, flags, 0o600)))
	if err == nil {
		err = lmdbError("begin", C.mdb_txn_begin(c.env, nil, 0, &txn))
	}
	if err == nil {
		err = errors.Join(lmdbError("open", C.mdb_dbi_open(txn, nil, 0, &c.dbi)), lmdbError("commit", C.mdb_txn_commit(txn)))
	}
	if err != nil {
		C.mdb_env_close(c.env)
		return nil, err
	}
	return c, nil
}

func (c *lmdb) put(batch []record) error {
	goruntime.LockOSThread() // a write transaction belongs to the thread that began it
	defer goruntime.UnlockOSThread()
	var txn *C.MDB_txn
	if err := lmdbError("begin", C.mdb_txn_begin(c.env, nil, 0, &txn)); err != nil {
		return err
	}
	for i := range batch {
		k, v := batch[i].key[:], batch[i].value
		rc := C.cy_put(txn, c.dbi, unsafe.Pointer(&k[0]), C.size_t(len(k)), unsafe.Pointer(&v[0]), C.size_t(len(v)))
		if err := lmdbError("put", rc); err != nil {
			C.mdb_txn_abort(txn)
			return err
		}
	}
	return lmdbError("commit", C.mdb_txn_commit(txn))
}

func (c *lmdb) reader() (reader, error) {
	r := &lmdbReader{dbi: c.dbi}
	if err := lmdbError("begin", C.mdb_txn_begin(c.env, nil, C.MDB_RDONLY, &r.txn)); err != nil {
		return nil, err
	}
	C.mdb_txn_reset(r.txn)
	return r, nil
}

func (c *lmdb) settle() error { return lmdbError("sync", C.mdb_env_sync(c.env, 1)) }

func (c *lmdb) close() error {
	C.mdb_env_close(c.env)
	return nil
}

type lmdbReader struct {
	txn *C.MDB_txn
	dbi C.MDB_dbi
}

func (r *lmdbReader) get(k *key) (int, bool) {
	sum := C.cy_get(r.txn, r.dbi, unsafe.Pointer(&k[0]), C.size_t(len(k)))
	return int(sum), sum >= 0
}

func (r *lmdbReader) close() error {
	C.mdb_txn_abort(r.txn)
	return nil
}

func lmdbError(doing string, rc C.int) error {
	if rc == 0 {
		return nil
	}
	return fmt.Errorf("store: lmdb: %s: %s", doing, C.GoString(C.mdb_strerror(rc)))
}
