package main

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/sample"
)

// answersHelp says how --answer is written.
const answersHelp = `How an answer tells its outcome (--answer; of several the first that matches counts):

  json:color              the value of a field of the JSON body; json:pod.name of one within another
  header:X-Version        the value of a header
  status                  the status: 200, 404 … (500 and more are errors, unless --expect names them)
  body                    the whole body, if it is short
  body:TEXT=NAME          NAME, if the body contains TEXT; without =NAME it is TEXT
  match:REGEXP=NAME       NAME, if the body matches a regular expression (RE2)
  header:X-Denied=NAME    NAME, if there is such a header; so with json:FIELD=NAME and status:403=NAME`

// answerKinds are what --answer may begin with.
var answerKinds = []string{"json", "header", "status", "body", "match"}

// answerRules reads --answer. Without it the outcome is the status, which only
// does where nothing but statuses is expected.
func answerRules(answers, expected []string) ([]sample.Rule, document.Mistakes) {
	var rules []sample.Rule
	var ms document.Mistakes
	if len(answers) == 0 {
		if i := slices.IndexFunc(expected, func(name string) bool { return !isStatus(name) }); i >= 0 {
			return nil, document.Mistakes{{Path: "--answer", Text: "is missing: how does an answer tell that it is " + expected[i] + "?", Hint: "for example --answer json:color or --answer header:X-Version"}}
		}
		answers = []string{"status"}
	}
	for _, text := range answers {
		made, m := answerRule(text, expected)
		if m.Text != "" {
			m.Path = "--answer " + text
			ms = append(ms, m)
			continue
		}
		rules = append(rules, made...)
	}
	return rules, ms
}

// answerRule reads one answer; a mistake has a text.
func answerRule(text string, expected []string) ([]sample.Rule, document.Mistake) {
	kind, what, given := strings.Cut(text, ":")
	r := sample.Rule{}
	i := strings.LastIndex(what, "=")
	if i >= 0 {
		if what, r.Name = what[:i], what[i+1:]; r.Name == "" {
			return nil, document.Mistake{Text: "the name behind = is missing", Hint: "for example " + text + "old"}
		}
	}
	missing := func(example string) ([]sample.Rule, document.Mistake) {
		return nil, document.Mistake{Text: "says only half of it", Hint: "for example " + example}
	}
	switch kind {
	case "json":
		if r.JSON = what; what == "" {
			return missing("json:color")
		}
		if slices.Contains(strings.Split(what, "."), "") {
			return nil, document.Mistake{Text: fmt.Sprintf("want a field, or a path of fields with dots between, got %q", what)}
		}
	case "header":
		if r.Header = what; what == "" {
			return missing("header:X-Version")
		}
		if strings.ContainsAny(what, " \t:") || http.CanonicalHeaderKey(what) == "" {
			return nil, document.Mistake{Text: fmt.Sprintf("want the name of a header, got %q", what)}
		}
	case "status":
		if !given {
			return statusRules(expected), document.Mistake{}
		}
		if !isStatus(what) {
			return nil, document.Mistake{Text: fmt.Sprintf("want a status from 100 to 599, got %q", what), Hint: "for example status:403=denied"}
		}
		r.Status, _ = strconv.Atoi(what)
		if r.Name == "" {
			r.Name = what
		}
	case "body":
		if !given {
			return []sample.Rule{{BodyValue: true}}, document.Mistake{}
		}
		if r.Body = what; what == "" {
			return missing("body:hello=v1")
		}
		if r.Name == "" {
			r.Name = what
		}
	case "match":
		if what == "" || r.Name == "" {
			return missing("match:^v1=old")
		}
		pattern, err := regexp.Compile(what)
		if err != nil {
			return nil, document.Mistake{Text: "not a regular expression (RE2): " + strings.TrimPrefix(err.Error(), "error parsing regexp: ")}
		}
		r.Match = pattern
	default:
		return nil, document.Mistake{Text: fmt.Sprintf("unknown way to tell an answer: %q", kind), Hint: document.OneOf(kind, answerKinds)}
	}
	if err := reserved(r.Name, "choose another name"); err != nil {
		return nil, err.(document.Mistake)
	}
	return []sample.Rule{r}, document.Mistake{}
}

// statusRules make the status the outcome. One of 500 and more is a failed
// request unless it is expected by name.
func statusRules(expected []string) []sample.Rule {
	rules := []sample.Rule{{StatusValue: true}}
	for _, name := range expected {
		if status, err := strconv.Atoi(name); err == nil && isStatus(name) && status >= http.StatusInternalServerError {
			rules = append(rules, sample.Rule{StatusValue: true, Status: status})
		}
	}
	return rules
}

func isStatus(name string) bool {
	status, err := strconv.Atoi(name)
	return err == nil && len(name) == 3 && status >= 100 && status < 600
}
