package report

import (
	"math"
	"strconv"
	"strings"
)

// Percent writes a fraction as a reader would: 0.4 is "40 %", 0.405 "40.5 %",
// 0.0012 "0.12 %".
func Percent(x float64) string { return trimmed(100*x) + " %" }

// Points writes a difference of shares: 0.03 is "3 pp".
func Points(x float64) string { return trimmed(100*x) + " pp" }

// got writes a share that was seen, always with a decimal: "40.0 %"; one that
// is less than that shows is "< 0.1 %" and none at all "0 %".
func got(x float64) string {
	switch {
	case x == 0:
		return "0 %"
	case x == 1:
		return "100 %"
	case x < .001:
		return trimmed(100*x) + " %"
	case x > .9995: // would read as 100.0 %
		return strconv.FormatFloat(math.Floor(1e6*x)/1e4, 'f', -1, 64) + " %"
	}
	return strconv.FormatFloat(100*x, 'f', 1, 64) + " %"
}

// confidence writes a probability near 1 so that what is missing to 1 can be
// read: .99 is "99 %", .99986 "99.986 %" and not "100 %".
func confidence(x float64) string {
	missing := trimmed(100 * (1 - x))
	_, decimals, _ := strings.Cut(missing, ".")
	return strconv.FormatFloat(100*x, 'f', len(decimals), 64) + " %"
}

// trimmed rounds to one decimal, or to two figures below 1, and drops zeros.
func trimmed(x float64) string {
	decimals := 1
	if a := math.Abs(x); a > 0 && a < 1 {
		decimals = min(12, int(math.Ceil(-math.Log10(a)))+1)
	}
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// figures writes a number from 1 on with three figures at most.
func figures(x float64) string {
	switch {
	case x >= 99.95:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case x >= 9.995:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// Count writes a count with commas: 3120 is "3,120".
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Probability writes a probability with two figures: "0.01", "0.00033", "1.3e-07".
func Probability(p float64) string { return strconv.FormatFloat(p, 'g', 2, 64) }
