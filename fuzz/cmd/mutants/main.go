// Command mutants plants mistakes in a package, one at a time, runs the package's tests against
// each and lists those that no test finds. It fails if one of these is not argued. See package
// fuzz/mutants for what is planted and how it is judged.
//
//	go run ./fuzz/cmd/mutants -pkg ./queue [-func TEXT] [-max N] [-run REGEXP] [-tags TAGS]
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/cytisus/cytisus/fuzz/mutants"
)

var (
	pkg      = flag.String("pkg", "", "directory of the package")
	function = flag.String("func", "", "only in places that match this regular expression: FILE FUNCTION, with the receiver, as in lane.go (*laneQueue).pop")
	most     = flag.Int("max", 0, "at most this many, chosen by -seed; 0: all")
	seed     = flag.Uint64("seed", 1, "of the choice")
	run      = flag.String("run", "", "only these tests, as for go test")
	tags     = flag.String("tags", "", "build tags, as check")
	atOnce   = flag.Int("p", 2, "so many at a time")
	argued   = flag.String("argued", "fuzz/mutants/argued.txt", "those that survive for a reason")
	all      = flag.Bool("v", false, "report what is found, too")
)

func main() {
	flag.Parse()
	if err := plantAll(); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func plantAll() error {
	only, err := regexp.Compile(*function)
	if err != nil {
		return err
	}
	known, err := mutants.Argued(*argued)
	if err != nil {
		return err
	}
	start := time.Now()
	s, err := mutants.Open(*pkg, *run, *tags)
	if err != nil {
		return err
	}
	defer s.Close()
	ms, err := s.Plan()
	if err != nil {
		return err
	}
	ms = slices.DeleteFunc(ms, func(m mutants.Mutant) bool { return !only.MatchString(m.File + " " + m.Func) })
	if *most > 0 && len(ms) > *most {
		rnd := rand.New(rand.NewPCG(*seed, 0))
		rnd.Shuffle(len(ms), func(i, j int) { ms[i], ms[j] = ms[j], ms[i] })
		ms = ms[:*most]
	}
	fmt.Printf("%s: %d edits; the tests took %v without one\n", s.Dir, len(ms), time.Since(start).Round(time.Second))
	count := map[mutants.Verdict]int{}
	excused, open := 0, 0
	err = s.Each(ms, *atOnce, func(m mutants.Mutant, v mutants.Verdict) {
		count[v]++
		switch {
		case v != mutants.Survived && v != mutants.Unreached:
			if *all {
				fmt.Printf("%v: %v\n", v, m)
			}
		case known[m.Name()] != "":
			excused++
		default:
			open++
			fmt.Printf("%v: %v\n", v, m)
		}
	})
	if err != nil {
		return err
	}
	planted := len(ms) - count[mutants.Unbuilt]
	fmt.Printf("%s: %d mistakes planted (%d edits do not compile), %d found by a test that failed, %d by one that did not end, %d not found, %d of these argued\n",
		s.Dir, planted, count[mutants.Unbuilt], count[mutants.Found], count[mutants.Late], excused+open, excused)
	if open > 0 {
		return fmt.Errorf("%d mistakes were not found, and nobody says why: write a test, or a line of %s", open, *argued)
	}
	return nil
}
