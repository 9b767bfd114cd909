package routing

import (
	"net/http"
	"strconv"
	"strings"
)

// Redirect sends clients elsewhere. What it leaves out stays as the client
// asked for it.
type Redirect struct {
	Status    int
	Scheme    string
	Authority string // a host name
	Port      int64
	Path      string // all of it; with a query of its own, that replaces the client's
	Prefix    string // replaces the prefix that matched
}

// Location is where a request is redirected to, as Envoy makes it up; path is
// the request's, as Find gave it.
func (r *Rule) Location(req *http.Request, path string) string {
	to := r.Redirect
	scheme, host := "http", req.Host
	if to.Scheme != "" {
		scheme = to.Scheme
		if scheme == "https" { // the port that goes without saying does not go along
			host = strings.TrimSuffix(host, ":80")
		}
	}
	if to.Authority != "" {
		host = to.Authority
	}
	if to.Port != 0 {
		host = withoutPort(host)
		if !(scheme == "http" && to.Port == 80 || scheme == "https" && to.Port == 443) {
			host += ":" + strconv.FormatInt(to.Port, 10)
		}
	}
	query := req.URL.RawQuery
	if to.Path != "" {
		path = to.Path
	}
	if query != "" && !strings.Contains(path, "?") {
		path += "?" + query
	}
	return scheme + "://" + host + path
}
