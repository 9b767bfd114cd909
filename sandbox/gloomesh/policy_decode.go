package gloomesh

import (
	"math"
	"net/http"
	"regexp"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/meshassay/assay/sandbox/strict"
)

// A policy is what is done with requests, be it a TrafficPolicy's spec.policy,
// a route's options or a host's.
type policy struct {
	shift []destination // none: no shift
	parts []part
}

// A part is one thing that a policy does with the requests of a whole route.
type part struct {
	path   string         // spec.policy.retries
	field  string         // retries
	route  map[string]any // what an HTTPRoute has for it
	mirror *mirrorTo      // whose host depends on the cluster, so that it comes later
}

// A mirrorTo is who gets copies of requests, and of how many of them.
type mirrorTo struct {
	to      destination
	percent float64
}

// decodePolicy reads a Policy. Gloo Mesh, Istio and Envoy have more parts than
// stand here; what is not read is refused.
func decodePolicy(o *strict.Object) policy {
	defer o.Done()
	var p policy
	if shift := o.Object("trafficShift"); shift != nil {
		p.shift = decodeDestinations(shift)
		shift.Done()
	}
	for _, decoder := range []struct {
		field  string
		decode func(*strict.Object, *part)
	}{
		{"corsPolicy", decodeCors}, {"faultInjection", decodeFault}, {"headerManipulation", decodeHeaders},
		{"mirror", decodeMirror}, {"retries", decodeRetries},
	} {
		if nested := o.Object(decoder.field); nested != nil {
			one := part{path: nested.Path(), field: decoder.field, route: map[string]any{}}
			decoder.decode(nested, &one)
			nested.Done()
			p.parts = append(p.parts, one)
		}
	}
	if wait := decodeDuration(o, "requestTimeout"); wait != "" {
		p.parts = append(p.parts, part{path: o.At("requestTimeout"), field: "requestTimeout", route: map[string]any{"timeout": wait}})
	}
	if mtls := o.Object("mtls"); mtls != nil {
		decodeMTLS(mtls)
	}
	return p
}

// decodeMTLS takes the mode in which the sandbox's mesh calls every service
// anyway, and no other. An unset mode is the first one, DISABLE.
func decodeMTLS(o *strict.Object) {
	defer o.Done()
	istio := o.Within("istio")
	defer istio.Done()
	if istio.Text("tlsMode") != "ISTIO_MUTUAL" {
		istio.NotHonoured("tlsMode")
	}
}

// decodeOptions reads the options of a route or of a host; nil where there are
// none. The API says that neither has traffic shifts nor outlier detection.
func decodeOptions(parent *strict.Object, name string) *policy {
	o := parent.Object(name)
	if o == nil {
		return nil
	}
	if o.Set("trafficShift") {
		o.NotHonoured("trafficShift")
	}
	p := decodePolicy(o)
	p.shift = nil
	return &p
}

// decodeDuration reads a duration of at least a millisecond, as Istio writes
// it; unset is "".
func decodeDuration(o *strict.Object, name string) string {
	if o.Text(name) == "" {
		return ""
	}
	d := o.Duration(name)
	if d > 0 && d < time.Millisecond {
		o.Refuse(name, "%s is shorter than 1ms", d)
	}
	if d == 0 {
		return ""
	}
	return d.String()
}

// decodeFault reads a FaultInjection. Without a percentage it is for every
// request, whereas Istio's would be for none.
func decodeFault(o *strict.Object, p *part) {
	percent := o.Decimal("percentage", 0, 100)
	if percent == 0 {
		percent = 100
	}
	percentage := map[string]any{"value": percent}
	fault := map[string]any{}
	if delay := decodeDuration(o, "fixedDelay"); delay != "" {
		fault["delay"] = map[string]any{"fixedDelay": delay, "percentage": percentage}
	}
	if abort := o.Object("abort"); abort != nil {
		status := abort.Number("httpStatus", 200, 599)
		if status == 0 {
			abort.Refuse("httpStatus", "required: from 200 to 599")
		}
		abort.Done()
		fault["abort"] = map[string]any{"httpStatus": status, "percentage": percentage}
	}
	switch len(fault) {
	case 0:
		o.RefuseAll("want a fixedDelay or an abort")
	case 2:
		o.RefuseAll("give either fixedDelay or abort")
	}
	p.route["fault"] = fault
}

// decodeRetries reads a RetryPolicy. It has no conditions, so Istio's default
// ones hold: a connection that does not come about, and not an answer of 5xx.
func decodeRetries(o *strict.Object, p *part) {
	retries := map[string]any{"attempts": o.Number("attempts", 0, math.MaxInt32)}
	if limit := decodeDuration(o, "perTryTimeout"); limit != "" {
		retries["perTryTimeout"] = limit
	}
	p.route["retries"] = retries
}

func decodeHeaders(o *strict.Object, p *part) {
	if headers := readHeaderManipulation(o); headers != nil {
		p.route["headers"] = headers
	}
}

// readHeaderManipulation makes the Headers of an HTTPRoute or of one of its
// destinations; nil where nothing is to be changed.
func readHeaderManipulation(o *strict.Object) map[string]any {
	out := map[string]any{}
	for _, side := range []struct{ istio, add, remove string }{
		{"request", "appendRequestHeaders", "removeRequestHeaders"},
		{"response", "appendResponseHeaders", "removeResponseHeaders"},
	} {
		one := map[string]any{}
		add := o.Labels(side.add)
		for _, name := range sortedKeys(add) {
			checkHeader(o, side.add+"."+name, name, add[name])
		}
		if len(add) > 0 {
			one["add"] = textsAny(add)
		}
		remove := o.Texts(side.remove)
		for _, name := range remove {
			checkHeader(o, side.remove, name, "")
		}
		if len(remove) > 0 {
			one["remove"] = listAny(remove)
		}
		if len(one) > 0 {
			out[side.istio] = one
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// checkHeader refuses what is no header, and what the sandbox's gateways could
// not do: Envoy's variables (%REQ(x)%), which they do not fill in, and another
// Host, which is a part of the request line to Envoy.
func checkHeader(o *strict.Object, field, name, value string) {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		o.Refuse(field, "%q is not a header's name", name)
	case strings.EqualFold(name, "host"), strings.Contains(value, "%"):
		o.NotHonoured(field)
	case !httpguts.ValidHeaderFieldValue(value):
		o.Refuse(field, "%q cannot stand in a header", value)
	}
}

func decodeMirror(o *strict.Object, p *part) {
	m := &mirrorTo{percent: o.Decimal("percentage", 0, 100)}
	if m.percent == 0 {
		m.percent = 100 // all of them when it is not said
	}
	if service := o.Object("kubeService"); service != nil {
		m.to = destination{path: service.Path(), service: decodeServiceRef(service)}
		service.Done()
	} else {
		o.Refuse("kubeService", "required: where the copies go")
	}
	m.to.port = o.Number("port", 0, math.MaxUint32)
	p.mirror = m
}

func decodeCors(o *strict.Object, p *part) {
	cors := map[string]any{}
	var origins []any
	for _, origin := range o.Objects("allowOrigins") {
		match := decodeURI(origin)
		if match.kind == "" {
			origin.RefuseAll("want one of exact, prefix, regex, suffix")
			continue
		}
		if match.ignoreCase { // Istio has no such flag here, and RE2 has one
			match = text{kind: "regex", value: "(?i)" + match.pattern()}
		}
		origins = append(origins, map[string]any{match.kind: match.value})
	}
	if len(origins) > 0 {
		cors["allowOrigins"] = origins
	}
	for _, name := range []string{"allowMethods", "allowHeaders", "exposeHeaders"} {
		if list := o.Texts(name); len(list) > 0 {
			cors[name] = listAny(list)
		}
	}
	if age := decodeDuration(o, "maxAge"); age != "" {
		cors["maxAge"] = age
	}
	if o.Set("allowCredentials") {
		cors["allowCredentials"] = o.Flag("allowCredentials")
	}
	p.route["corsPolicy"] = cors
}

// pattern is t as a regular expression.
func (t text) pattern() string {
	quoted := regexp.QuoteMeta(t.value)
	switch t.kind {
	case "prefix":
		return quoted + ".*"
	case "exact":
		return quoted
	}
	return t.value
}

// decodeAnswer reads a redirect or a direct response; nil where the route has
// neither. It is the part of an HTTPRoute that stands for it.
func decodeAnswer(route *strict.Object) map[string]any {
	if o := route.Object("directResponseAction"); o != nil {
		defer o.Done()
		status := o.Number("status", 200, 599)
		if status == 0 {
			o.Refuse("status", "required: from 200 to 599")
		}
		answer := map[string]any{"status": status}
		if body := o.Text("body"); body != "" {
			answer["body"] = map[string]any{"string": body}
		}
		return map[string]any{"directResponse": answer}
	}
	o := route.Object("redirectAction")
	if o == nil {
		return nil
	}
	defer o.Done()
	redirect := map[string]any{}
	put := func(name, value string) {
		if value != "" {
			redirect[name] = value
		}
	}
	put("authority", o.Text("hostRedirect"))
	put("uri", decodePath(o, "pathRedirect"))
	put("prefixRewrite", decodePath(o, "prefixRewrite"))
	if redirect["uri"] != nil && redirect["prefixRewrite"] != nil {
		o.Refuse("prefixRewrite", "give either this or pathRedirect")
	}
	if o.Flag("httpsRedirect") {
		put("scheme", "https")
	}
	if code := o.OneOf("responseCode", "unknown", "", "MOVED_PERMANENTLY", "FOUND", "SEE_OTHER", "TEMPORARY_REDIRECT", "PERMANENT_REDIRECT"); code != "" {
		redirect["redirectCode"] = int64(redirectCodes[code])
	}
	return map[string]any{"redirect": redirect}
}

// decodePath reads what is to stand in the place of a path; unset is "".
func decodePath(o *strict.Object, name string) string {
	path := o.Text(name)
	if path != "" && !strings.HasPrefix(path, "/") || strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		o.Refuse(name, "%q is not a path, such as /api", path)
	}
	return path
}

var redirectCodes = map[string]int{
	"MOVED_PERMANENTLY":  http.StatusMovedPermanently,
	"FOUND":              http.StatusFound,
	"SEE_OTHER":          http.StatusSeeOther,
	"TEMPORARY_REDIRECT": http.StatusTemporaryRedirect,
	"PERMANENT_REDIRECT": http.StatusPermanentRedirect,
}
