package lsptest

import (
	"fmt"
	"strings"
)

// changedLines shows what changes from one text to another: each run of changed lines under the
// name of the file and the number of its first line.
func changedLines(name, before, after string) string {
	a, b := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	top := 0
	for top < len(a) && top < len(b) && a[top] == b[top] {
		top++
	}
	end := 0
	for end < len(a)-top && end < len(b)-top && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	a, b = a[top:len(a)-end], b[top:len(b)-end]
	// common[i][j] is how many lines a[i:] and b[j:] have in common, in order.
	common := make([][]int32, len(a)+1)
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var out, removed, added strings.Builder
	first := 0
	flush := func() {
		if removed.Len()+added.Len() > 0 {
			fmt.Fprintf(&out, "%s:%d\n%s%s", name, first+1, removed.String(), added.String())
		}
		removed.Reset()
		added.Reset()
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		if i < len(a) && j < len(b) && a[i] == b[j] {
			flush()
			i, j = i+1, j+1
			continue
		}
		if removed.Len()+added.Len() == 0 {
			first = top + i
		}
		if j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1] {
			removed.WriteString(prefixed("- ", a[i]))
			i++
		} else {
			added.WriteString(prefixed("+ ", b[j]))
			j++
		}
	}
	flush()
	return strings.TrimSuffix(out.String(), "\n")
}

// prefixed is a line as an answer shows it: what a reader would not see is written out.
func prefixed(prefix, line string) string {
	if line == "" {
		return "" // behind the end of the last line
	}
	text, ended := strings.CutSuffix(line, "\n")
	text = strings.NewReplacer("\r", "<CR>", "\ufeff", "<BOM>").Replace(text)
	if rest := strings.TrimRight(text, " \t"); rest != text {
		text = rest + strings.NewReplacer(" ", "<SP>", "\t", "<TAB>").Replace(text[len(rest):])
	}
	if !ended {
		text += "<no newline>"
	}
	return prefix + text + "\n"
}
