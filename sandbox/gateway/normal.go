package gateway

import (
	"net/http"
	"net/url"
	"strings"
)

// normalized hands requests on with their path in the form that policies and
// routes are compared with, and that services see: Istio's default, BASE, which
// is RFC 3986's (section 6.2.2) with backslashes as slashes. A path that has none
// is refused. See https://istio.io/latest/docs/reference/config/security/normalization/.
func normalized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sent := r.URL.RawPath
		if sent == "" { // net/url leaves it out where it is how Path is written anyway
			sent = r.URL.EscapedPath()
		}
		path, ok := normalPath(sent)
		if !ok {
			reply(w, http.StatusBadRequest, "")
			return
		}
		if path != sent {
			if plain, err := url.PathUnescape(path); err == nil { // as it was when it came
				r.URL.Path, r.URL.RawPath = plain, path
			}
		}
		next(w, r)
	}
}

// normalPath gives the normal form of an escaped path; false where Envoy knows
// none, because of a zero byte. Doubled slashes stay, and so does what is escaped
// for a reason, such as %2F.
func normalPath(path string) (string, bool) {
	if !strings.ContainsAny(path, `\%`) && !strings.Contains(path, "/.") {
		return path, true // nearly every one
	}
	plain := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '\\':
			c = '/'
		case c == '%' && i+2 < len(path):
			switch b, err := url.PathUnescape(path[i : i+3]); {
			case err != nil: // it would not have got here
			case b[0] == 0:
				return "", false
			case unreserved(b[0]):
				c = b[0]
				i += 2
			}
		}
		plain = append(plain, c)
	}
	return withoutDots(string(plain)), true
}

// unreserved tells whether a character means the same escaped and not (RFC 3986,
// section 2.3).
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// withoutDots follows the segments . and .. (RFC 3986, section 5.2.4).
func withoutDots(path string) string {
	if !strings.Contains(path, "/.") {
		return path
	}
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return path
	}
	var kept []string
	segments := strings.Split(rest, "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case ".", "..":
			if s == ".." && len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
			if last { // what it leads to is a folder
				kept = append(kept, "")
			}
		default:
			kept = append(kept, s)
		}
	}
	return "/" + strings.Join(kept, "/")
}
