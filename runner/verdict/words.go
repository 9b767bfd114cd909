package verdict

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// percent writes a fraction as a reader would: 0.4 is "40 %", 0.2588 "25.9 %",
// 0.0012 "0.12 %".
func percent(x float64) string { return number(100*x) + " %" }

// points writes a difference of shares: 0.03 is "3 pp".
func points(x float64) string { return number(100*x) + " pp" }

// number rounds to one decimal, or to two figures below 1, and drops zeros.
func number(x float64) string {
	decimals := 1
	if a := math.Abs(x); a > 0 && a < 1 {
		decimals = int(math.Ceil(-math.Log10(a))) + 1
	}
	s := strconv.FormatFloat(x, 'f', min(decimals, 12), 64)
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// shown writes a share that was seen, with enough decimals that it does not
// read as the edge it lies beyond: 0.23004 above 0.23 is "23.004 %".
func shown(x, edge float64) string {
	for decimals := 1; decimals < 9; decimals++ {
		s := strconv.FormatFloat(100*x, 'f', decimals, 64)
		if back, _ := strconv.ParseFloat(s, 64); (x > edge) == (back > 100*edge+1e-9) && (x < edge) == (back < 100*edge-1e-9) {
			return s + " %"
		}
	}
	return percent(x)
}

// Known says an interval of a share in words: "36.5 % to 44.8 %, with 99 %",
// "below 0.3 %, with 99 %" where nothing came, "above 99.6 %, with 99 %" where
// nothing else came. Its ends are rounded outwards.
func Known(low, high, confidence float64) string {
	with := ", with " + percent(confidence)
	switch {
	case low <= 0 && high >= 1:
		return "nothing is known"
	case low <= 0:
		return "below " + outwards(high, true) + with
	case high >= 1:
		return "above " + outwards(low, false) + with
	}
	return outwards(low, false) + " to " + outwards(high, true) + with
}

// outwards writes a bound, rounded up or down, with one decimal in per cent or
// with two figures near an end of the scale.
func outwards(x float64, up bool) string {
	unit := 10.
	for near := 100 * math.Min(x, 1-x); near > 0 && near*unit < 10 && unit < 1e12; {
		unit *= 10
	}
	// The last digits of a fraction are noise: 0.003 is not above 0.3 %.
	scaled := math.Floor(100*x*unit*(1+1e-12)) / unit
	if up {
		scaled = math.Ceil(100*x*unit*(1-1e-12)) / unit
	}
	return strconv.FormatFloat(scaled, 'f', -1, 64) + " %"
}

// listed joins names: "green", "green and canary", "9 outcomes".
func listed(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%d outcomes", len(names))
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// grouped writes a count with commas: 4120 is "4,120".
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}
