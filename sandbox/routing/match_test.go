package routing

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// request makes "GET host/path?query" with headers "Name: value".
func request(line string, headers ...string) *http.Request {
	method, rest, _ := strings.Cut(line, " ")
	r := httptest.NewRequest(method, "http://"+rest, nil)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// to is a route that leads to a destination of that name.
func to(name string, matches ...Match) Route {
	return Route{Name: name, Match: matches, Destinations: []Destination{{Host: name, Weight: 1, Endpoints: []string{"10.244.0.1:80"}}}}
}

func table(t testing.TB, hosts ...Host) *Table {
	t.Helper()
	made, err := New(hosts)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func exact(s string) Text  { return Text{Exact, s} }
func prefix(s string) Text { return Text{Prefix, s} }
func regex(s string) Text  { return Text{Regex, s} }

func TestMatch(t *testing.T) {
	firefox := "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	for _, c := range []struct {
		name  string
		match Match
		r     *http.Request
		want  bool
	}{
		{"nothing asked", Match{}, request("GET a/x"), true},
		{"exact path", Match{Path: exact("/api")}, request("GET a/api?q=1"), true},
		{"exact path, longer", Match{Path: exact("/api")}, request("GET a/api/"), false},
		{"prefix", Match{Path: prefix("/bgc")}, request("GET a/bgc/x"), true},
		{"a prefix is no path element", Match{Path: prefix("/bgc")}, request("GET a/bgcx"), true},
		{"prefix, other", Match{Path: prefix("/bgc")}, request("GET a/bg"), false},
		{"regex matches all", Match{Path: regex("/api/v[0-9]+")}, request("GET a/api/v12"), true},
		{"regex is not found within", Match{Path: regex("/v[0-9]")}, request("GET a/api/v1"), false},
		{"regex alternatives are anchored as one", Match{Path: regex("/a|/b")}, request("GET a/a/x/b"), false},
		{"path as it was sent", Match{Path: exact("/a%2Fb")}, request("GET a/a%2Fb"), true},
		{"path is not unescaped", Match{Path: exact("/a/b")}, request("GET a/a%2Fb"), false},
		{"case counts", Match{Path: exact("/API")}, request("GET a/api"), false},
		{"case ignored", Match{Path: exact("/API"), IgnoreCase: true}, request("GET a/api"), true},
		{"case ignored, prefix", Match{Path: prefix("/API"), IgnoreCase: true}, request("GET a/api/x"), true},
		{"case ignored, prefix, other", Match{Path: prefix("/API"), IgnoreCase: true}, request("GET a/ap"), false},
		{"case never ignored in a regex", Match{Path: regex("/API"), IgnoreCase: true}, request("GET a/api"), false},
		{"method", Match{Method: exact("POST")}, request("POST a/"), true},
		{"method, other", Match{Method: exact("POST")}, request("GET a/"), false},
		{"method regex", Match{Method: regex("GET|HEAD")}, request("HEAD a/"), true},
		{"scheme", Match{Scheme: exact("http")}, request("GET a/"), true},
		{"scheme, other", Match{Scheme: exact("https")}, request("GET a/"), false},
		{"authority, with its port", Match{Authority: exact("a:8080")}, request("GET a:8080/"), true},
		{"authority, without", Match{Authority: exact("a")}, request("GET a:8080/"), false},
		{"header regex", Match{Headers: []Field{{"user-agent", regex(".*Firefox.*")}}}, request("GET a/", firefox), true},
		{"header regex, other", Match{Headers: []Field{{"user-agent", regex(".*iPhone.*")}}}, request("GET a/", firefox), false},
		{"header regex must match all", Match{Headers: []Field{{"user-agent", regex("Firefox")}}}, request("GET a/", firefox), false},
		{"header missing", Match{Headers: []Field{{"x-user", regex(".*")}}}, request("GET a/"), false},
		{"header present", Match{Headers: []Field{{"X-User", Text{}}}}, request("GET a/", "x-user: "), true},
		{"header absent", Match{Headers: []Field{{"X-User", Text{}}}}, request("GET a/"), false},
		{"header values are joined", Match{Headers: []Field{{"x-a", exact("1,2")}}}, request("GET a/", "x-a: 1", "x-a: 2"), true},
		{"host is a header too", Match{Headers: []Field{{"host", exact("a:1")}}}, request("GET a:1/"), true},
		{"all headers must match", Match{Headers: []Field{{"x-a", exact("1")}, {"x-b", exact("1")}}}, request("GET a/", "x-a: 1", "x-b: 2"), false},
		{"without", Match{Without: []Field{{"x-a", exact("1")}}}, request("GET a/", "x-a: 2"), true},
		{"without, but it is there", Match{Without: []Field{{"x-a", exact("1")}}}, request("GET a/", "x-a: 1"), false},
		{"without, missing counts as empty", Match{Without: []Field{{"x-a", exact("1")}}}, request("GET a/"), true},
		{"without, and empty is excluded", Match{Without: []Field{{"x-a", exact("")}}}, request("GET a/"), false},
		{"must be absent, and is", Match{Without: []Field{{"x-a", Text{}}}}, request("GET a/"), true},
		{"must be absent, but is there", Match{Without: []Field{{"x-a", Text{}}}}, request("GET a/", "x-a: 1"), false},
		{"query", Match{Query: []Field{{"v", exact("2")}}}, request("GET a/?u=1&v=2"), true},
		{"query, first value", Match{Query: []Field{{"v", exact("2")}}}, request("GET a/?v=1&v=2"), false},
		{"query, prefix", Match{Query: []Field{{"v", prefix("2.")}}}, request("GET a/?v=2.1"), true},
		{"query, regex", Match{Query: []Field{{"v", regex("[0-9]+")}}}, request("GET a/?v=x2"), false},
		{"query, present", Match{Query: []Field{{"v", Text{}}}}, request("GET a/?v"), true},
		{"query, absent", Match{Query: []Field{{"v", Text{}}}}, request("GET a/?vv=1"), false},
		{"all parts must hold", Match{Path: exact("/api"), Method: exact("POST")}, request("GET a/api"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule, _ := table(t, Host{"*", []Route{to("x", c.match)}}).Find(c.r)
			if got := rule != nil; got != c.want {
				t.Errorf("matches: %t, want %t", got, c.want)
			}
		})
	}
}

func TestFindTakesTheFirstRouteOfTheMostSpecificHost(t *testing.T) {
	made := table(t,
		Host{"*", []Route{to("any")}},
		Host{"*.example.com", []Route{to("wild")}},
		Host{"*.shop.example.com", []Route{to("narrow")}},
		Host{"shop.example.com", []Route{to("first", Match{Path: exact("/a")}, Match{Path: exact("/b")}), to("second", Match{Path: prefix("/a")})}},
		Host{"::1", []Route{to("six")}},
	)
	for line, want := range map[string]string{
		"GET shop.example.com/a":              "first",
		"GET shop.example.com/b":              "first",
		"GET shop.example.com/ab":             "second",
		"GET shop.example.com/c":              "", // a host is not followed by a less specific one
		"GET SHOP.Example.com:8080/a":         "first",
		"GET x.shop.example.com/":             "narrow",
		"GET x.y.shop.example.com/":           "narrow",
		"GET x.example.com/":                  "wild",
		"GET example.com/":                    "any",
		"GET 127.0.0.1:18001/":                "any",
		"GET [::1]:80/":                       "any", // brackets belong to the name in a Host header
		"GET other.test/api?host=example.com": "any",
	} {
		rule, _ := made.Find(request(line))
		got := ""
		if rule != nil {
			got = rule.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if rule, _ := table(t).Find(request("GET a/")); rule != nil {
		t.Errorf("an empty table gave %s", rule.Name)
	}
}

func TestRewrite(t *testing.T) {
	for _, c := range []struct {
		name    string
		path    Text
		fold    bool
		rewrite string
		send    string
		want    string
	}{
		{"none", prefix("/bgc"), false, "", "/bgc/x", "/bgc/x"},
		{"prefix", prefix("/bgc"), false, "/", "/bgc", "/"},
		{"prefix, the rest stays as in Envoy", prefix("/bgc"), false, "/", "/bgc/x", "//x"},
		{"prefix with a slash", prefix("/bgc/"), false, "/", "/bgc/x", "/x"},
		{"prefix, other case", prefix("/BGC"), true, "/v2", "/bgc/x", "/v2/x"},
		{"prefix, escaped rest", prefix("/bgc"), false, "/v2", "/bgc/a%2Fb", "/v2/a%2Fb"},
		{"exact", exact("/api"), false, "/v2/api", "/api", "/v2/api"},
		{"regex, the whole path", regex("/a.*"), false, "/v2", "/api/x", "/v2"},
		{"no path asked, the slash is the prefix", Text{}, false, "/v2/", "/api", "/v2/api"},
	} {
		t.Run(c.name, func(t *testing.T) {
			route := to("x", Match{Path: c.path, IgnoreCase: c.fold})
			route.Rewrite.Path = c.rewrite
			_, got := table(t, Host{"*", []Route{route}}).Find(request("GET a" + c.send + "?q=1"))
			if got != c.want {
				t.Errorf("%s is sent on as %q, want %q", c.send, got, c.want)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	bad := to("bad", Match{Path: regex("(")}, Match{Headers: []Field{{"x", regex("a)(b")}}})
	zero := Route{Name: "zero", Destinations: []Destination{{Host: "a"}, {Host: "b"}}}
	_, err := New([]Host{{"*", []Route{bad, zero, to("good")}}, {"*", nil}, {"a.*", nil}, {"*a", nil}, {"", nil}, {"*.", nil}})
	if err == nil {
		t.Fatal("worked, want errors")
	}
	for _, want := range []string{
		`host "*": route 0 (bad): match 0: path: not a regular expression (RE2)`,
		`host "*": route 1 (zero): the weights of its destinations sum to 0`,
		`host "*" stands twice`, `host "a.*": want a name`, `host "*a"`, `host "": `, `host "*."`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not say %q:\n%v", want, err)
		}
	}
	if _, err := Compile("a)(b"); err == nil {
		t.Error("a)(b compiled")
	}
}

func FuzzFind(f *testing.F) {
	f.Add("shop.example.com:80", "/api/v1", "q=1&r", ".*", "/")
	f.Add("[::1]:8", "//a%2F..", "&&=", "a|b", "/x")
	f.Add("*", "*", "", "(?i)A", "%zz")
	f.Fuzz(func(t *testing.T, host, path, query, pattern, rewrite string) {
		route := to("x", Match{Path: prefix(path), Headers: []Field{{"Host", regex(pattern)}}, Query: []Field{{"q", Text{}}}}, Match{Path: exact(path)})
		route.Rewrite.Path = rewrite
		made, err := New([]Host{{"*.example.com", []Route{to("wild", Match{Path: regex(pattern)})}}, {"*", []Route{route, to("rest")}}})
		if err != nil {
			if _, err := Compile(pattern); err == nil {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Host, r.URL.Path, r.URL.RawPath, r.URL.RawQuery = host, path, path, query
		rule, sent := made.Find(r)
		wild := strings.HasSuffix(strings.ToLower(withoutPort(host)), ".example.com") && len(withoutPort(host)) > len(".example.com")
		switch {
		case wild && rule != nil && rule.Name != "wild", !wild && rule == nil, !wild && rule.Name == "wild":
			t.Errorf("host %q got %+v", host, rule)
		case !wild && rule.Name == "x" && rewrite != "" && sent != rewrite && !strings.HasPrefix(sent, rewrite):
			t.Errorf("%q was not rewritten to %q: %q", path, rewrite, sent)
		case rule != nil && rule.Name == "rest" && sent != r.URL.EscapedPath():
			t.Errorf("path %q became %q", r.URL.EscapedPath(), sent)
		}
	})
}

// An independent way to say "matches all of it": the leftmost-longest match of
// the bare pattern covers the string.
func FuzzRegexMatchesAll(f *testing.F) {
	f.Add("a|ab", "ab")
	f.Add("(?i)a*", "AAA")
	f.Add("^a$", "a\n")
	f.Add("(?m)^a$", "a\nb")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		re, err := Compile(pattern)
		if err != nil {
			return
		}
		bare := regexp.MustCompile(pattern)
		bare.Longest()
		at := bare.FindStringIndex(s)
		if want := at != nil && at[0] == 0 && at[1] == len(s); re.MatchString(s) != want {
			t.Errorf("%q matches all of %q: %t, want %t", pattern, s, !want, want)
		}
	})
}
