package main

// form is what a text must look like.
type form struct {
	// one and many are its words: "a name", "names".
	one, many string
	// pattern is a regular expression that says the same to RE2 and to
	// JavaScript: without look-ahead and without classes that differ.
	pattern string
	longest int    // in characters; 0: any
	wanted  string // what an editor says when the pattern does not match; "" : want ONE
	// examples are offered where nothing else is known.
	examples []string
}

const (
	nameText   = `[a-z0-9]([-a-z0-9]*[a-z0-9])?`
	headerText = "^[-!#$%&'*+.^_`|~0-9A-Za-z]+$"
)

// forms are the words for texts that the tag "schema" knows. The tests hold them
// against the parser.
var forms = map[string]*form{
	"name": {one: "name", many: "names", pattern: `^` + nameText + `$`, longest: 63,
		wanted: "want a name of small letters, digits and dashes, of at most 63 characters"},
	"label": {one: "label", many: "labels", pattern: `^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$`, longest: 63,
		wanted: "want a label of letters, digits, dashes, dots and underscores"},
	"chapter": {one: "`DOCUMENT#HEADING`", many: "chapters", pattern: `^[^#\s]+(#[^#\s]+)?$`,
		wanted: "want DOCUMENT or DOCUMENT#HEADING, such as traffic-management#canary", examples: []string{"traffic-management#canary"}},
	"line":  {one: "one line of text", many: "lines of text", pattern: `^[^\n]*\S[^\n]*$`, wanted: "want one line of text"},
	"words": {one: "text", many: "texts", pattern: `\S`, wanted: "want a text, or leave the key out"},
	"file":  {one: "path", many: "paths", pattern: `^[^/]`, wanted: "want a path from the scenario's folder, such as manifests/canary.yaml"},
	"resource": {one: "resource", many: "resources", pattern: `^` + nameText + `(\.` + nameText + `)*$`,
		wanted:   "want the plural in small letters, then the group: deployments.apps",
		examples: []string{"trafficpolicies.networking.mesh.gloo.solo.io", "deployments.apps", "services"}},
	"path": {one: "path that begins with `/`", many: "paths that begin with `/`", pattern: `^(/|$)`,
		wanted: "want a path that begins with /: the gateway's address is in the environment", examples: []string{"/api"}},
	"method": {one: "HTTP method", many: "HTTP methods", pattern: `^$|` + headerText, wanted: "want an HTTP method such as GET",
		examples: []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}},
	"header": {one: "name of a header", many: "names of headers", pattern: headerText, wanted: "want the name of a header, such as User-Agent"},
	"url": {one: "URL", many: "URLs", pattern: `^https?://[^/]|^\$\{`, wanted: "want a URL with http:// or https:// and a host",
		examples: []string{"http://blue-green-canary.blue-green-canary:8080/api"}},
	"address": {one: "address", many: "addresses", pattern: `^https?://[^/?#@]+/?$`,
		wanted: "want an address that begins with http:// or https:// and has no path", examples: []string{"http://127.0.0.1:8080"}},
	"proxy": {one: "address", many: "addresses", pattern: `^(https?|socks5)://[^/?#]+/?$`,
		wanted: "want an address that begins with http://, https:// or socks5:// and has no path", examples: []string{"http://127.0.0.1:3128"}},
	"service": {one: "`NAMESPACE/NAME`", many: "services", pattern: `^` + nameText + `/[a-z]([-a-z0-9]*[a-z0-9])?$`,
		wanted: "want NAMESPACE/NAME of a Service, such as istio-system/istio-ingressgateway", examples: []string{"istio-system/istio-ingressgateway"}},
	"port": {one: "name or number of a port", many: "ports", pattern: `^` + nameText + `$`,
		wanted: "want the name or the number of a port, such as http2 or 80", examples: []string{"http2"}},
	"touch": {one: "`CLUSTER/RESOURCE/NAMESPACE/NAME`", many: "objects", pattern: `^` + nameText + `/` + nameText + `(\.` + nameText + `)*(/[^/*?\[]+){1,2}$`,
		wanted:   "want CLUSTER/RESOURCE/NAMESPACE/NAME, or CLUSTER/RESOURCE/NAME for a kind that lives in no namespace",
		examples: []string{"mgmt/trafficpolicies.networking.mesh.gloo.solo.io/gloo-mesh/blue-green-canary"}},
	"dotted": {one: "path with dots", many: "paths with dots", pattern: `^[^.]+(\.[^.]+)*$`,
		wanted: "want a field, or a path of fields with dots between", examples: []string{"color"}},
	"var": {one: "name of letters, digits and underscores", many: "names", pattern: `^[A-Za-z_][A-Za-z0-9_]*$`,
		wanted: "want a name of letters, digits and underscores"},
}

// units are the forms of quantities, by the type of package document that reads
// them. positive takes the place of pattern where 0 would be refused.
var units = map[string]struct {
	form
	positive string
}{
	"Percent": {form: form{one: "percentage", many: "percentages", pattern: percentText,
		wanted: "want a percentage from 0% to 100%, with its sign, such as 40%", examples: []string{"40%", "100%"}}},
	"Points": {form: form{one: "percentage points", many: "percentage points", pattern: percentDigits + ` *pp$`,
		wanted: "want percentage points such as 3pp", examples: []string{"3pp", "5pp"}},
		positive: `^(0*100(\.0+)?|0*[1-9][0-9]?(\.[0-9]+)?|0*\.0*[1-9][0-9]*) *pp$`},
	"Rate": {form: form{one: "rate", many: "rates", pattern: `^([0-9]*[1-9][0-9]*(\.[0-9]+)?|[0-9]*\.[0-9]*[1-9][0-9]*) */s$`,
		wanted: "want a number of times a second such as 200/s", examples: []string{"200/s"}}},
	"Duration": {form: form{one: "duration", many: "durations", pattern: `^\+?` + durationTerm + `+$`,
		wanted: "want a duration with its unit, such as 30s, 1m30s or 250ms", examples: []string{"30s", "10s", "1m"}},
		positive: `^\+?` + durationTerm + `*([0-9]*[1-9][0-9]*(\.[0-9]*)?|[0-9]*\.[0-9]*[1-9][0-9]*)` + durationUnit + durationTerm + `*$`},
}

const (
	percentDigits = `^(0*100(\.0+)?|0*[0-9]{1,2}(\.[0-9]+)?|\.[0-9]+)`
	percentText   = percentDigits + ` *%$`
	durationUnit  = `(ns|us|µs|μs|ms|s|m|h)`
	durationTerm  = `(([0-9]+(\.[0-9]*)?|\.[0-9]+)` + durationUnit + `)`
)
