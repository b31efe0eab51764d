//go:build !check

package epoch

// Without the check tag the checks are empty and cost nothing.

type (
	checkDomain struct{}
	checkSlot   struct{}
	checkGuard  struct{}
)

func (*checkDomain) retired(uint64) {}
func (*checkDomain) freed(uint64)   {}

func (*checkSlot) pinned(int) checkGuard { return checkGuard{} }
func (*checkSlot) unpinned(checkGuard)   {}
func (*checkSlot) label() string         { return "guard" }

func (g Guard) mustHold() {}
