//go:build check

package epoch

import (
	"strings"
	"testing"
)

func TestUseAfterUnpin(t *testing.T) {
	d := NewDomain()
	g := d.Pin()
	g.MustHold()
	g.Unpin()
	mustPanic(t, "use after unpin", g.MustHold)
	mustPanic(t, "unpinned twice", g.Unpin)
	mustPanic(t, "use after unpin", Guard{}.MustHold)
}

func TestDoubleRetire(t *testing.T) {
	d := NewDomain()
	d.RetireKeyed(7, 1, func() {})
	mustPanic(t, "E1: object 0x7 retired twice", func() { d.RetireKeyed(7, 1, func() {}) })
	d.Collect()
	d.RetireKeyed(7, 1, func() {}) // freed in between: a new object of the same address
	d.Collect()
	mustPanic(t, "key 0", func() { d.RetireKeyed(0, 1, func() {}) })
}

func TestStalledGuardIsNamed(t *testing.T) {
	d := NewDomain()
	defer d.Pin().Unpin()
	advance(d, 2)
	s := d.Stalled(0)
	if len(s) != 1 || !strings.Contains(s[0].Label, "TestStalledGuardIsNamed") {
		t.Errorf("%+v", s)
	}
}
