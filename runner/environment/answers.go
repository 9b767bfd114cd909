package environment

import (
	"regexp"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
)

// reserved are names that no outcome may have: reports use them for other things.
var reserved = []string{"error", "errors", "other"}

// answer checks one rule by itself.
func (c *checker) answer(a answerFrame) {
	v := a.Source
	if v.Kind() != document.Mapping {
		return
	}
	field, header, status, match := v.Get("json"), v.Get("header"), v.Get("status"), v.Get("match")
	// A key that is not known was meant as one of them, and has its mistake.
	given := slices.ContainsFunc(v.Keys(), func(key string) bool { return key != "is" })
	if !given {
		c.add(v.Mistake("the rule would match every answer").WithHint("give at least one of json, header, status, body and match"))
	}
	if field.Exists() && header.Exists() {
		c.add(header.KeyMistake("a rule looks at either a json field or a header").WithHint("write two rules"))
	}
	if text := field.Text(); field.Kind() == document.Scalar && slices.Contains(strings.Split(text, "."), "") {
		c.add(field.Mistake("want a field, or a path of fields with dots between, got %s", document.Quote(text)))
	}
	if header.Kind() == document.Scalar && !headerLike.MatchString(header.Text()) {
		c.add(header.Mistake("want the name of a header, got %s", document.Quote(header.Text())))
	}
	if isInteger(status.Text()) && (a.Status < 100 || a.Status > 599) && a.Status != 0 || status.Text() == "0" {
		c.add(status.Mistake("want a status from 100 to 599, got %s", status.Text()))
	}
	if body := v.Get("body"); body.Kind() == document.Scalar && body.Text() == "" {
		c.add(body.Mistake("the text is empty and stands in every body"))
	}
	if match.Kind() == document.Scalar {
		if _, err := regexp.Compile(match.Text()); err != nil {
			why := strings.TrimPrefix(err.Error(), "error parsing regexp: ")
			c.add(match.Mistake("not a regular expression (RE2): %s", why))
		}
	}
	if is := v.Get("is"); is.Len() > 0 && is.Kind() == document.Mapping && !field.Exists() && !header.Exists() && given {
		c.add(is.KeyMistake("a mapping of values needs a value to look at").WithHint("give json or header, or a single outcome"))
	}
}

// named is one place of the answers that names an outcome.
type named struct {
	outcome string
	value   document.Value
}

// named lists every place that names an outcome, in the file's order.
func (c *checker) named() []named {
	var all []named
	for _, a := range c.frame.Answers {
		is := a.Source.Get("is")
		if is.Kind() == document.Scalar && a.Is.Name == is.Text() {
			all = append(all, named{a.Is.Name, is})
		}
		for key, entry := range is.Entries() {
			if entry.Kind() == document.Scalar && a.Is.Values[key] == entry.Text() {
				all = append(all, named{entry.Text(), entry})
			}
		}
	}
	return all
}

// outcomes checks the names that answers give against the destinations.
//
// An answer may name an outcome that is no destination (denied). So a misspelt
// destination cannot be told from a new outcome by itself; but then the destination
// that was meant is named by no answer, and could never be seen. That is the rule:
// a destination that no answer names is a mistake; it is said of the new outcome that
// is spelt nearly the same, if there is one, or else of the destination. Two names
// that are near each other and both used (canary, canary2) are fine.
func (c *checker) outcomes() {
	destinations := c.environment.Order.Destinations
	all := c.named()
	for _, n := range all {
		if slices.Contains(destinations, n.outcome) {
			continue
		}
		if text, hint := document.BadName(n.outcome); text != "" {
			c.add(n.value.Mistake("%s", text).WithHint(hint))
		} else if slices.Contains(reserved, n.outcome) {
			c.add(n.value.Mistake("%s cannot name an outcome: reports use the word", n.outcome).WithHint("choose another name"))
		}
	}
	if len(c.frame.Answers) == 0 && len(destinations) > 0 {
		c.noAnswers()
		return
	}
	for _, d := range destinations {
		if !slices.ContainsFunc(all, func(n named) bool { return n.outcome == d }) {
			c.unseen(d, all)
		}
	}
}

// noAnswers says that destinations without answers cannot be told apart.
func (c *checker) noAnswers() {
	root := c.environment.Source
	answers := root.Get("answers")
	if answers.Exists() && (answers.Kind() != document.Sequence || answers.Len() > 0) {
		return // could not be read, and has its mistake
	}
	c.add(root.Get("destinations").KeyMistake("no answers tell these destinations apart").
		WithHint("add answers, such as {json: color, is: {blue: blue}}"))
}

// unseen says that no answer names a destination.
func (c *checker) unseen(destination string, all []named) {
	for _, n := range all {
		if near := document.DidYouMean(n.outcome, []string{destination}); near != "" && !slices.Contains(c.environment.Order.Destinations, n.outcome) {
			c.add(n.value.Mistake("%q is not a destination, and no answer is %s", n.outcome, destination).WithHint(near))
			return
		}
	}
	v := c.environment.Source.Get("destinations").Get(destination)
	c.add(v.KeyMistake("no answer is %s, so it could never be seen", destination).WithHint("add it to the answers"))
}
