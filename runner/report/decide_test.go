package report

import "testing"

func TestToDecide(t *testing.T) {
	few := judged(t, tutorial(), counts(40, 38, 22)).Result
	few.Needed = 2737
	near := judged(t, tutorial(), counts(43000, 37000, 20000)).Result
	for _, tt := range []struct{ got, want string }{
		{ToDecide(judged(t, tutorial(), counts(4000, 4000, 2000)).Result), ""},
		{ToDecide(judged(t, tutorial(), counts(0, 0, 0)).Result), "to decide: answers are needed\n"},
		{ToDecide(near), "to decide: a wider tolerance; a share is so near to its edge that no number of further answers can be told\n"},
		{ToDecide(few), "to decide: about 2,737 more answers, judged together with these; or a wider tolerance\n"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
