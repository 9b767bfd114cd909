package document

// What stands in a file can stand on a command line too. These read the same
// texts by the same rules; the error is a Mistake without a place.

// ParsePercent reads "40%".
func ParsePercent(text string) (Percent, error) {
	f, err := parseUnit(text, "%", "a percentage such as 40%")
	if err == nil && f > 100 {
		err = Mistake{Text: "want a percentage of at most 100%, got " + shorten(text)}
	}
	return Percent(f / 100), err
}

// ParsePoints reads "3pp".
func ParsePoints(text string) (Points, error) {
	f, err := parseUnit(text, "pp", "percentage points such as 3pp")
	if err == nil && f > 100 {
		err = Mistake{Text: "want at most 100pp, got " + shorten(text)}
	}
	return Points(f / 100), err
}

// ParseRate reads "200/s".
func ParseRate(text string) (Rate, error) {
	f, err := parseUnit(text, "/s", "a rate such as 200/s")
	if err == nil && f == 0 {
		err = Mistake{Text: "want a rate above 0/s, got " + shorten(text)}
	}
	return Rate(f), err
}

func parseUnit(text, sign, what string) (float64, error) {
	f, ok := withUnit(text, sign)
	if !ok {
		return 0, Mistake{Text: "want " + what + ", got " + Quote(text), Hint: unitMeant(text, sign)}
	}
	return f, nil
}
