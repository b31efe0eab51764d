package tape

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A tape that is played gives what was recorded, and then ends.
func TestPlay(t *testing.T) {
	r := Record(rand.NewPCG(1, 2))
	rng, plain := rand.New(r), rand.New(rand.NewPCG(1, 2))
	var first []int
	for range 100 {
		n := rng.IntN(1000)
		if want := plain.IntN(1000); n != want || r.Over() {
			t.Fatalf("%d, and %d without a tape", n, want)
		}
		first = append(first, n)
	}
	numbers, err := Parse(Text(r.Numbers()))
	if err != nil || !slices.Equal(numbers, r.Numbers()) {
		t.Fatalf("%v as text is %v, %v", r.Numbers(), numbers, err)
	}
	p := Play(numbers)
	rng = rand.New(p)
	for i, want := range first {
		if n := rng.IntN(1000); n != want {
			t.Errorf("choice %d is %d, and was %d", i, n, want)
		}
	}
	if !p.Over() || rng.IntN(7) >= 7 || !slices.Equal(p.Numbers(), numbers) {
		t.Error("a tape that was played to its end is not over, or got longer")
	}
	if _, err := Parse("1,,2"); err == nil {
		t.Error("no number is one")
	}
}

// What is needed stays, in its order, and all else goes.
func TestShorter(t *testing.T) {
	numbers := make([]uint64, 500)
	for i := range numbers {
		numbers[i] = uint64(i)
	}
	tries := 0
	got := Shorter(numbers, 10_000, func(less []uint64) bool {
		tries++
		return slices.Contains(less, 17) && slices.Contains(less, 200) && slices.Contains(less, 499)
	})
	if !slices.Equal(got, []uint64{17, 200, 499}) {
		t.Errorf("%v after %d tries", got, tries)
	}
	if len(numbers) != 500 || numbers[1] != 1 {
		t.Error("the numbers themselves were changed")
	}
	tries = 0
	if got = Shorter(numbers, 5, func([]uint64) bool { tries++; return false }); tries > 5 || len(got) != 500 {
		t.Errorf("%d tries of 5, %d numbers", tries, len(got))
	}
}
