package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/verdict"
)

// seen is the result of a claim of 40, 40 and 20 % after so many answers.
func seen(t *testing.T, blue, green, canary, errors int64) verdict.Result {
	t.Helper()
	claim := verdict.Claim{Errors: .005, Alpha: .001, Beta: .01, Shares: []verdict.Share{
		{Name: "blue", Want: .4, Tolerance: .03}, {Name: "green", Want: .4, Tolerance: .03},
		{Name: "a-canary-with-a-long-name", Want: .2, Tolerance: .03}, {Name: "denied"},
	}}
	test, err := verdict.New(claim)
	if err != nil {
		t.Fatal(err)
	}
	test.Update(verdict.Counts{Outcomes: []int64{blue, green, canary, 0}, Errors: errors})
	return test.Result()
}

// under is a step under way: decided, under way, begun anew, and not begun.
func under(t *testing.T, began time.Time) runner.Live {
	sample := func(gateway, name string, attempt int, r verdict.Result, done bool) runner.LiveSample {
		return runner.LiveSample{Gateway: gateway, Case: name, Attempt: attempt, Result: r, Done: done, Requests: 100_000, Time: time.Minute, Took: 6 * time.Second}
	}
	const phone = "User-Agent: Mozilla/5.0 (iPhone; CPU iPho…"
	return runner.Live{
		Step: &runner.PlannedStep{Title: "blue and green get 40 % each, canary 20 %"}, Began: began,
		Parts: []runner.LivePart{
			{Part: "ingress1", Samples: []runner.LiveSample{
				sample("ingress1", "", 0, seen(t, 1300, 1330, 650, 1), true),
				sample("ingress1", phone, 1, seen(t, 310, 420, 190, 0), false),
			}},
			{Part: "ingress2", Samples: []runner.LiveSample{sample("ingress2", "", 0, seen(t, 0, 0, 0, 0), false)}},
			{Part: "ingress3", Text: "ingress3: looking up its address\n\x1b[2J of it"},
		},
	}
}

// The frames are looked at in the golden file. None may be wider than the
// terminal, or it would wrap and not be rewritten.
func TestFrames(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var b strings.Builder
	for _, tt := range []struct {
		look          look
		width, height int
	}{
		{look{glyphs: fineGlyphs}, 80, 50}, {look{glyphs: fineGlyphs}, 140, 50}, {look{glyphs: plainGlyphs}, 80, 50},
		{look{glyphs: fineGlyphs}, 80, 12}, {look{glyphs: fineGlyphs}, 50, 50}, {look{glyphs: plainGlyphs, colour: true}, 80, 50},
	} {
		text := newFrame(tt.look).step(under(t, began), began.Add(6300*time.Millisecond), tt.width, tt.height)
		fmt.Fprintf(&b, "%d columns, %d lines\n%s\n", tt.width, tt.height, strings.ReplaceAll(text, "\x1b", "ESC"))
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(line) - 1; n >= tt.width && tt.width > 60 && !tt.look.colour {
				t.Errorf("%d columns where %d fit: %s", n, tt.width-1, line)
			}
		}
	}
	golden.Compare(t, "testdata/run/frames.golden", estimates.ReplaceAllString(b.String(), "${1}N"))
}

func TestScaleDraws(t *testing.T) {
	share := scale{low: .31, high: .49, from: .37, to: .43}
	never := scale{low: 0, high: .02, from: -1, to: .005}
	always := scale{low: .94, high: 1, from: .985, to: 2}
	tests := []struct {
		reason           string
		scale            scale
		got, least, most float64
		want             string
	}{
		{"within the band", share, .401, .381, .421, "......[==o==]......"},
		{"wider than the band", share, .401, .35, .46, "....==[==o==]===..."},
		{"wider than the scale", share, .401, .2, .6, "<=====[==o==]=====>"},
		{"above the scale", share, .7, .6, .8, "......[.....].....>"},
		{"below the scale", share, .1, .05, .2, "<.....[.....]......"},
		{"nothing yet", share, -1, -1, -1, "......[.....]......"},
		{"never came", never, 0, 0, .004, "o===].............."},
		{"came", never, .011, .008, .015, "....]..===o====...."},
		{"always came", always, 1, .99, 1, "..............[===o"},
	}
	for _, tt := range tests {
		c := tt.scale
		c.got, c.least, c.most = tt.got, tt.least, tt.most
		if got := c.draw(plainGlyphs, 19); got != tt.want {
			t.Errorf("%s: got  %s\n%*s %s", tt.reason, got, len(tt.reason)+6, "want ", tt.want)
		}
	}
}

// What is drawn of a result is what the result says, at every size.
func TestScalesStayWithin(t *testing.T) {
	for _, r := range []verdict.Result{seen(t, 0, 0, 0, 0), seen(t, 40, 40, 20, 0), seen(t, 4000, 4000, 2000, 3), seen(t, 10, 900, 10, 400)} {
		for _, c := range scales(r) {
			if !(c.low < c.high) || c.low < 0 || c.high > 1 || math.IsNaN(c.from+c.to) {
				t.Errorf("%+v", c)
			}
			for cells := leastScale; cells <= widestScale; cells++ {
				if n := utf8.RuneCountInString(c.draw(fineGlyphs, cells)); n != cells {
					t.Fatalf("%+v in %d cells has %d", c, cells, n)
				}
			}
		}
	}
}

func TestLookOf(t *testing.T) {
	tests := []struct {
		env    map[string]string
		fine   bool
		colour bool
	}{
		{nil, false, true},
		{map[string]string{"LANG": "en_GB.UTF-8"}, true, true},
		{map[string]string{"LANG": "en_GB.UTF-8", "LC_ALL": "C"}, false, true},
		{map[string]string{"LC_CTYPE": "C.utf8", "NO_COLOR": "1"}, true, false},
		{map[string]string{"TERM": "dumb"}, false, false},
	}
	for _, tt := range tests {
		got := lookOf(func(name string) string { return tt.env[name] })
		if (got.glyphs == fineGlyphs) != tt.fine || got.colour != tt.colour {
			t.Errorf("%v: fine %v, colour %v", tt.env, got.glyphs == fineGlyphs, got.colour)
		}
	}
}

// A gauge does not jump with a guess that changes.
func TestGaugeMovesSlowly(t *testing.T) {
	f := newFrame(look{})
	s := runner.LiveSample{Gateway: "ingress1", Requests: 100_000, Time: time.Minute}
	s.Result.N = 100
	last := 0.0
	for _, needed := range []int64{1, 5000, 200, 4000, 100, 2000} {
		s.Result.Needed = needed
		now := f.part(s)
		if math.Abs(now-last) > .2 {
			t.Errorf("from %.2f to %.2f", last, now)
		}
		last = now
	}
	if s.Done = true; f.part(s) != 1 {
		t.Error("what is done is not full")
	}
}

func TestRoughly(t *testing.T) {
	for n, want := range map[int64]int64{7: 7, 99: 99, 104: 100, 3378: 3400, 98_760: 99_000, 99_960: 100_000} {
		if got := roughly(n); got != want {
			t.Errorf("%d: got %d, want %d", n, got, want)
		}
	}
}
