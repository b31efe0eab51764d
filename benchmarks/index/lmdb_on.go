//go:build lmdb && cgo

package index

/*
#cgo LDFLAGS: -llmdb
#include <stdlib.h>
#include <string.h>
#include <lmdb.h>

static int cy_put(MDB_txn *txn, MDB_dbi dbi, void *k, size_t kn, void *v, size_t vn) {
	MDB_val key = {kn, k}, val = {vn, v};
	return mdb_put(txn, dbi, &key, &val, 0);
}

static int cy_get(MDB_txn *txn, MDB_dbi dbi, void *k, size_t kn, void *out, size_t on) {
	MDB_val key = {kn, k}, val;
	int rc = mdb_get(txn, dbi, &key, &val);
	if (rc == 0 && val.mv_size == on) memcpy(out, val.mv_data, on);
	return rc;
}

// Passes over [lo, hi) in one call from Go. Returns the number of keys, below zero on an error.
static long cy_scan(MDB_txn *txn, MDB_dbi dbi, void *lo, void *hi, size_t kn, long *sum) {
	MDB_cursor *c;
	if (mdb_cursor_open(txn, dbi, &c) != 0) return -1;
	MDB_val key = {kn, lo}, val;
	long n = 0;
	int rc = mdb_cursor_get(c, &key, &val, MDB_SET_RANGE);
	for (; rc == 0 && memcmp(key.mv_data, hi, kn) < 0; rc = mdb_cursor_get(c, &key, &val, MDB_NEXT)) {
		n++;
		*sum += ((unsigned char *)val.mv_data)[0] + ((unsigned char *)key.mv_data)[key.mv_size-1];
	}
	mdb_cursor_close(c);
	return rc == 0 || rc == MDB_NOTFOUND ? n : -1;
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

// Lmdb does not sync. A snapshot is a read transaction; a get and a scan cost one call of C each,
// about 40 ns.
type lmdb struct {
	env *C.MDB_env
	dbi C.MDB_dbi
}

func openLMDB(_ context.Context, dir string, d *data) (contender, error) {
	c := &lmdb{}
	if err := lmdbError("create", C.mdb_env_create(&c.env)); err != nil {
		return nil, err
	}
	path := C.CString(dir)
	defer C.free(unsafe.Pointer(path))
	goruntime.LockOSThread() // as in commit
	defer goruntime.UnlockOSThread()
	var txn *C.MDB_txn
	err := errors.Join(
		lmdbError("map size", C.mdb_env_set_mapsize(c.env, C.size_t(len(d.entries)*1024+256<<20))),
		lmdbError("open", C.mdb_env_open(c.env, path, C.MDB_NOTLS|C.MDB_NOSYNC, 0o600)))
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

func (c *lmdb) commit(edits []entry) error {
	goruntime.LockOSThread() // a write transaction belongs to the thread that began it
	defer goruntime.UnlockOSThread()
	var txn *C.MDB_txn
	if err := lmdbError("begin", C.mdb_txn_begin(c.env, nil, 0, &txn)); err != nil {
		return err
	}
	for i := range edits {
		e := &edits[i]
		rc := C.cy_put(txn, c.dbi, unsafe.Pointer(&e.key[0]), C.size_t(len(e.key)), unsafe.Pointer(&e.name[0]), C.size_t(len(e.name)))
		if err := lmdbError("put", rc); err != nil {
			C.mdb_txn_abort(txn)
			return err
		}
	}
	return lmdbError("commit", C.mdb_txn_commit(txn))
}

func (c *lmdb) snapshot() (snapshot, error) {
	s := &lmdbSnapshot{dbi: c.dbi}
	return s, lmdbError("begin", C.mdb_txn_begin(c.env, nil, C.MDB_RDONLY, &s.txn))
}

func (c *lmdb) close() error {
	C.mdb_env_close(c.env)
	return nil
}

type lmdbSnapshot struct {
	txn *C.MDB_txn
	dbi C.MDB_dbi
}

func (s *lmdbSnapshot) get(e *entry) (n name, ok bool) {
	rc := C.cy_get(s.txn, s.dbi, unsafe.Pointer(&e.key[0]), C.size_t(len(e.key)), unsafe.Pointer(&n[0]), C.size_t(len(n)))
	return n, rc == 0
}

func (s *lmdbSnapshot) scan(lo, hi *entry) (count, sum int) {
	var total C.long
	n := C.cy_scan(s.txn, s.dbi, unsafe.Pointer(&lo.key[0]), unsafe.Pointer(&hi.key[0]), C.size_t(len(lo.key)), &total)
	return int(n), int(total)
}

func (s *lmdbSnapshot) release() error {
	C.mdb_txn_abort(s.txn)
	return nil
}

func lmdbError(doing string, rc C.int) error {
	if rc == 0 {
		return nil
	}
	return fmt.Errorf("index: lmdb: %s: %s", doing, C.GoString(C.mdb_strerror(rc)))
}
