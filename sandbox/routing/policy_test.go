package routing

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRetryConditions(t *testing.T) {
	type want struct{ cut, unsent bool }
	for name, c := range map[string]struct {
		retries  Retries
		statuses []int
		want     want
	}{
		"connect-failure":      {Retries{On: OnConnectFailure}, nil, want{false, true}},
		"reset-before-request": {Retries{On: OnResetBeforeRequest}, nil, want{false, true}},
		"reset":                {Retries{On: OnReset}, nil, want{true, true}},
		"5xx":                  {Retries{On: On5xx}, []int{500, 502, 503, 504, 599}, want{true, true}},
		"gateway-error":        {Retries{On: OnGatewayError}, []int{502, 503, 504}, want{true, true}},
		"retriable-4xx":        {Retries{On: OnRetriable4xx}, []int{409}, want{}},
		"two statuses":         {Retries{Statuses: []int{429, 500}}, []int{429, 500}, want{}},
		"nothing":              {Retries{}, nil, want{}},
		"the default":          {*DefaultRetries, nil, want{false, true}},
	} {
		var got []int
		for status := 100; status < 600; status++ {
			if c.retries.WorthAnother(status) {
				got = append(got, status)
			}
		}
		all := c.statuses
		if name == "5xx" {
			if len(got) != 100 || got[0] != 500 {
				t.Errorf("5xx: retries %v", got)
			}
			got, all = nil, nil
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("%s: statuses -want +got:\n%s", name, diff)
		}
		if w := (want{c.retries.Unanswered(false), c.retries.Unanswered(true)}); w != c.want {
			t.Errorf("%s: got %+v, want %+v", name, w, c.want)
		}
	}
}

// What no gateway could do makes no table.
func TestNewRefusesPolicies(t *testing.T) {
	for want, p := range map[string]Policy{
		"delay: the share 1.5 is not between 0 and 1":     {Delays: []Delay{{Share: 1.5}}},
		"abort: the share -1 is not between 0 and 1":      {Aborts: []Abort{{Share: -1, Status: 500}}},
		"abort: the share NaN is not between 0 and 1":     {Aborts: []Abort{{Share: math.NaN(), Status: 500}}},
		"abort: 0 is not the status of an answer":         {Aborts: []Abort{{Share: 1}}},
		"mirror: the share 2 is not between 0 and 1":      {Mirrors: []Mirror{{Share: 2}}},
		"retries: nothing of them may be negative":        {Retries: &Retries{Attempts: -1}},
		"origin 0: not a regular expression (RE2): error": {Cors: &Cors{Origins: []Text{{Kind: Regex, Value: "("}}}},
	} {
		_, err := New([]Host{{Name: "*", Routes: []Route{{Answer: &Answer{Status: 200}, Policy: p}}}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// The time for which requests are held back is drawn for each, and adds up.
func TestDelayShare(t *testing.T) {
	route := Route{Answer: &Answer{Status: 200}, Policy: Policy{Delays: []Delay{{Share: 0.5, For: time.Second}, {Share: 0.5, For: time.Minute}}}}
	r := table(t, Host{Name: "*", Routes: []Route{route}}).any.rules[0]
	const n = 10_000
	count := map[time.Duration]int{}
	for range n {
		count[r.Delay()]++
	}
	for _, d := range []time.Duration{0, time.Second, time.Minute, time.Second + time.Minute} {
		// A quarter of them, within six standard deviations.
		if got := count[d]; math.Abs(float64(got)-n/4) > 6*math.Sqrt(n*3/16.0) {
			t.Errorf("%s: %d of %d", d, got, n)
		}
	}
}

func TestOperations(t *testing.T) {
	h := http.Header{"A": {"1"}, "B": {"1", "2"}, "C": {"1"}}
	o := Operations{Remove: []string{"a", "gone"}, Set: []Pair{{"b", "3"}, {"a", "4"}}, Add: []Pair{{"c", "5"}, {"d", "6"}, {"a", "7"}}}
	o.Apply(h)
	if diff := cmp.Diff(http.Header{"A": {"4", "7"}, "B": {"3"}, "C": {"1", "5"}, "D": {"6"}}, h); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLocation(t *testing.T) {
	for want, c := range map[string]struct {
		request  string
		redirect Redirect
	}{
		"http://a.test/b?c":              {"GET http://a.test/b?c", Redirect{}},
		"https://a.test/b":               {"GET http://a.test:80/b", Redirect{Scheme: "https"}},
		"https://a.test:8080/b":          {"GET http://a.test:8080/b", Redirect{Scheme: "https"}},
		"http://d.test/b":                {"GET http://a.test:8080/b", Redirect{Authority: "d.test"}},
		"http://a.test:81/b":             {"GET http://a.test:8080/b", Redirect{Port: 81}},
		"http://a.test/b":                {"GET http://a.test:8080/b", Redirect{Port: 80}},
		"https://a.test/":                {"GET http://a.test:8080/b", Redirect{Scheme: "https", Port: 443, Path: "/"}},
		"http://a.test/x?c":              {"GET http://a.test/b?c", Redirect{Path: "/x"}},
		"http://a.test/x?y":              {"GET http://a.test/b?c", Redirect{Path: "/x?y"}},
		"http://a.test/new/b?c":          {"GET http://a.test/old/b?c", Redirect{Prefix: "/new"}},
		"http://[::1]:81/b":              {"GET http://[::1]:8080/b", Redirect{Port: 81}},
		"https://shop.test/%C3%A4/b?d=e": {"GET http://a.test/old/b?d=e", Redirect{Prefix: "/%C3%A4", Authority: "shop.test", Scheme: "https"}},
	} {
		route := Route{Match: []Match{{Path: prefix("/old")}, {}}, Redirect: &c.redirect}
		method, url, _ := strings.Cut(c.request, " ")
		r, err := http.NewRequest(method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		rule, path := table(t, Host{Name: "*", Routes: []Route{route}}).Find(r)
		if got := rule.Location(r, path); got != want {
			t.Errorf("%s by %+v: got %s, want %s", c.request, c.redirect, got, want)
		}
	}
}

// FuzzCors: an answer is only given to somebody else's page whose origin is
// allowed, and names that origin and no other.
func FuzzCors(f *testing.F) {
	f.Add("https://a.test", "https://a.test", "GET", uint8(1))
	f.Add("https://.*", "https://a.test\r\nx: y", "OPTIONS", uint8(3))
	f.Fuzz(func(t *testing.T, pattern, origin, method string, kind uint8) {
		rule := &Rule{}
		var err error
		if rule.cors, err = compileCors(&Cors{Origins: []Text{{Kind: Kind(kind%3) + Exact, Value: pattern}}}); err != nil {
			return
		}
		r := &http.Request{Method: method, Header: http.Header{"Origin": {origin}, "Access-Control-Request-Method": {"PUT"}}}
		headers, answered := rule.Cors(r)
		allowed := rule.cors.allows(origin) && origin != ""
		if (headers != nil) != allowed || answered != (allowed && method == http.MethodOptions) {
			t.Errorf("allowed %t, got %v, answered %t", allowed, headers, answered)
		}
		if allowed && headers.Get("Access-Control-Allow-Origin") != origin {
			t.Errorf("got %v for %q", headers, origin)
		}
	})
}
