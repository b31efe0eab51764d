package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cytisus/cytisus/lsp/server"
	"github.com/cytisus/cytisus/mmapcas"
	"github.com/cytisus/cytisus/runtime/inspect"
)

func (a *app) repairCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "repair [DIR]",
		Short: "Take what is damaged out of the store and say what it was",
		Long: `repair reads every record of the store around DIR (default: the current directory), drops what is damaged, copies what is whole
out of the files with damage, and removes these. What was lost is computed again by index, or by whoever asks for it next; it was
derived from your files, which repair does not touch. It exits with 0 if nothing was damaged or the store is whole again.

A store that cannot be opened at all cannot be repaired: delete its directory, which costs time only.`,
		Args: atMostOne("a directory"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			_, dir, err := a.storeOf(dirArg(args))
			if err != nil {
				return err
			}
			if dir == "" {
				return &usageError{errors.New("repair needs a store: --memory keeps none")}
			}
			st, r, err := a.openRecords(cmd.Context(), dir, "repair", mmapcas.Options{MustExist: true})
			if errors.Is(err, mmapcas.ErrCorrupt) {
				return fmt.Errorf("%w\nThe store is beyond repair. Delete %s and run cytisus index: everything in it can be computed again", err, dir)
			}
			if err != nil {
				return err
			}
			var all inspect.RepairReport
			if r != nil {
				defer func() { err = errors.Join(err, r.close()) }()
				err = r.callPlain(cmd.Context(), server.MethodRepair, nil, &all)
			} else {
				defer func() { err = errors.Join(err, st.Close()) }()
				if all.Repair, err = st.Repair(cmd.Context(), nil); err == nil {
					all.After, err = st.Verify(cmd.Context(), nil)
				}
			}
			if err != nil {
				return fmt.Errorf("repairing %s: %w", dir, err)
			}
			rep, after := all.Repair, all.After
			if a.flags.json {
				err := a.printJSON(struct {
					Store  string               `json:"store"`
					Repair mmapcas.RepairReport `json:"repair"`
					After  mmapcas.VerifyReport `json:"after"`
				}{dir, rep, after})
				if err != nil {
					return err
				}
			} else {
				a.printRepair(dir, rep)
			}
			if !after.OK() {
				if !a.flags.json {
					fmt.Fprintf(a.out, "  %d places are damaged now: the disk may be failing\n", after.DamagedAll+after.Dangling)
				}
				return errBadNews
			}
			return nil
		},
	}
}

// printRepair prints what a repair found and did.
func (a *app) printRepair(dir string, rep mmapcas.RepairReport) {
	fmt.Fprintf(a.out, "%s\n  %s records, %s read back and checked\n", dir, grouped(rep.Found.Records), bytesText(rep.Found.Bytes))
	if rep.Found.OK() {
		fmt.Fprintln(a.out, "  nothing is damaged")
		return
	}
	for _, d := range rep.Found.Damaged {
		fmt.Fprintf(a.out, "  damage: %v\n", d)
	}
	if more := rep.Found.DamagedAll - int64(len(rep.Found.Damaged)); more > 0 {
		fmt.Fprintf(a.out, "  and %d more damaged places\n", more)
	}
	for _, l := range rep.Lost {
		fmt.Fprintf(a.out, "  dropped: record %s of kind %d\n", l.Hash, l.Kind)
	}
	if more := rep.LostAll - int64(len(rep.Lost)); more > 0 {
		fmt.Fprintf(a.out, "  and %d more records\n", more)
	}
	if rep.Found.Dangling > 0 {
		fmt.Fprintf(a.out, "  dropped: %d entries of the index that lead to no record\n", rep.Found.Dangling)
	}
	fmt.Fprintf(a.out, "  %d files written anew, with the %s records in them that are whole\n", rep.Rewritten, grouped(rep.Kept))
	fmt.Fprintln(a.out, "  run cytisus index to compute again what is missing")
}
