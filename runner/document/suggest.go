package document

import (
	"strings"
	"unicode/utf8"
)

// DidYouMean returns "did you mean blue?" when one of the known words is so near
// to the given one that it was probably meant, and "" when none is. Near is a
// spelling that differs in letter case, dashes or underscores only, or by a few
// slips of the fingers: one in a word of up to four letters, two up to nine,
// three beyond.
func DidYouMean(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// maxListed is how many words OneOf lists; more of them help nobody.
const maxListed = 12

// OneOf is DidYouMean that, when nothing is near, lists what there is:
// "known are blue, canary and green". It returns "" when there is nothing to list
// or too much.
func OneOf(word string, known []string) string {
	if hint := DidYouMean(word, known); hint != "" {
		return hint
	}
	switch n := len(known); {
	case n == 0 || n > maxListed:
		return ""
	case n == 1:
		return "known is " + known[0]
	default:
		return "known are " + And(known)
	}
}

// And joins words as one speaks: "blue, green and canary".
func And(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// nearest returns the known word at the smallest distance, the first of equals.
func nearest(word string, known []string) string {
	best, bestDistance, squashed := "", slips(word)+1, squash(word)
	for _, k := range known {
		if k == "" || k == word {
			continue
		}
		if squash(k) == squashed {
			return k
		}
		if d := distance(word, k, bestDistance); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// slips is how many slips of the fingers are still a misspelling of a word.
func slips(word string) int {
	switch n := utf8.RuneCountInString(word); {
	case n <= 1:
		return 0
	case n <= 4:
		return 1
	case n <= 9:
		return 2
	default:
		return 3
	}
}

var separators = strings.NewReplacer("-", "", "_", "", " ", "")

// squash removes what people mix up when they remember a word but not its spelling.
func squash(word string) string {
	return separators.Replace(strings.ToLower(word))
}

// distance is the number of letters to insert, delete, replace or swap with their
// neighbour to make b of a: the restricted Damerau-Levenshtein distance ("optimal
// string alignment"). It is computed only as far as it is below limit.
func distance(a, b string, limit int) int {
	s, t := []rune(a), []rune(b)
	if diff := len(s) - len(t); diff >= limit || -diff >= limit {
		return limit
	}
	// Three rows of the usual table: the one being filled and the two before it.
	before, last, row := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		row[0] = i
		for j := 1; j <= len(t); j++ {
			replace := last[j-1]
			if s[i-1] != t[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(t)]
}
