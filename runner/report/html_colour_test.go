package report

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// colours are those of the style's first block, and with what the dark scheme
// changes of them.
func colours(t *testing.T) map[string]map[string]string {
	t.Helper()
	blocks := regexp.MustCompile(`(?s):root\{(.*?)\}`).FindAllStringSubmatch(htmlStyle, 2)
	if len(blocks) != 2 {
		t.Fatal("the style does not have its two blocks of colours")
	}
	schemes := map[string]map[string]string{"light": {}, "dark": {}}
	for i, block := range blocks {
		for _, m := range regexp.MustCompile(`--([\w-]+):#([0-9a-f]{6}|[0-9a-f]{3})\b`).FindAllStringSubmatch(block[1], -1) {
			if i == 0 {
				schemes["light"][m[1]] = m[2]
			}
			schemes["dark"][m[1]] = m[2]
		}
	}
	return schemes
}

// luminance and contrast are those of the Web Content Accessibility Guidelines
// 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio.
func luminance(hex string) float64 {
	if len(hex) == 3 {
		hex = strings.Join([]string{hex[:1], hex[:1], hex[1:2], hex[1:2], hex[2:], hex[2:]}, "")
	}
	sum := 0.0
	for i, weight := range []float64{.2126, .7152, .0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			return math.NaN()
		}
		x := float64(n) / 255
		if x <= .04045 {
			x /= 12.92
		} else {
			x = math.Pow((x+.055)/1.055, 2.4)
		}
		sum += weight * x
	}
	return sum
}

func contrast(a, b string) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + .05) / (math.Min(x, y) + .05)
}

func TestColoursCanBeTold(t *testing.T) {
	const words, shapes = 4.5, 3 // what the guidelines ask for
	for scheme, c := range colours(t) {
		atLeast := func(least float64, a, b string) {
			if got := contrast(c[a], c[b]); !(got >= least) {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %g", scheme, a, b, got, least)
			}
		}
		for _, ground := range []string{"card", "paper", "well"} {
			for _, word := range []string{"ink", "soft", "link"} {
				atLeast(words, word, ground)
			}
		}
		for _, state := range []string{"passed", "failed", "undecided", "errored", "skipped"} {
			atLeast(words, state, state+"-bg")
			atLeast(shapes, state, "card")
		}
		for _, look := range append(classes(), errorLook, otherLook) {
			atLeast(shapes, look, "card")
			atLeast(shapes, look, "well")
			if look != "blue" { // which is solid
				atLeast(shapes, look, look+"-bg")
			}
		}
	}
}

func TestEveryLookHasAPatternOfItsOwn(t *testing.T) {
	seen := map[string]string{}
	for _, m := range regexp.MustCompile(`<pattern id="p-(\w+)".*?class="g"[^>]*>(.*?)</pattern>`).FindAllStringSubmatch(patterns(), -1) {
		if other := seen[m[2]]; other != "" || m[2] == "" {
			t.Errorf("%s has the pattern of %s: %q", m[1], other, m[2])
		}
		seen[m[2]] = m[1]
	}
	if want := len(looks) + 2; len(seen) != want {
		t.Errorf("%d patterns, want %d", len(seen), want)
	}
}
