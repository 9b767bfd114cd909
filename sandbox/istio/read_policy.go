package istio

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/meshassay/assay/sandbox/routing"
	"github.com/meshassay/assay/sandbox/strict"
)

// mirror is a destination that gets copies, of a share of the requests.
type mirror struct {
	share float64
	to    destination
}

// readPolicy reads what an HTTPRoute does with requests besides routing them.
func readPolicy(f *strict.Object, r *httpRoute, namespace string) {
	p := &r.route.Policy
	if o := f.Object("fault"); o != nil {
		readFault(o, p)
	}
	if o := f.Object("retries"); o != nil {
		p.Retries = readRetries(o)
	}
	p.Cors = readCors(f)
	var authority string
	p.Headers, authority = readHeaderChanges(f)
	if r.route.Rewrite.Authority == "" {
		r.route.Rewrite.Authority = authority
	}
	r.mirrors = readMirrors(f, namespace)
}

// readFault reads an HTTPFaultInjection. A percentage that is not given is
// none of the requests: so says the API since it has fractions.
func readFault(o *strict.Object, p *routing.Policy) {
	defer o.Done()
	if d := o.Object("delay"); d != nil {
		wait := d.Duration("fixedDelay")
		if wait == 0 {
			d.Refuse("fixedDelay", "want how long, such as 2s")
		}
		if share := readShare(d, 0, "percent"); share > 0 {
			p.Delays = append(p.Delays, routing.Delay{Share: share, For: wait})
		}
		d.Done()
	}
	if a := o.Object("abort"); a != nil {
		status := a.Number("httpStatus", 200, 599)
		if status == 0 {
			a.Refuse("httpStatus", "want the status to answer with, from 200 to 599")
		}
		if share := readShare(a, 0, ""); share > 0 && status != 0 {
			p.Aborts = append(p.Aborts, routing.Abort{Share: share, Status: int(status)})
		}
		a.Done()
	}
}

// readShare reads percentage.value, or else an older field in whole per cent,
// as a share from 0 to 1.
func readShare(o *strict.Object, unset float64, older string) float64 {
	if p := o.Object("percentage"); p != nil {
		defer p.Done()
		if older != "" {
			o.Number(older, 0, 100) // percentage goes before it
		}
		return p.Decimal("value", 0, 100) / 100
	}
	if older != "" && o.Has(older) {
		return float64(o.Number(older, 0, 100)) / 100
	}
	return unset
}

// conditions are those of retryOn, by name. Those of gRPC never hold: the
// sandbox's services do not speak it, and no stream is refused by HTTP/1.1.
var conditions = map[string]routing.RetryOn{
	"5xx":                  routing.On5xx,
	"gateway-error":        routing.OnGatewayError,
	"reset":                routing.OnReset,
	"reset-before-request": routing.OnResetBeforeRequest,
	"connect-failure":      routing.OnConnectFailure,
	"retriable-4xx":        routing.OnRetriable4xx,
	"refused-stream":       0,
	"cancelled":            0,
	"deadline-exceeded":    0,
	"internal":             0,
	"resource-exhausted":   0,
	"unavailable":          0,
}

func readRetries(o *strict.Object) *routing.Retries {
	defer o.Done()
	r := &routing.Retries{
		Attempts: int(o.Number("attempts", 0, math.MaxInt32)),
		PerTry:   o.Duration("perTryTimeout"),
		Backoff:  o.Duration("backoff"),
	}
	if o.Has("retryIgnorePreviousHosts") {
		r.Repeat = !o.Flag("retryIgnorePreviousHosts")
	}
	o.Flag("retryRemoteLocalities") // all of the sandbox is one locality
	if r.Attempts == 0 {
		r.PerTry = 0 // Istio writes no retry policy then, and with it goes the limit
	}
	on := o.Text("retryOn")
	if on == "" {
		r.On = routing.DefaultRetries.On
		return r
	}
	for name := range strings.SplitSeq(on, ",") {
		name = strings.TrimSpace(name)
		condition, known := conditions[name]
		status, err := strconv.Atoi(name)
		switch {
		case known:
			r.On |= condition
		case err == nil && status >= 100 && status <= 599:
			r.Statuses = append(r.Statuses, status)
		default:
			o.Refuse("retryOn", "%q: the sandbox knows %s and the numbers of statuses", name, strings.Join(sortedKeys(conditions), ", "))
		}
	}
	return r
}

func readCors(f *strict.Object) *routing.Cors {
	o := f.Object("corsPolicy")
	if o == nil {
		return nil
	}
	defer o.Done()
	c := &routing.Cors{
		Methods:     o.Texts("allowMethods"),
		Headers:     o.Texts("allowHeaders"),
		Expose:      o.Texts("exposeHeaders"),
		MaxAge:      o.Duration("maxAge"),
		Credentials: o.Flag("allowCredentials"),
	}
	for _, origin := range o.Texts("allowOrigin") { // the older spelling
		c.Origins = append(c.Origins, routing.Text{Kind: routing.Exact, Value: origin})
	}
	for _, origin := range o.Objects("allowOrigins") {
		c.Origins = append(c.Origins, readStringMatch(origin))
	}
	c.IgnoreUnmatched = o.OneOf("unmatchedPreflights", "unknown", "", "UNSPECIFIED", "FORWARD", "IGNORE") == "IGNORE"
	return c
}

// readHeaderChanges reads headers, of a route or of a destination. Istio takes
// a Host among them, set or added, for the authority that is sent on.
func readHeaderChanges(f *strict.Object) (changes routing.Headers, authority string) {
	o := f.Object("headers")
	if o == nil {
		return changes, ""
	}
	defer o.Done()
	changes.Request, authority = readOperations(o, "request", true)
	changes.Response, _ = readOperations(o, "response", false)
	return changes, authority
}

func readOperations(f *strict.Object, name string, request bool) (changes routing.Operations, authority string) {
	o := f.Object(name)
	if o == nil {
		return changes, ""
	}
	defer o.Done()
	for _, kind := range []string{"add", "set"} { // set's authority goes before add's
		values := o.Within(kind)
		for _, header := range values.Keys() {
			value := values.Text(header)
			checkHeader(values, header, value)
			switch {
			case strings.EqualFold(header, "host"), strings.EqualFold(header, ":authority"):
				if !request {
					values.Refuse(header, "an answer has no such header")
				}
				authority = value
			case kind == "add":
				changes.Add = append(changes.Add, routing.Pair{Name: header, Value: value})
			default:
				changes.Set = append(changes.Set, routing.Pair{Name: header, Value: value})
			}
		}
	}
	for i, header := range o.Texts("remove") {
		if strings.EqualFold(header, "host") || !httpguts.ValidHeaderFieldName(header) {
			o.Refuse(fmt.Sprintf("remove[%d]", i), "%q is not a header that can be removed", header)
		}
		changes.Remove = append(changes.Remove, header)
	}
	return changes, authority
}

// checkHeader refuses what net/http could not send, and Envoy's variables:
// %REQ(x)% and the like are not filled in here.
func checkHeader(o *strict.Object, name, value string) {
	switch {
	case name != ":authority" && !httpguts.ValidHeaderFieldName(name):
		o.Refuse(name, "not a header's name")
	case strings.Contains(value, "%"):
		o.Refuse(name, "%q: the sandbox fills in no variables of Envoy's", value)
	case !httpguts.ValidHeaderFieldValue(value):
		o.Refuse(name, "%q cannot stand in a header", value)
	}
}

// readMirrors reads mirrors, and the single mirror that was there before them.
func readMirrors(f *strict.Object, namespace string) []mirror {
	var out []mirror
	for _, o := range f.Objects("mirrors") {
		share := readShare(o, 1, "")
		if to := o.Object("destination"); to != nil {
			out = append(out, mirror{share, readHost(to, namespace)})
		} else {
			o.Refuse("destination", "a destination is needed")
		}
		o.Done()
	}
	to := f.Object("mirror")
	share := 1.0
	if to == nil {
		if f.Set("mirrorPercentage") || f.Set("mirrorPercent") || f.Set("mirror_percent") {
			f.Refuse("mirrorPercentage", "there is no mirror that it could be for")
		}
	} else if len(out) > 0 {
		f.Refuse("mirror", "give either this or mirrors")
	}
	switch p := f.Object("mirrorPercentage"); {
	case p != nil:
		share = p.Decimal("value", 0, 100) / 100
		p.Done()
	case f.Has("mirrorPercent"):
		share = float64(f.Number("mirrorPercent", 0, 100)) / 100
	case f.Has("mirror_percent"):
		share = float64(f.Number("mirror_percent", 0, 100)) / 100
	}
	f.Ignore("mirrorPercent", "mirror_percent") // mirrorPercentage goes before them
	if to != nil {
		out = append(out, mirror{share, readHost(to, namespace)})
	}
	return out
}

// readAnswers reads what a route answers by itself, instead of a destination.
func readAnswers(f *strict.Object, r *httpRoute) {
	if o := f.Object("directResponse"); o != nil {
		a := &routing.Answer{Status: int(o.Number("status", 200, 599))}
		if a.Status == 0 {
			o.Refuse("status", "want the status to answer with, from 200 to 599")
		}
		if body := o.Object("body"); body != nil {
			a.Body = body.Text("string")
			body.Done()
		}
		o.Done()
		r.route.Answer = a
	}
	if o := f.Object("redirect"); o != nil {
		r.route.Redirect = readRedirect(o)
		if r.route.Answer != nil {
			f.Refuse("redirect", "give either this or directResponse")
		}
	}
}

func readRedirect(o *strict.Object) *routing.Redirect {
	defer o.Done()
	to := &routing.Redirect{
		Status:    int(o.Number("redirectCode", 300, 399)),
		Scheme:    o.Text("scheme"),
		Authority: o.Text("authority"),
		Path:      o.Text("uri"),
		Prefix:    o.Text("prefixRewrite"),
		Port:      o.Number("port", 1, 65535),
	}
	if to.Status == 0 {
		to.Status = http.StatusMovedPermanently
	}
	if !slices.Contains([]int{301, 302, 303, 307, 308}, to.Status) {
		o.Refuse("redirectCode", "%d: want 301, 302, 303, 307 or 308", to.Status)
	}
	if to.Path != "" && to.Prefix != "" {
		o.Refuse("prefixRewrite", "give either this or uri")
	}
	for _, path := range []string{to.Path, to.Prefix} {
		if strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			o.Refuse("uri", "%q is not a path", path)
		}
	}
	return to
}
