package verdict

import "testing"

func TestWords(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{percent(.4), "40 %"}, {percent(.405), "40.5 %"}, {percent(1), "100 %"}, {percent(0), "0 %"},
		{percent(.005), "0.5 %"}, {percent(.00123), "0.12 %"}, {percent(.0000004), "0.00004 %"},
		{points(.03), "3 pp"}, {points(.005), "0.5 pp"},
		{shown(.2589, .23), "25.9 %"}, {shown(.230004, .23), "23.0004 %"}, {shown(.4299, .43), "42.99 %"},
		{grouped(0), "0"}, {grouped(999), "999"}, {grouped(4120), "4,120"}, {grouped(-1234567), "-1,234,567"},
		{Known(.36501, .44799, .99), "36.5 % to 44.8 %, with 99 %"}, {Known(.3651, .4471, .995), "36.5 % to 44.8 %, with 99.5 %"},
		{Known(0, .003, .99), "below 0.3 %, with 99 %"}, {Known(0, .00301, .99), "below 0.31 %, with 99 %"}, {Known(0, .00003, .999), "below 0.003 %, with 99.9 %"},
		{Known(.9961, 1, .99), "above 99.61 %, with 99 %"}, {Known(0, 1, .99), "nothing is known"},
		{listed([]string{"a"}), "a"}, {listed([]string{"a", "b", "c"}), "a, b and c"}, {listed(make([]string, 4)), "4 outcomes"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
