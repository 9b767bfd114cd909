package verdict

import "fmt"

// Affordable says by formula, in microseconds, what a budget of so many answers
// cannot decide although the mesh is right, and what would do. It returns none
// for a claim that the budget decides, and for one that is not valid: that has
// its problems already.
func Affordable(c Claim, budget int64) []Problem {
	need := Estimate(c)
	if need <= budget {
		return nil
	}
	return []Problem{{"", fmt.Sprintf("%s requests cannot decide it: about %s are needed", grouped(budget), grouped(need)), "a wider tolerance takes fewer"}}
}
