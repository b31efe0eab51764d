package lane

import (
	"slices"
	"testing"
)

func TestOrder(t *testing.T) {
	// The order is a promise of the package comment: new lanes do not slip in between.
	want := []Lane{
		SyncHydration, Sync, InputHydration, Input, RPC0, RPC1, RPC2, RPC3, DefaultHydration, Default,
		Transition0, Transition1, Transition2, Transition3, Transition4, Transition5, Transition6, Transition7,
		Transition8, Transition9, Transition10, Transition11, Transition12, Transition13,
		Retry0, Retry1, Retry2, Retry3, IdleHydration, Idle, Speculative,
	}
	if got := slices.Collect(All.Lanes()); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(want) != Count || All.Len() != Count {
		t.Errorf("%d lanes, want %d", len(want), Count)
	}
	for i, l := range want {
		if !l.Valid() || l.Index() != i || FromIndex(i) != l {
			t.Errorf("%v: valid %v, index %d, want %d", l, l.Valid(), l.Index(), i)
		}
		if back, err := Parse(l.String()); err != nil || back != l {
			t.Errorf("Parse(%q) = %v, %v", l, back, err)
		}
		if i > 0 && (!want[i-1].Above(l) || l.Above(want[i-1])) {
			t.Errorf("%v is not above %v", want[i-1], l)
		}
	}
}

// Every bit and none: only bits 0 to 30 alone are lanes.
func TestValid(t *testing.T) {
	if Lane(0).Valid() || Lane(0).Index() != -1 {
		t.Error("the zero lane must be none")
	}
	for bit := range 32 {
		l := Lane(1) << bit
		if l.Valid() != (bit < Count) {
			t.Errorf("bit %d: Valid = %v", bit, l.Valid())
		}
		for other := range 32 {
			if both := l | Lane(1)<<other; bit != other && (both.Valid() || both.Index() != -1) {
				t.Errorf("bits %d and %d together pass as a lane", bit, other)
			}
		}
	}
	for _, i := range []int{-1, Count, 31, 32, 1 << 20} {
		if FromIndex(i) != 0 {
			t.Errorf("FromIndex(%d) = %v", i, FromIndex(i))
		}
	}
	if _, err := Parse("urgent"); err == nil {
		t.Error("Parse accepts anything")
	}
	if s := Lane(1 << 31).String(); s != "lane(0x80000000)" {
		t.Error(s)
	}
}

func TestGroups(t *testing.T) {
	groups := []Mask{Syncs, Inputs, RPC0to3, Defaults, AllTransitions, AllRetries, Idles, Speculative.Mask()}
	var all Mask
	for _, g := range groups {
		if all&g != 0 {
			t.Errorf("group %v overlaps", g)
		}
		if all != 0 && !all.Lowest().Above(g.Highest()) {
			t.Errorf("group %v is out of order", g)
		}
		all |= g
	}
	if all != All {
		t.Errorf("no group: %v", All&^all)
	}
	if AllTransitions.Len() != Transitions || RPC0to3.Len() != RPCs || AllRetries.Len() != Retries {
		t.Error("group sizes")
	}
}

func TestByNumber(t *testing.T) {
	for _, c := range []struct{ got, want Lane }{
		{RPC(-1), RPC0},
		{RPC(0), RPC0},
		{RPC(3), RPC3},
		{RPC(4), RPC3},
		{Transition(0), Transition0},
		{Transition(13), Transition13},
		{Transition(99), Transition13},
		{Retry(2), Retry2},
		{Retry(9), Retry3},
		{Sync.Hydration(), SyncHydration},
		{Input.Hydration(), InputHydration},
		{Default.Hydration(), DefaultHydration},
		{Idle.Hydration(), IdleHydration},
		{RPC2.Hydration(), RPC2},
		{SyncHydration.Hydration(), SyncHydration},
		{Mask(0).Highest(), 0},
		{Mask(0).Lowest(), 0},
		{All.Highest(), SyncHydration},
		{All.Lowest(), Speculative},
		{MaskOf(Idle, Sync).Highest(), Sync},
		{MaskOf(Idle, Sync).Lowest(), Idle},
	} {
		if c.got != c.want {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
	if !RPC1.IsRPC() || Sync.IsRPC() || (RPC1 | RPC2).IsRPC() || !All.Has(Idle) || Syncs.Has(Idle) {
		t.Error("membership")
	}
	if s := (MaskOf(Idle, Sync) | 1<<31).String(); s != "{sync idle 0x80000000}" {
		t.Error(s)
	}
}
