package gateway

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestNormalPath(t *testing.T) {
	for _, test := range []struct{ sent, want string }{
		{"/", "/"},
		{"/api", "/api"},
		{"/a/../api", "/api"},
		{"/a/b/./../api", "/a/api"},
		{"/../../api", "/api"},
		{"/a/..", "/"},
		{"/a/b/..", "/a/"},
		{"/a/.", "/a/"},
		{"/a//b", "/a//b"},
		{"/a//../b", "/a/b"},
		{`/a\..\api`, "/api"},
		{"/a/%2E%2e/api", "/api"},
		{"/%61pi", "/api"},
		{"/a%2Fb", "/a%2Fb"},
		{"/a%5Cb", "/a%5Cb"},
		{"/.hidden/..two/a.b", "/.hidden/..two/a.b"},
		{"/%20/.", "/%20/"},
		{"*", "*"},
		{"/a/.%00./b", "refused"},
	} {
		raw := "GET " + test.sent + "?q=/../x HTTP/1.1\r\nHost: a\r\n\r\n"
		if test.sent == "*" {
			raw = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			t.Fatalf("%s: %v", test.sent, err)
		}
		got := "refused"
		w := httptest.NewRecorder()
		normalized(func(_ http.ResponseWriter, r *http.Request) { got = r.URL.EscapedPath() })(w, r)
		if got != test.want || got == "refused" && w.Code != http.StatusBadRequest {
			t.Errorf("%s: %s with status %d, want %s", test.sent, got, w.Code, test.want)
		}
		if test.sent != "*" && r.URL.RawQuery != "q=/../x" {
			t.Errorf("%s: the query has become %s", test.sent, r.URL.RawQuery)
		}
	}
}

// A normal path is its own normal form, whatever was sent.
func FuzzNormalPath(f *testing.F) {
	for _, seed := range []string{"/a/../b", `/\..%2e`, "/%", "/a//./", "/%zz", ".."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		once, ok := normalPath(sent)
		if !ok {
			return
		}
		if strings.HasPrefix(sent, "/") {
			for _, s := range strings.Split(once, "/") {
				if s == "." || s == ".." {
					t.Errorf("%q leaves %q", sent, once)
				}
			}
		}
		if strings.Contains(once, "%25") { // what is escaped twice becomes less each time, as in Envoy
			return
		}
		if twice, _ := normalPath(once); twice != once {
			t.Errorf("%q gives %q, and that %q", sent, once, twice)
		}
	})
}
