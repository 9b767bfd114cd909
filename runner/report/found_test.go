package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

func TestFoundText(t *testing.T) {
	f := verdict.NewFound(.99)
	for n := range 3000 {
		switch {
		case n%1000 == 7:
			f.ObserveError()
		case n%5 == 4:
			f.Observe("green\x1b[31m\n")
		default:
			f.Observe("blue")
		}
	}
	s := passedSample(t)
	s.Faults, s.Statuses = map[string]int64{"server error": 3}, map[string]int64{"503": 3}
	s.Examples = []record.Example{
		{Of: "blue", Which: "first", Status: 200},
		{Fault: "server error", Which: "first", Number: 7, At: 4 * time.Millisecond, Status: 503, Detail: "status 503", Header: []string{"HTTP/1.1 503 Service Unavailable"}, Body: "no healthy upstream"},
		{Fault: "server error", Which: "last", Number: 2007},
	}
	plain(t, "found.txt", FoundText(s, f.Result()))
}

func TestFoundTableOfMany(t *testing.T) {
	f := verdict.NewFound(.99)
	for n := range 100 {
		f.Observe(fmt.Sprint("request-", n, "-of-a-service-that-gives-every-answer-a-long-name-of-its-own"))
	}
	text := FoundTable(f.Result())
	want := "more names than 64"
	if !strings.Contains(text, want) || !strings.Contains(text, "36.0 %                   36\n") || !strings.Contains(text, "request-0-of-a-service-that-gives-every-answer-a-long-nam...") {
		t.Errorf("got\n%s\nwant in it\n%s", text, want)
	}
	if got := FoundTable(verdict.NewFound(.99).Result()); got != "        got  interval  count\nerrors  0 %         -      0\n" {
		t.Errorf("of nothing:\n%s", got)
	}
}

// A name that a service sends does not command the terminal.
func TestNamesAreTame(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"blue", "blue"}, {"grün", "grün"}, {"a\x1b[2Jb\r\n\u202ec", "a.[2Jb...c"}, {"\xff", "?"},
	} {
		if got := name(tt.text); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}
