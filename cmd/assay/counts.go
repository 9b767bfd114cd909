package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// counted is what was counted, by name, with what is wrong with it.
type counted struct {
	known    []string // the names that are expected
	counts   map[string]int64
	errors   int64
	places   map[string]string // where each name was counted
	mistakes document.Mistakes
}

func newCounted(known []string) *counted {
	return &counted{known: known, counts: make(map[string]int64), places: make(map[string]string)}
}

// add takes in one count; at is its place.
func (c *counted) add(name, number string, at document.Mistake) {
	wrong := func(text, hint string) {
		at.Text, at.Hint = text, hint
		c.mistakes = append(c.mistakes, at)
	}
	if strings.TrimSpace(name) == "" {
		wrong(fmt.Sprintf("%s of what? the name is missing", number), "failed requests are counted as errors="+number)
		return
	}
	if name != errorsName {
		if m, ok := reserved(name, "failed requests are counted as errors=3").(document.Mistake); ok {
			wrong(m.Text, m.Hint)
			return
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		wrong(fmt.Sprintf("want a whole number of answers, got %q", number), numberMeant(number))
		return
	}
	place := at.Path
	if at.Pos.Line > 0 {
		place = at.Pos.String()
	}
	if before, twice := c.places[name]; twice {
		wrong(fmt.Sprintf("%s was counted already (%s)", name, before), "add them up; uniq -c wants its input sorted")
		return
	}
	c.places[name] = place
	if name == errorsName {
		c.errors = n
	} else {
		c.counts[name] = n
	}
}

// numberMeant is the hint for what is no whole number.
func numberMeant(text string) string {
	switch {
	case strings.Contains(text, "%"):
		return "how often it came: shares alone say nothing of how sure they are"
	case thousands.MatchString(text):
		return "did you mean " + separators.Replace(text) + "?"
	}
	return ""
}

var (
	thousands  = regexp.MustCompile(`^[0-9]{1,3}([,._'][0-9]{3})+$`)
	separators = strings.NewReplacer(",", "", ".", "", "_", "", "'", "")
)

func isCount(text string) bool {
	_, err := strconv.ParseUint(text, 10, 63)
	return err == nil
}

// arguments reads counts such as blue=812.
func (c *counted) arguments(args []string) {
	for _, arg := range args {
		at := document.Mistake{Path: arg}
		i := strings.LastIndex(arg, "=")
		if i <= 0 {
			at.Text, at.Hint = "want NAME=COUNT", "for example blue=812"
			c.mistakes = append(c.mistakes, at)
			continue
		}
		c.add(strings.TrimSpace(arg[:i]), strings.TrimSpace(arg[i+1:]), at)
	}
}

// file reads counts from a file's text: lines, or JSON.
func (c *counted) file(name string, text []byte) {
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		c.json(name, text)
		return
	}
	c.lines(name, string(text))
}

// lines reads name=count, "name count", or "count name" as uniq -c writes it.
func (c *counted) lines(file, text string) {
	number, any := 0, false
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		any = true
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		at := document.Mistake{Pos: document.Pos{File: file, Line: number, Col: 1 + utf8.RuneCountInString(line[:indent])}, Source: line}
		name, count, wrong, hint := c.line(strings.TrimSpace(line))
		if wrong != "" {
			at.Text, at.Hint = wrong, hint
			c.mistakes = append(c.mistakes, at)
			continue
		}
		c.add(name, count, at)
	}
	if !any {
		c.mistakes = append(c.mistakes, document.Mistake{Pos: document.Pos{File: file}, Text: "no counts in it", Hint: "a line for each outcome, such as blue=812"})
	}
}

// line parts one line into a name and a count.
func (c *counted) line(line string) (name, count, wrong, hint string) {
	if i := strings.LastIndex(line, "="); i > 0 {
		if count := strings.TrimSpace(line[i+1:]); isCount(count) || !strings.ContainsAny(line, " \t") {
			return strings.TrimSpace(line[:i]), count, "", ""
		}
	}
	words := strings.Fields(line)
	first, last := words[0], words[len(words)-1]
	if len(words) == 1 {
		if isCount(first) && !c.knows(first) {
			return "", "", first + " of what? the name is missing", "failed requests are counted as errors=" + first
		}
		return "", "", "the count is missing", "for example " + first + "=812"
	}
	behind := strings.TrimSpace(strings.TrimPrefix(line, first)) // the name in "count name"
	before := strings.TrimSpace(strings.TrimSuffix(line, last))  // the name in "name count"
	switch front, back := isCount(first), isCount(last); {
	case front && back:
		isName, alsoName := c.knows(behind), c.knows(before)
		if isName == alsoName {
			return "", "", "which of them is the count?", fmt.Sprintf("write %s=%s or %s=%s", behind, first, before, last)
		}
		if isName {
			return behind, first, "", ""
		}
		return before, last, "", ""
	case front:
		return behind, first, "", ""
	default:
		return before, last, "", ""
	}
}

func (c *counted) knows(name string) bool {
	return name == errorsName || slices.Contains(c.known, name)
}

// json reads an object of counts, a sample of a record, or a record that has
// one sample only.
func (c *counted) json(file string, text []byte) {
	whole := document.Mistake{Pos: document.Pos{File: file}}
	var shape map[string]json.RawMessage
	if err := json.Unmarshal(text, &shape); err == nil && (compound(shape["scenarios"]) || compound(shape["result"]) || compound(shape["found"])) {
		if problem := c.recorded(file, text, shape); problem != "" {
			whole.Text = problem
			c.mistakes = append(c.mistakes, whole)
		}
		return
	}
	v, ms := document.Parse(file, text)
	c.mistakes = append(c.mistakes, ms...)
	if len(ms) > 0 {
		return
	}
	if v.Kind() != document.Mapping {
		whole.Text, whole.Hint = "want an object of counts", `for example {"blue": 812, "green": 790}`
		c.mistakes = append(c.mistakes, whole)
		return
	}
	for name, n := range v.Entries() {
		at := n.Mistake("")
		at.Path = n.Path()
		if n.Kind() != document.Scalar {
			at.Text, at.Hint = "want a whole number of answers", `for example {"blue": 812, "green": 790}`
			c.mistakes = append(c.mistakes, at)
			continue
		}
		c.add(name, n.Text(), at)
	}
	if v.Len() == 0 {
		whole.Text, whole.Hint = "no counts in it", `for example {"blue": 812, "green": 790}`
		c.mistakes = append(c.mistakes, whole)
	}
}

// compound tells an object or a list from a count: an outcome may be called
// "found", too.
func compound(value json.RawMessage) bool {
	return len(value) > 0 && (value[0] == '{' || value[0] == '[')
}

// recorded reads what assay itself wrote. It returns what is wrong.
func (c *counted) recorded(file string, text []byte, shape map[string]json.RawMessage) string {
	if compound(shape["scenarios"]) {
		r, err := record.Parse(text)
		if err != nil {
			return err.Error()
		}
		sample, problem := onlySample(r)
		if problem == "" {
			c.sample(file, sample.Result.Shares, sample.Result.Errors.Count, sample.Result.Other, sample.Unlisted)
		}
		return problem
	}
	var s struct {
		Result, Found struct {
			Shares []verdict.ShareResult
			Errors verdict.ErrorResult
			Other  int64
		}
		Unlisted map[string]int64
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return err.Error()
	}
	from := s.Result
	if compound(shape["found"]) {
		from = s.Found
	}
	if len(from.Shares) == 0 {
		return "no shares in it"
	}
	c.sample(file, from.Shares, from.Errors.Count, from.Other, s.Unlisted)
	return ""
}

// onlySample is the one sample that a record has.
func onlySample(r *record.Record) (record.Sample, string) {
	var found []record.Sample
	var places []string
	for i, sc := range r.Scenarios {
		for j, st := range sc.Steps {
			for k, s := range st.Samples {
				found = append(found, s)
				places = append(places, fmt.Sprintf("\n  .scenarios[%d].steps[%d].samples[%d]  %s, %s, %s", i, j, k, sc.Name, st.Title, s.Gateway))
			}
		}
	}
	if len(found) == 1 {
		return found[0], ""
	}
	return record.Sample{}, fmt.Sprintf("a record of %s, want one of them: cut it out, for example by jq, with one of the paths%s", count(len(found), "sample"), strings.Join(places, ""))
}

// sample takes in the counts of a sample.
func (c *counted) sample(file string, shares []verdict.ShareResult, errors, other int64, unlisted map[string]int64) {
	at := document.Mistake{Pos: document.Pos{File: file}}
	for _, s := range shares {
		if s.Name != verdict.NotListed || len(unlisted) == 0 {
			at.Path = s.Name
			c.add(s.Name, strconv.FormatInt(s.Count, 10), at)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unlisted)) {
		at.Path = name
		c.add(name, strconv.FormatInt(unlisted[name], 10), at)
	}
	if other > 0 && len(unlisted) == 0 {
		c.add(verdict.NotListed, strconv.FormatInt(other, 10), at)
	}
	at.Path = errorsName
	c.add(errorsName, strconv.FormatInt(errors, 10), at)
}
