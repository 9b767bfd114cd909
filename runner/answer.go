package runner

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/sample"
)

// answered is the answer to one call.
type answered struct {
	status int
	header http.Header
	body   []byte
}

// wantedAnswer is a checked answer, given in part.
type wantedAnswer struct {
	fields answerFields
	json   map[string]any
}

// wantedAnswer checks what a step wants to be answered.
func (p *planner) wantedAnswer(v document.Value, f answerFields) wantedAnswer {
	w := wantedAnswer{fields: f}
	if v.Kind() == document.Mapping && v.Len() == 0 {
		p.add(v.Mistake("nothing is wanted of the answer").WithHint("for example answer: {status: 200}"))
	}
	if s := v.Get("status"); s.Kind() == document.Scalar && f.Status != 0 && (f.Status < 100 || f.Status > 599) || s.Exists() && s.Text() == "0" {
		p.add(s.Mistake("want a status from 100 to 599, got %d", f.Status))
	}
	if is := v.Get("is"); is.Kind() == document.Scalar && !slices.Contains(p.env.Outcomes(), f.Is) {
		p.add(is.Mistake("unknown outcome %q", f.Is).WithHint(document.OneOf(f.Is, p.env.Outcomes())))
	}
	for _, key := range []string{"headers", "json"} {
		if part := v.Get(key); part.Kind() == document.Mapping && part.Len() == 0 {
			p.add(part.Mistake("is empty"))
		}
	}
	if part := v.Get("body"); part.Kind() == document.Scalar && part.Text() == "" {
		p.add(part.Mistake("is empty: every body has that in it"))
	}
	p.headersOnce(v.Get("headers"))
	w.json, _ = p.expandAll(v.Get("json"), f.JSON).(map[string]any)
	return w
}

// String says in words what is wanted: "status 403, denied".
func (w wantedAnswer) String() string {
	var parts []string
	if w.fields.Status != 0 {
		parts = append(parts, fmt.Sprintf("status %d", w.fields.Status))
	}
	if w.fields.Is != "" {
		parts = append(parts, w.fields.Is)
	}
	for _, name := range slices.Sorted(maps.Keys(w.fields.Headers)) {
		parts = append(parts, name+": "+w.fields.Headers[name])
	}
	if w.fields.Body != "" {
		parts = append(parts, fmt.Sprintf("%q in the body", w.fields.Body))
	}
	if len(w.json) > 0 {
		parts = append(parts, short(w.json))
	}
	return strings.Join(parts, ", ")
}

// differ says what of an answer is not as wanted; nothing when all is.
func (w wantedAnswer) differ(a *answered, c *sample.Classifier) []string {
	var all []string
	if w.fields.Status != 0 && a.status != w.fields.Status {
		all = append(all, fmt.Sprintf("status: got %d, want %d", a.status, w.fields.Status))
	}
	if w.fields.Is != "" {
		if got, ok := c.Classify(a.status, a.header, a.body); !ok {
			all = append(all, fmt.Sprintf("it is none of the environment's outcomes, want %s", w.fields.Is))
		} else if got != w.fields.Is {
			all = append(all, fmt.Sprintf("it is %s, want %s", got, w.fields.Is))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.fields.Headers)) {
		want := w.fields.Headers[name]
		values := a.header.Values(name)
		if !slices.ContainsFunc(values, func(v string) bool { return glob(want, v) }) {
			all = append(all, fmt.Sprintf("header %s: got %s, want %q", name, listed(values), want))
		}
	}
	if w.fields.Body != "" && !strings.Contains(string(a.body), w.fields.Body) {
		all = append(all, fmt.Sprintf("body: %q is not in it", w.fields.Body))
	}
	all = append(all, w.differJSON(a)...)
	if len(all) > 0 {
		all = append(all, fmt.Sprintf("it was %d %s", a.status, excerpt(a.body)))
	}
	return all
}

func (w wantedAnswer) differJSON(a *answered) []string {
	if len(w.json) == 0 {
		return nil
	}
	var got any
	if err := json.Unmarshal(a.body, &got); err != nil {
		return []string{fmt.Sprintf("json: the body is not JSON: %v", err)}
	}
	var all []string
	for _, d := range differ("json", w.json, got) {
		all = append(all, d.String())
	}
	return all
}

func listed(values []string) string {
	if len(values) == 0 {
		return absent
	}
	return fmt.Sprintf("%q", values)
}

// excerpt is the beginning of a body, on one line.
func excerpt(body []byte) string {
	const most = 200
	text := []rune(strings.ToValidUTF8(string(body[:min(len(body), 4*most)]), "\uFFFD"))
	if len(text) > most {
		return fmt.Sprintf("%q …", string(text[:most]))
	}
	return fmt.Sprintf("%q", string(text))
}
