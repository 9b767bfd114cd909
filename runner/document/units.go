package document

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Percent is a fraction between 0 and 1, written as a percentage: "40%", "0.5 %".
// A bare number is a mistake: 1 could be everything or the hundredth part.
type Percent float64

// Points is a difference of two percentages as a fraction, written in percentage
// points: "3pp" is 0.03.
type Points float64

// Duration is a length of time, written with its unit: "30s", "1m", "1m30s", "250ms".
type Duration time.Duration

// Rate is a number of times a second, written "200/s".
type Rate float64

var decimal = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$|^\.[0-9]+$`)

// String gives the percentage as it is written in files.
func (p Percent) String() string { return number(float64(p)*100) + "%" }

// String gives the points as they are written in files.
func (p Points) String() string { return number(float64(p)*100) + "pp" }

// String gives the duration as it is written in files.
func (d Duration) String() string { return time.Duration(d).String() }

// String gives the rate as it is written in files.
func (r Rate) String() string { return number(float64(r)) + "/s" }

// number prints without the digits that only the computer's arithmetic has.
func number(f float64) string {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 12, 64), 64)
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// DecodeValue reads "40%".
func (p *Percent) DecodeValue(v Value) Mistakes {
	f, ms := unit(v, "%", "a percentage such as 40%")
	if ms == nil && f > 100 {
		return Mistakes{v.Mistake("want a percentage of at most 100%%, got %s", shorten(v.Text()))}
	}
	*p = Percent(f / 100)
	return ms
}

// DecodeValue reads "3pp".
func (p *Points) DecodeValue(v Value) Mistakes {
	f, ms := unit(v, "pp", "percentage points such as 3pp")
	if ms == nil && f > 100 {
		return Mistakes{v.Mistake("want at most 100pp, got %s", shorten(v.Text()))}
	}
	*p = Points(f / 100)
	return ms
}

// DecodeValue reads "200/s". A rate is above 0.
func (r *Rate) DecodeValue(v Value) Mistakes {
	f, ms := unit(v, "/s", "a rate such as 200/s")
	if ms == nil && f == 0 {
		return Mistakes{v.Mistake("want a rate above 0/s, got %s", shorten(v.Text()))}
	}
	*r = Rate(f)
	return ms
}

// DecodeValue reads "30s". A duration is not negative.
func (d *Duration) DecodeValue(v Value) Mistakes {
	const what = "a duration such as 30s or 1m"
	text := v.Text()
	parsed, err := time.ParseDuration(text)
	// ParseDuration takes a bare 0, which has no unit either.
	if v.Kind() == Scalar && meaningOf(v.node) == isText && err == nil && text != "0" {
		if parsed < 0 {
			return Mistakes{v.Mistake("want a duration that is not negative, got %s", shorten(text))}
		}
		*d = Duration(parsed)
		return nil
	}
	m := v.want(what)
	if decimal.MatchString(text) {
		m = m.WithHint("did you mean " + shorten(text) + "s?")
	}
	return Mistakes{m}
}

// unit reads a number that is followed by its unit, with or without a space between.
func unit(v Value, sign, what string) (float64, Mistakes) {
	if f, ok := withUnit(v.Text(), sign); ok && v.Kind() == Scalar {
		return f, nil
	}
	return 0, Mistakes{v.want(what).WithHint(unitMeant(v.Text(), sign))}
}

// withUnit reads the text of such a number.
func withUnit(text, sign string) (float64, bool) {
	digits, ok := strings.CutSuffix(text, sign)
	digits = strings.TrimRight(digits, " ")
	f, err := strconv.ParseFloat(digits, 64)
	return f, ok && err == nil && decimal.MatchString(digits)
}

// unitMeant is the hint for a number whose unit is missing or another one.
func unitMeant(text, sign string) string {
	digits := strings.TrimSpace(strings.TrimRight(text, "%p/s "))
	if !decimal.MatchString(digits) {
		return ""
	}
	return "did you mean " + meant(shorten(digits), sign) + "?"
}

// meant is what a number without its unit may have meant: 0.4 may be a fraction, too.
func meant(digits, sign string) string {
	if f, err := strconv.ParseFloat(digits, 64); err == nil && sign == "%" && f > 0 && f <= 1 {
		return Percent(f).String() + " or " + digits + sign
	}
	return digits + sign
}
