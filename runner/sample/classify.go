package sample

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Rule names the outcome of the answers that it matches. Every condition that
// is set must hold.
type Rule struct {
	// JSON is the dotted path of a field of the body, "color" or "a.0.b"; its
	// value is a string, number or boolean. Header is the name of a header
	// field. At most one of them gives the rule its value.
	JSON, Header string
	Status       int    // 0: any below 500, for what is above is a failed request
	Body         string // the body contains it
	// Match is looked for in the value of JSON or Header, else in the body.
	Match *regexp.Regexp
	// Values maps the value to the outcome; a value that is not in it does not
	// match. Else Name is the outcome, else the value itself.
	Values map[string]string
	Name   string
}

// Classifier names outcomes by rules; the first that matches counts.
type Classifier struct{ rules []Rule }

// NewClassifier returns a classifier of the rules, in their order.
func NewClassifier(rules []Rule) *Classifier {
	return &Classifier{rules: append([]Rule(nil), rules...)}
}

// Classify returns the outcome of an answer; false when no rule matches.
func (c *Classifier) Classify(status int, h http.Header, body []byte) (outcome string, ok bool) {
	if c == nil {
		return "", false
	}
	a := answer{status: status, header: h, body: body}
	for i := range c.rules {
		if outcome, ok = c.rules[i].match(&a); ok {
			return outcome, true
		}
	}
	return "", false
}

func (r *Rule) match(a *answer) (string, bool) {
	// A backend that fails says its name as well as ever: only a rule that names
	// such a status makes an outcome of it.
	if r.Status != a.status && (r.Status != 0 || a.status >= http.StatusInternalServerError) {
		return "", false
	}
	if r.Body != "" && !bytes.Contains(a.body, []byte(r.Body)) {
		return "", false
	}
	value, ok := r.value(a)
	if !ok {
		return "", false
	}
	if r.Match != nil && (r.valued() && !r.Match.MatchString(value) || !r.valued() && !r.Match.Match(a.body)) {
		return "", false
	}
	switch {
	case r.Values != nil:
		value, ok = r.Values[value]
		return value, ok
	case r.Name != "":
		return r.Name, true
	}
	return value, value != ""
}

func (r *Rule) valued() bool { return r.JSON != "" || r.Header != "" }

// value is what JSON or Header select; "" and true when the rule has neither.
func (r *Rule) value(a *answer) (string, bool) {
	switch {
	case r.JSON != "":
		return a.field(r.JSON)
	case r.Header != "":
		values := a.header.Values(r.Header)
		if len(values) == 0 {
			return "", false
		}
		return values[0], true
	}
	return "", true
}

// answer reads the body's outer level at most once for all rules.
type answer struct {
	status int
	header http.Header
	body   []byte
	top    json.RawMessage
	read   bool
	valid  bool
}

// field finds the value at the path. The whole body must be valid JSON; of
// equal keys the last one counts, as encoding/json has it.
func (a *answer) field(path string) (string, bool) {
	if !a.read {
		a.read, a.valid = true, json.Valid(a.body)
		a.top = bytes.TrimSpace(a.body)
	}
	if !a.valid {
		return "", false
	}
	at := a.top
	for _, key := range strings.Split(path, ".") {
		var ok bool
		if at, ok = child(at, key); !ok {
			return "", false
		}
	}
	return scalar(at)
}

// child is the member of an object, or the element of an array, named by key.
func child(v json.RawMessage, key string) (json.RawMessage, bool) {
	switch v[0] {
	case '{':
		var members map[string]json.RawMessage
		if json.Unmarshal(v, &members) != nil {
			return nil, false
		}
		m, ok := members[key]
		return m, ok
	case '[':
		var elements []json.RawMessage
		i, err := strconv.Atoi(key)
		if err != nil || json.Unmarshal(v, &elements) != nil || i < 0 || i >= len(elements) {
			return nil, false
		}
		return elements[i], true
	}
	return nil, false
}

// scalar is the text of a string, number or boolean; objects, arrays and null
// have none.
func scalar(v json.RawMessage) (string, bool) {
	switch v[0] {
	case '"':
		var s string
		err := json.Unmarshal(v, &s)
		return s, err == nil
	case '{', '[', 'n':
		return "", false
	}
	return string(v), true
}
