package mutants

import (
	"fmt"
	"os"
	"strings"
)

// Argued reads the mistakes that survive for a reason that somebody has written down: one a line,
// the name (see Mutant.Name), " -- " and the reason. Lines that begin with # say something about
// those that follow.
func Argued(file string) (map[string]string, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	argued := map[string]string{}
	for i, line := range strings.Split(string(b), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, why, ok := strings.Cut(line, " -- ")
		if !ok || why == "" {
			return nil, fmt.Errorf("%s:%d: no reason is given", file, i+1)
		}
		if argued[name] != "" {
			return nil, fmt.Errorf("%s:%d: %s is argued twice", file, i+1, name)
		}
		argued[name] = why
	}
	return argued, nil
}
