package server

import (
	"context"
	"slices"

	"github.com/cytisus/cytisus/lsp/dispatch"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/inspect"
)

// MethodVerify and MethodRepair look after the store of the host while it is in use. They are
// for commands of the same user, like those of inspect.go.
const (
	MethodVerify = "cytisus/verify" // answered with a mmapcas.VerifyReport
	MethodRepair = "cytisus/repair" // answered with a inspect.RepairReport
)

// verify answers cytisus/verify.
func (s *session) verify(context.Context, *dispatch.Request) (dispatch.Outcome, error) {
	return dispatch.Later(func(ctx context.Context) (any, error) {
		rep, err := inspect.Verify(ctx, s.host.eng, nil)
		if err != nil {
			return nil, s.wireError(ctx, MethodVerify, err)
		}
		return plainJSON(flat(rep.Store))
	}), nil
}

// repair answers cytisus/repair.
func (s *session) repair(context.Context, *dispatch.Request) (dispatch.Outcome, error) {
	return dispatch.Later(func(ctx context.Context) (any, error) {
		rep, err := inspect.Repair(ctx, s.host.eng)
		if err != nil {
			return nil, s.wireError(ctx, MethodRepair, err)
		}
		rep.Repair.Found, rep.After = flat(rep.Repair.Found), flat(rep.After)
		return plainJSON(rep)
	}), nil
}

// flat puts errors of the system, which have no form in JSON, into the reasons.
func flat(rep mmapcas.VerifyReport) mmapcas.VerifyReport {
	rep.Damaged = slices.Clone(rep.Damaged)
	for i, d := range rep.Damaged {
		if d.Err != nil {
			plain := *d
			plain.Reason, plain.Err = d.Reason+": "+d.Err.Error(), nil
			rep.Damaged[i] = &plain
		}
	}
	return rep
}
