package sample

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// A service may say who it is by nothing but its status or its whole body.
func TestTheStatusOrTheBodyIsTheValue(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rule   Rule
		status int
		body   string
		want   string // "" when no rule matches
	}{
		{"a status", Rule{StatusValue: true}, 404, "", "404"},
		{"a status of 500 and more is a failed request", Rule{StatusValue: true}, 503, "", ""},
		{"unless the rule names it", Rule{StatusValue: true, Status: 503}, 503, "", "503"},
		{"statuses by name", Rule{StatusValue: true, Values: map[string]string{"200": "ok"}}, 200, "", "ok"},
		{"a body", Rule{BodyValue: true}, 200, " v1\n", "v1"},
		{"one that a pattern allows", Rule{BodyValue: true, Match: regexp.MustCompile(`^v[0-9]+\s*$`)}, 200, "v1\n", "v1"},
		{"one that it does not", Rule{BodyValue: true, Match: regexp.MustCompile(`^v[0-9]+\s*$`)}, 200, "hello\n", ""},
		{"an empty body", Rule{BodyValue: true}, 200, " \n", ""},
		{"a page", Rule{BodyValue: true}, 200, strings.Repeat("x", 201), ""},
		{"a long name", Rule{BodyValue: true}, 200, strings.Repeat("x", 200) + "\n", strings.Repeat("x", 200)},
	} {
		got, ok := NewClassifier([]Rule{tt.rule}).Classify(tt.status, http.Header{}, []byte(tt.body))
		if got != tt.want && ok || ok != (tt.want != "") {
			t.Errorf("%s: got %q, %t; want %q", tt.name, got, ok, tt.want)
		}
	}
	c := NewClassifier([]Rule{{StatusValue: true}})
	c.Classify(200, http.Header{}, nil)
	if n := testing.AllocsPerRun(100, func() { c.Outcome(200, netHeader(nil), nil) }); n > 0 && !raceEnabled {
		t.Errorf("%g allocations for an answer", n)
	}
}
