package complete

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Usage is how often names stand near a place.
type usage struct {
	names  map[string]float64
	pairs  map[string]float64 // of a name, a dot and a name
	next   map[string]float64 // of the token before the place and a name
	chance float64            // how much use says nothing, as any name of so short a text may have it
}

// Bounds of usage.chance. In a short text a name that stands a few times is no habit, and whoever
// reads a list of its few names looks for the name.
const (
	chanceMost  = 24.0 // in texts that are almost empty
	chanceWords = 350  // from so many words on there is no chance

	chanceOfPair = 2 // by how much less there is for a name behind a certain other one
)

// usageAround counts the names of a text, those near a place for more. What is inside of the word
// at the place counts for nothing.
func usageAround(text []byte, start, end int, before string) *usage {
	const window = 24 << 10
	u := &usage{names: map[string]float64{}, pairs: map[string]float64{}, next: map[string]float64{}}
	from, to := max(0, start-window), min(len(text), end+window/3)
	last, lastEnd, count := "", -1, 0
	for i := from; i < to; {
		c := text[i]
		if !isWordByte(c) {
			if c == '/' && i+1 < to && text[i+1] == '/' {
				for i < to && text[i] != '\n' {
					i++
				}
				continue
			}
			i++
			continue
		}
		j := i
		for j < to && isWordByte(text[j]) {
			j++
		}
		word := string(text[i:j])
		count++
		if (j <= start || i >= end) && (c < '0' || c > '9') {
			distance := float64(start - i)
			weight := 1.0
			if i >= end {
				distance, weight = float64(i-end), 0.6
			}
			weight /= 1 + distance/1500
			u.names[word] += weight
			if lastEnd >= 0 && lastEnd+1 == i && text[lastEnd] == '.' {
				u.pairs[last+"."+word] += weight
			}
			if before != "" && i > len(before) && strings.HasSuffix(strings.TrimRight(string(text[max(0, i-len(before)-2):i]), " \t"), before) {
				u.next[word] += weight
			}
		}
		last, lastEnd = word, j
		i = j
	}
	u.chance = chanceMost * max(0, 1-float64(count)/chanceWords)
	return u
}

func isWordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf
}

// boost is what use is worth, from 1 up.
func boost(used float64) float64 { return 1 + 0.9*math.Log2(1+2*used) }

// words are the words of a name in camel case, folded.
func words(name string) (list []string) {
	start := 0
	runes := []rune(name)
	for i := 1; i <= len(runes); i++ {
		if i == len(runes) || runes[i] == '_' || unicode.IsUpper(runes[i]) && !unicode.IsUpper(runes[i-1]) {
			list = append(list, strings.ToLower(string(runes[start:i])))
			start = i
		}
	}
	return list
}
