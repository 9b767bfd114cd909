package verdict

import (
	"fmt"
	"sort"
)

// NotListed is the name of the share that stands for all outcomes together
// that a claim does not name, where a leak of them is tolerated.
const NotListed = "not listed"

// NoCount is the text of the problem that a share has no count.
const NoCount = "has no count"

// With returns the claim with what is said once for all its shares: the
// tolerance is that of every share strictly between 0 and 1 that has none, the
// leak that of every share of 0 that has none. With a leak, outcomes that the
// claim does not name may leak too, all of them together as much as one that
// it does: they become the share NotListed. (Each on its own, and only those
// that were seen, would be a claim made up after looking.) Without one, the
// first of them fails.
func (c Claim) With(tolerance, leak float64) Claim {
	shares := make([]Share, 0, len(c.Shares)+1)
	for _, s := range c.Shares {
		if s.Want > 0 && s.Want < 1 && s.Tolerance == 0 {
			s.Tolerance = tolerance
		}
		if s.Want == 0 && s.Leak == 0 {
			s.Leak = leak
		}
		shares = append(shares, s)
	}
	if leak > 0 && c.Index(NotListed) == Unlisted {
		shares = append(shares, Share{Name: NotListed, Leak: leak})
	}
	c.Shares = shares
	return c
}

// Named puts counts by name into the order of the claim's shares. Outcomes that
// the claim does not name come back in unlisted, and are counted as Other, or
// in the share NotListed if there is one.
//
// A share without a count is a problem, and so is a negative count: an outcome
// that never came must be said to have come 0 times, or a slip of the pen would
// be judged as an outcome that is missing.
func (c Claim) Named(counts map[string]int64, errors int64) (sorted Counts, unlisted map[string]int64, problems []Problem) {
	sorted = Counts{Outcomes: make([]int64, len(c.Shares)), Errors: errors}
	if errors < 0 {
		problems = append(problems, Problem{Text: fmt.Sprintf("%d errors: a count cannot be negative", errors)})
	}
	for i, s := range c.Shares {
		n, ok := counts[s.Name]
		if !ok && s.Name != NotListed {
			problems = append(problems, Problem{Share: s.Name, Text: NoCount})
		}
		sorted.Outcomes[i] = n
	}
	rest := c.Index(NotListed)
	for _, name := range sortedNames(counts) {
		n := counts[name]
		if n < 0 {
			problems = append(problems, Problem{Share: name, Text: fmt.Sprintf("%d: a count cannot be negative", n)})
		}
		if c.Index(name) != Unlisted || n == 0 {
			continue
		}
		if unlisted == nil {
			unlisted = make(map[string]int64)
		}
		unlisted[name] = n
		if rest == Unlisted {
			sorted.Other += n
		} else {
			sorted.Outcomes[rest] += n
		}
	}
	return sorted, unlisted, problems
}

func sortedNames(counts map[string]int64) []string {
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
