package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/meshassay/assay/runner/sample"
)

// Whatever is given as counts, it is read or refused with a reason; and what
// was read is read the same again.
func FuzzCounts(f *testing.F) {
	for _, text := range []string{"   812 blue\n 79 200\n", "blue=812\n# no\n", "200 812", `{"blue": 812, "errors": 2}`, `{"found": 3}`, "[1]", "{", "12\n", "a=b=3", "\xff 3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := newCounted([]string{"blue", "200"})
		c.file("counts", []byte(text))
		for _, m := range c.mistakes {
			if m.Text == "" {
				t.Fatalf("%q: a mistake without a reason: %+v", text, m)
			}
		}
		if len(c.mistakes) > 0 {
			return
		}
		if len(c.counts) == 0 && c.errors == 0 && len(c.places) == 0 {
			t.Fatalf("%q: nothing was read, and nothing is wrong", text)
		}
		written, err := json.Marshal(c.counts)
		if err != nil || len(c.counts) == 0 || !utf8.ValidString(text) {
			return
		}
		again := newCounted(nil)
		again.file("again", written)
		// A name may have characters that a JSON file is refused for.
		if len(again.mistakes) == 0 && !maps.Equal(again.counts, c.counts) {
			t.Fatalf("%q: read %v, and again %v", text, c.counts, again.counts)
		}
	})
}

// Whatever is given as a claim or a way to tell answers, it is read or refused.
func FuzzFlags(f *testing.F) {
	for _, text := range []string{"blue=40%,canary=20%+-2pp", "a=b=3%", "=", ",", "json:a.b=c", "status", "match:(x", "body:=", "header:X-Y"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		flags := claimFlags{expect: []string{text}, tolerance: text, leak: text, errors: text, alpha: text, beta: text}
		if _, ms := flags.claim(); len(ms) == 0 {
			t.Fatalf("%q is a claim, a tolerance and a probability", text)
		}
		shares, ms := sharesOf(text)
		for _, s := range shares {
			if len(ms) == 0 && (s.Name == "" || s.Want < 0 || s.Want > 1 || s.Tolerance < 0) {
				t.Fatalf("%q: read %+v", text, s)
			}
		}
		rules, m := answerRule(text, []string{"503"})
		if (len(rules) == 0) == (m.Text == "") {
			t.Fatalf("%q: %d rules and the mistake %q", text, len(rules), m.Text)
		}
		sample.NewClassifier(rules).Classify(200, http.Header{"X-Y": {"1"}}, []byte(`{"a": {"b": 1}}`))
	})
}
