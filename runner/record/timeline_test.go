package record

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshassay/assay/runner/verdict"
)

func TestTimelineShort(t *testing.T) {
	line := NewTimeline([]string{"blue", "black", "green"})
	for _, i := range []int{0, 1, 2, verdict.Error, 0, verdict.Unlisted} {
		line.Add(i)
	}
	var s Sample
	line.Fill(&s)
	want := []Letter{{"b", "blue"}, {"l", "black"}, {"g", "green"}, {"!", "error"}, {"?", "not listed"}}
	if diff := cmp.Diff(want, s.Legend); s.Strip != "blg!b?" || s.Every != 1 || diff != "" {
		t.Errorf("%q, every %d, legend %s", s.Strip, s.Every, diff)
	}
	if len(s.Series) != 6 || s.Series[3].Errors != 1 || s.Series[5].Other != 1 || s.Series[1].Outcomes[1] != 1 {
		t.Errorf("%+v", s.Series)
	}
}

// However many answers there are, letters and stretches are bounded, evenly
// spread, and no count is lost.
func TestTimelineIsBounded(t *testing.T) {
	for _, n := range []int{0, 1, 239, 240, 241, 1000, 123_456, 1_000_000} {
		line := NewTimeline([]string{"old", "new"})
		for k := range n {
			i := 0
			if k >= n/2 {
				i = 1
			}
			line.Add(i)
		}
		var s Sample
		line.Fill(&s)
		if len(s.Strip) > stripLength || len(s.Series) > seriesLength || n > stripLength && len(s.Strip) < stripLength/2 {
			t.Fatalf("n %d: %d letters, %d stretches", n, len(s.Strip), len(s.Series))
		}
		var sum verdict.Counts
		for i, c := range s.Series {
			if i > 0 && i < len(s.Series)-1 && c.Total() != s.Series[0].Total() {
				t.Errorf("n %d: stretches of %d and %d", n, c.Total(), s.Series[0].Total())
			}
			sum.Add(c)
		}
		if sum.Total() != int64(n) {
			t.Errorf("n %d: %d in the series", n, sum.Total())
		}
		if want := (int64(n) + s.Every - 1) / s.Every; int64(len(s.Strip)) != want {
			t.Errorf("n %d: %d letters at one of every %d, want %d", n, len(s.Strip), s.Every, want)
		}
		if half := strings.Count(s.Strip, "o"); n > 1 && (half < len(s.Strip)/2-1 || half > len(s.Strip)/2+1) || strings.Contains(s.Strip, "no") {
			t.Errorf("n %d: %s", n, s.Strip)
		}
	}
}

func TestLettersAreDifferent(t *testing.T) {
	names := []string{"v1", "v2", "v3", "V1", "1", "ü", "", "v", "blue"}
	line := NewTimeline(names)
	seen := map[byte]bool{}
	for i := range names {
		if seen[line.letters[i]] {
			t.Errorf("%q has the letter %c of another", names[i], line.letters[i])
		}
		seen[line.letters[i]] = true
	}
}
