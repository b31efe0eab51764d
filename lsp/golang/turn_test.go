package golang

import (
	"testing"

	"github.com/cytisus/cytisus/runtime"
	"github.com/cytisus/cytisus/runtime/lane"
	"github.com/cytisus/cytisus/runtime/simtest"
)

// While an analyzer runs on the only worker, questions are answered, and nothing that is as urgent
// as the analyzer begins.
func TestAnalyzersGiveWay(t *testing.T) {
	answered := 0
	simtest.Run(t, 100, func(w *simtest.World) {
		w.Open(runtime.Options{Workers: 1})
		runs := false
		w.Go(laneOfRest, func(task *runtime.Task) (err error) {
			return turnOf(task)(func() {
				runs = true
				for range 8 {
					if _, err := task.Spawn(lane.RPC3, func(*runtime.Task) error {
						if runs {
							answered++
						}
						return nil
					}); err != nil {
						w.Error(err)
					}
				}
				runs = false
			})
		})
		for range 4 {
			w.Go(laneOfRest, func(*runtime.Task) error {
				if runs {
					w.Error("another task begins while an analyzer runs")
				}
				return nil
			})
		}
		w.Settle()
	})
	if answered == 0 {
		t.Error("no question was answered while an analyzer ran")
	}
}
