package db

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errRecord = errors.New("malformed record")

// A decoder takes a record apart. After the first mistake every call returns zero and err says what
// was wrong. It accepts the canonical form only.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", errRecord, fmt.Sprintf(format, args...))
		d.b = nil
	}
}

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.fail("%d bytes wanted, %d there", n, len(d.b))
		return nil
	}
	b := d.b[:n]
	d.b = d.b[n:]
	return b
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || n > 1 && d.b[n-1] == 0 { // cut off, too large, or not the shortest form
		d.fail("bad number")
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count returns the number of things that follow, of at least min bytes each.
func (d *decoder) count(min int) int {
	v := d.uvarint()
	if v > uint64(len(d.b)/min) {
		d.fail("%d things of %d bytes in %d bytes", v, min, len(d.b))
		return 0
	}
	return int(v)
}

func (d *decoder) hash() (h Hash) {
	copy(h[:], d.take(hashLen))
	return h
}

func (d *decoder) string(maxBytes int) string {
	n := d.count(1)
	if n > maxBytes {
		d.fail("string of %d bytes", n)
		return ""
	}
	return string(d.take(n))
}

func (d *decoder) part() PartID {
	v := d.uvarint()
	if v == 0 || v > partMax {
		d.fail("partition %d", v)
		return 0
	}
	return PartID(v)
}

// format returns the first byte, which must be a format up to newest.
func (d *decoder) format(newest byte) byte {
	f := d.byte()
	if f < formatV1 || f > newest {
		d.fail("format %d", f)
	}
	return f
}

// end checks that nothing is left and returns what went wrong, if anything.
func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		d.fail("%d bytes left over", len(d.b))
	}
	return d.err
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Keys in ascending order are front-coded: bytes shared with the key before, bytes that follow.

func appendKey(b []byte, before, key string) []byte {
	n := commonPrefix(before, key)
	b = binary.AppendUvarint(b, uint64(n))
	return appendString(b, key[n:])
}

func (d *decoder) key(before string, first bool) string {
	n := d.uvarint()
	rest := d.string(MaxKeyBytes)
	if d.err != nil {
		return ""
	}
	if n > uint64(len(before)) || int(n)+len(rest) > MaxKeyBytes {
		d.fail("key shares %d of %d bytes, then %d", n, len(before), len(rest))
		return ""
	}
	key := before[:n] + rest
	if !first && key <= before || commonPrefix(before, key) != int(n) {
		d.fail("key %q after %q", key, before)
		return ""
	}
	return key
}
