package document

import "testing"

// A command line is read as a file is, and its mistakes are told in the same words.
func TestTextsOfACommandLine(t *testing.T) {
	percent := func(text string) (float64, error) { p, err := ParsePercent(text); return float64(p), err }
	points := func(text string) (float64, error) { p, err := ParsePoints(text); return float64(p), err }
	rate := func(text string) (float64, error) { r, err := ParseRate(text); return float64(r), err }
	for _, tt := range []struct {
		parse func(string) (float64, error)
		text  string
		want  float64
		err   string
	}{
		{percent, "40%", .4, ""},
		{percent, "0.5 %", .005, ""},
		{percent, "40", 0, `want a percentage such as 40%, got "40" (did you mean 40%?)`},
		{percent, "0.4", 0, `want a percentage such as 40%, got "0.4" (did you mean 40% or 0.4%?)`},
		{percent, "-1%", 0, `want a percentage such as 40%, got "-1%"`},
		{percent, "NaN%", 0, `want a percentage such as 40%, got "NaN%"`},
		{percent, "140%", 0, "want a percentage of at most 100%, got 140%"},
		{points, "3pp", .03, ""},
		{points, "3%", 0, `want percentage points such as 3pp, got "3%" (did you mean 3pp?)`},
		{rate, "200/s", 200, ""},
		{rate, "200", 0, `want a rate such as 200/s, got "200" (did you mean 200/s?)`},
		{rate, "0/s", 0, "want a rate above 0/s, got 0/s"},
	} {
		got, err := tt.parse(tt.text)
		said := ""
		if err != nil {
			said = err.Error()
		}
		if said != tt.err || err == nil && got != tt.want {
			t.Errorf("%q: got %g, %q; want %g, %q", tt.text, got, said, tt.want, tt.err)
		}
	}
}
