package sample

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// Rule names the outcome of the answers that it matches. Every condition that
// is set must hold.
type Rule struct {
	// JSON is the dotted path of a field of the body, "color" or "a.0.b", where
	// a number may lead into an array; its value is a string, or a number or
	// boolean as it stands. The whole body must be valid JSON, and of members
	// with equal names the last one counts, as encoding/json has it. Header is
	// the name of a header field, of which the first counts. At most one of
	// them gives the rule its value.
	JSON, Header string
	// StatusValue and BodyValue make the status, or the whole body without the
	// white space around it, the rule's value. A body of more than 200 bytes is
	// no value.
	StatusValue, BodyValue bool
	Status                 int    // 0: any below 500, for what is above is a failed request
	Body                   string // the body contains it
	// Match is looked for in the value of JSON or Header, else in the body.
	Match *regexp.Regexp
	// Values maps the value to the outcome; a value that is not in it does not
	// match. Else Name is the outcome, else the value itself; one of more than 200
	// bytes does not match.
	Values map[string]string
	Name   string
}

// Classifier names outcomes by rules; the first that matches counts. It may be
// used by several goroutines at once.
type Classifier struct {
	rules []rule
	paths []path // the different ones of all rules
	names words  // of outcomes that are values of answers
}

// rule is a Rule made ready.
type rule struct {
	Rule
	header string // in canonical form
	body   []byte
	path   int         // index into Classifier.paths, or -1
	few    [][2]string // Values and what they map to, when that is faster than a map
}

// NewClassifier returns a classifier of the rules, in their order.
func NewClassifier(rules []Rule) *Classifier {
	c := &Classifier{}
	var dotted []string
	for _, r := range rules {
		made := rule{Rule: r, header: http.CanonicalHeaderKey(r.Header), body: []byte(r.Body), path: -1}
		if r.JSON != "" {
			if made.path = slices.Index(dotted, r.JSON); made.path < 0 {
				made.path = len(dotted)
				dotted = append(dotted, r.JSON)
				c.paths = append(c.paths, newPath(r.JSON))
			}
		}
		if len(r.Values) <= 8 {
			for value, outcome := range r.Values {
				made.few = append(made.few, [2]string{value, outcome})
			}
		}
		c.rules = append(c.rules, made)
	}
	return c
}

// Header is the header of an answer, however it is kept.
type Header interface {
	// First is the first value of the field with this name, which is in
	// canonical form (X-Served-By). The bytes are only read, and only until
	// Outcome returns.
	First(name string) (value []byte, ok bool)
}

// netHeader is a header as net/http keeps it.
type netHeader http.Header

func (h netHeader) First(name string) ([]byte, bool) {
	if values := h[name]; len(values) > 0 {
		return []byte(values[0]), true
	}
	return nil, false
}

// Classify returns the outcome of an answer; false when no rule matches.
func (c *Classifier) Classify(status int, h http.Header, body []byte) (outcome string, ok bool) {
	return c.Outcome(status, netHeader(h), body)
}

// Outcome is Classify for a header that is kept in another way. It allocates
// nothing, but for what h does, for a regular expression's working space now
// and then, for a value with escapes in it, and for a value that is an outcome
// itself and comes up for the first time: equal outcomes are one string.
func (c *Classifier) Outcome(status int, h Header, body []byte) (outcome string, ok bool) {
	if c == nil {
		return "", false
	}
	a := answer{status: status, header: h, body: body}
	for i := range c.rules {
		if outcome, ok = c.match(&c.rules[i], &a); ok {
			return outcome, true
		}
	}
	return "", false
}

func (c *Classifier) match(r *rule, a *answer) (string, bool) {
	// A backend that fails says its name as well as ever: only a rule that names
	// such a status makes an outcome of it.
	if r.Status != a.status && (r.Status != 0 || a.status >= http.StatusInternalServerError) {
		return "", false
	}
	if len(r.body) > 0 && !bytes.Contains(a.body, r.body) {
		return "", false
	}
	var value []byte
	ok := true
	switch {
	case r.path >= 0:
		value, ok = a.field(c.paths[r.path], r.path)
	case r.header != "":
		value, ok = a.header.First(r.header)
	case r.StatusValue:
		value, ok = statusTexts[a.status%1000], a.status < 1000
	case r.BodyValue:
		value = bytes.TrimSpace(a.body)
		ok = len(value) <= bodyKept
	}
	if !ok {
		return "", false
	}
	if r.Match != nil {
		text := value
		if r.path < 0 && r.header == "" {
			text = a.body
		}
		if !r.Match.Match(text) {
			return "", false
		}
	}
	for i := range r.few {
		if string(value) == r.few[i][0] {
			return r.few[i][1], true
		}
	}
	switch {
	case r.few != nil:
		return "", false
	case r.Values != nil:
		outcome, ok := r.Values[string(value)]
		return outcome, ok
	case r.Name != "":
		return r.Name, true
	}
	// A name is no document: a gateway could make this side keep as many as it
	// keeps names, each as long as a body may be.
	if len(value) == 0 || len(value) > bodyKept {
		return "", false
	}
	return c.names.name(value), true
}

// statusTexts are made once: a text made for each answer would be garbage.
var statusTexts = func() (texts [1000][]byte) {
	for i := range texts {
		texts[i] = strconv.AppendInt(nil, int64(i), 10)
	}
	return texts
}()

// answer is what is known of one answer while the rules are tried.
type answer struct {
	status int
	header Header
	body   []byte
	// Several rules may look at the same field. Where the first few stand is
	// kept; others are looked for again.
	known [4]struct {
		found
		looked bool
	}
	invalid bool // the body is not JSON
}

// field is the text of the value at a path, the one with this number.
func (a *answer) field(p path, number int) ([]byte, bool) {
	if a.invalid {
		return nil, false
	}
	var at found
	if number < len(a.known) && a.known[number].looked {
		at = a.known[number].found
	} else {
		var valid bool
		if at, valid = p.find(a.body); !valid {
			a.invalid = true
			return nil, false
		}
		if number < len(a.known) {
			a.known[number].found, a.known[number].looked = at, true
		}
	}
	if at.end == 0 {
		return nil, false
	}
	return scalar(a.body[at.start:at.end], at.escapes)
}

// words makes one string of equal values, for as many as a service may have
// backends and not for as many as it may have answers.
type words struct {
	known atomic.Pointer[map[string]string] // never changed, only replaced
	mu    sync.Mutex                        // held while it is replaced
}

// namesLimit is how many different values are kept.
const namesLimit = 256

func (n *words) name(value []byte) string {
	if known := n.known.Load(); known != nil {
		if name, ok := (*known)[string(value)]; ok {
			return name
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	next := make(map[string]string)
	if known := n.known.Load(); known != nil {
		if name, ok := (*known)[string(value)]; ok {
			return name
		}
		if len(*known) >= namesLimit {
			return string(value)
		}
		for name := range *known {
			next[name] = name
		}
	}
	name := string(value)
	next[name] = name
	n.known.Store(&next)
	return name
}
