// Command prog prints the versions of its packages.
package main

import (
	"fmt"

	"github.com/cytisus/cytisus/runtime/internal/code/testdata/prog/far"
	"github.com/cytisus/cytisus/runtime/internal/code/testdata/prog/near"
	"github.com/cytisus/cytisus/runtime/internal/code/testdata/prog/overbare"
)

func main() {
	fmt.Println("near", near.Version, "far", far.Version, "overbare", overbare.Version)
	_, _ = near.Answer(), overbare.Answer()
}
