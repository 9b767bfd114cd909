package runner

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/verdict"
)

// expectFields says how the answers of gateways must be divided.
//
// Each gateway is asked on its own, one request a connection, until the answers
// decide, and is judged on its own. An outcome of the environment that `shares`
// does not list is wanted at 0.
type expectFields struct {
	// Request is what is asked.
	Request requestFields `yaml:"request"`
	// Claim is what is wanted of the answers; with cases, what they have in
	// common of it.
	Claim claimFields `yaml:",inline"`
	// Cases are several requests instead of one, sent in turn, each judged on its
	// own. What a case does not say is as in the step.
	Cases []caseFields `yaml:"cases" schema:"nonempty,or=shares"`
	// Gateways are those to ask. Default: every gateway of the environment.
	Gateways []string `yaml:"gateways" schema:"name,nonempty,unique"`
	// Converge is how long after the last change, or after what was changed
	// became ready, a wrong division may still be that change on its way.
	// Default: 30s.
	Converge *document.Duration `yaml:"converge"`
	// Budget is how much may be asked until it is decided.
	Budget budgetFields `yaml:"budget"`
	// Verdict is the verdict wanted: `passed` or, to show that a fault is caught,
	// `failed`. Default: passed.
	Verdict string `yaml:"verdict" schema:"enum=passed|failed"`
	// Because is the cause wanted of a failed verdict: `share` (a share is off),
	// `leak` (an outcome answered that is wanted at 0) or `errors`. Default: any.
	Because string `yaml:"because" schema:"enum=share|leak|errors,with=verdict:failed"`
}

// requestFields is one request.
type requestFields struct {
	// Path of the request, with its query if any. Default: /.
	Path string `yaml:"path" schema:"path"`
	// Method of the request. Default: GET.
	Method string `yaml:"method" schema:"method"`
	// Host is what the header `Host` says. Default: the address that is called.
	Host string `yaml:"host"`
	// Headers are header fields by name.
	Headers map[string]string `yaml:"headers" schema:"keys=header"`
	// Body of the request.
	Body string `yaml:"body"`
}

// claimFields is what is wanted of answers.
type claimFields struct {
	// Shares are the parts of all answers, by outcome. They sum to 100%.
	// Outcomes are the environment's destinations and what else its answers name.
	Shares map[string]document.Percent `yaml:"shares" schema:"keys=name,nonempty"`
	// Tolerance is how far a share strictly between 0 and 100% may be off, in
	// percentage points. It must be given where there is such a share.
	Tolerance *document.Points `yaml:"tolerance" schema:"positive"`
	// Leak is the share that an outcome wanted at 0 may still have. Default:
	// none, so that the first such answer fails.
	Leak *document.Percent `yaml:"leak"`
	// Errors is the share of failed requests and unknown answers that is
	// tolerated. Default: 0.5%.
	Errors *document.Percent `yaml:"errors"`
}

// caseFields is one of several requests. What it does not say is as in the step.
type caseFields struct {
	// Name is what reports call the case.
	Name    string        `yaml:"name"`
	Request requestFields `yaml:",inline"`
	Claim   claimFields   `yaml:",inline" schema:"require=shares"`
}

// budgetFields is how much may be asked, for each attempt of each expectation.
type budgetFields struct {
	// Requests is how many requests may be sent. Default: 100000.
	Requests *int64 `yaml:"requests" schema:"min=1"`
	// Time is how long may be asked. Default: 60s.
	Time *document.Duration `yaml:"time" schema:"positive"`
}

// expectWork is a checked expectation.
type expectWork struct {
	cases    []expected
	gateways []string
	converge time.Duration
	requests int64
	time     time.Duration
	want     verdict.State
	because  verdict.Cause
}

// expected is one case: what is asked and what is wanted.
type expected struct {
	name    string
	request sample.Request // its URL is the path only
	claim   verdict.Claim
	shares  document.Value // where the shares stand
}

func planExpect(p *planner, s *PlannedStep) work {
	var f expectFields
	body := s.Step.Body
	p.add(body.Decode(&f)...)
	if body.Kind() != document.Mapping {
		return nil
	}
	w := &expectWork{converge: 30 * time.Second, requests: 100_000, time: time.Minute}
	p.limits(body, f, w)
	p.verdictWanted(body, f, w)
	w.gateways = p.gateways(body.Get("gateways"), f.Gateways)
	p.headersOnce(body.Get("request").Get("headers"))
	if v := body.Get("cases"); v.Exists() {
		p.cases(body, f, w)
	} else {
		w.cases = append(w.cases, p.expected(body, body.Get("request"), f.Request, f.Claim, f.Claim, body))
	}
	for _, c := range w.cases {
		p.affordable(body, c, w)
	}
	s.Expectations = len(w.gateways) * len(w.cases)
	s.Title = titleOr(s, "expect %s", describe(w.cases))
	return w
}

// describe says in words what is wanted: "40% blue, 40% green, 20% canary".
func describe(cases []expected) string {
	var all []string
	for _, c := range cases {
		var shares []string
		for _, s := range c.claim.Shares {
			if s.Want > 0 {
				shares = append(shares, percent(s.Want)+" "+s.Name)
			}
		}
		text := strings.Join(shares, ", ")
		if c.name != "" {
			text = c.name + ": " + text
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func (p *planner) limits(body document.Value, f expectFields, w *expectWork) {
	if f.Converge != nil {
		w.converge = time.Duration(*f.Converge)
	}
	budget := body.Get("budget")
	if n := f.Budget.Requests; n != nil {
		if w.requests = *n; w.requests < 1 {
			p.add(budget.Get("requests").Mistake("want at least 1 request, got %d", w.requests))
		}
	}
	p.time(budget.Get("time"), &w.time)
}

func (p *planner) verdictWanted(body document.Value, f expectFields, w *expectWork) {
	w.want = verdict.Passed
	verdicts := []string{"passed", "failed"}
	causes := []string{string(verdict.BecauseShare), string(verdict.BecauseLeak), string(verdict.BecauseErrors)}
	switch v := body.Get("verdict"); {
	case f.Verdict == "failed":
		w.want = verdict.Failed
	case f.Verdict != "" && f.Verdict != "passed":
		p.add(v.Mistake("unknown verdict %q", f.Verdict).WithHint(document.OneOf(f.Verdict, verdicts)))
		return
	}
	v := body.Get("because")
	if !v.Exists() {
		return
	}
	w.because = verdict.Cause(f.Because)
	if w.want != verdict.Failed {
		p.add(v.KeyMistake("because says why a verdict is failed").WithHint("add verdict: failed"))
	}
	if f.Because != "" && !slices.Contains(causes, f.Because) {
		p.add(v.Mistake("unknown cause %q", f.Because).WithHint(document.OneOf(f.Because, causes)))
	}
}

func (p *planner) gateways(v document.Value, names []string) []string {
	if !v.Exists() {
		names = p.env.Order.Gateways
		if len(names) == 0 {
			p.add(p.step.Step.Body.KeyMistake("environment %s has no gateways to ask", p.env.Name))
		}
	} else if v.Kind() == document.Sequence && v.Len() == 0 {
		p.add(v.Mistake("the list is empty").WithHint("leave the key out to ask every gateway"))
	}
	for i, name := range names {
		g, ok := p.env.Gateways[name]
		if !ok {
			if name != "" {
				p.add(v.Index(i).Mistake("unknown gateway %q", name).WithHint(document.OneOf(name, p.env.Order.Gateways)))
			}
			continue
		}
		if v.Exists() && slices.Index(names, name) < i {
			p.add(v.Index(i).Mistake("gateway %q is listed twice", name))
		}
		if g.URL == "" {
			p.used[g.Cluster] = true
		}
	}
	return names
}

// cases plans several requests. What a case does not say, the step says.
func (p *planner) cases(body document.Value, f expectFields, w *expectWork) {
	v := body.Get("cases")
	if shares := body.Get("shares"); shares.Exists() {
		p.add(shares.KeyMistake("with cases, shares belong to each case"))
	}
	if v.Kind() == document.Sequence && v.Len() == 0 {
		p.add(v.Mistake("the list is empty"))
	}
	for i, c := range f.Cases {
		at := v.Index(i)
		request := f.Request
		request.Path = first(c.Request.Path, request.Path)
		request.Method = first(c.Request.Method, request.Method)
		request.Host = first(c.Request.Host, request.Host)
		request.Body = first(c.Request.Body, request.Body)
		request.Headers = headersOf(request.Headers, c.Request.Headers)
		p.headersOnce(at.Get("headers"))
		claim := c.Claim
		if claim.Tolerance == nil {
			claim.Tolerance = f.Claim.Tolerance
		}
		if claim.Leak == nil {
			claim.Leak = f.Claim.Leak
		}
		if claim.Errors == nil {
			claim.Errors = f.Claim.Errors
		}
		planned := p.expected(at, at, request, claim, c.Claim, body)
		planned.name = first(c.Name, caseName(i, c.Request))
		if slices.ContainsFunc(w.cases, func(o expected) bool { return o.name == planned.name }) {
			planned.name = fmt.Sprintf("case %d: %s", i+1, planned.name)
		}
		w.cases = append(w.cases, planned)
	}
}

// headersOf are a step's headers with those of a case in their place, however
// either writes their names.
func headersOf(step, own map[string]string) map[string]string {
	all := make(map[string]string)
	for _, headers := range []map[string]string{step, own} {
		for name, value := range headers {
			all[http.CanonicalHeaderKey(name)] = value
		}
	}
	return all
}

// headersOnce refuses a header that is given twice in different letters: only
// one of them would be sent.
func (p *planner) headersOnce(v document.Value) {
	first := make(map[string]string)
	for name, entry := range v.Entries() {
		canonical := http.CanonicalHeaderKey(name)
		if other, ok := first[canonical]; ok && other != name {
			p.add(entry.KeyMistake("header %s is already given as %s", name, other).WithHint("keep one of them"))
		}
		first[canonical] = name
	}
}

// caseName says what is special about a case.
func caseName(i int, f requestFields) string {
	var parts []string
	for _, text := range []string{f.Method, f.Host, f.Path} {
		if text != "" {
			parts = append(parts, text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Headers)) {
		value := []rune(f.Headers[name])
		if len(value) > 40 {
			value = append(value[:39], '…')
		}
		parts = append(parts, name+": "+string(value))
	}
	if len(parts) == 0 {
		return fmt.Sprintf("case %d", i+1)
	}
	return strings.Join(parts, ", ")
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// expected checks one case. Own is what the case says itself of its claim, so
// that what it only inherits is not its mistake; step is where the rest stands.
func (p *planner) expected(at, requestAt document.Value, request requestFields, claim, own claimFields, step document.Value) expected {
	planned := expected{request: p.request(requestAt, request), shares: at.Get("shares")}
	outcomes := p.env.Outcomes()
	if !planned.shares.Exists() {
		p.add(at.KeyMistake("shares is missing").WithHint("for example shares: {" + strings.Join(outcomes[:min(1, len(outcomes))], "") + ": 100%}"))
	}
	unknown := false
	for name, v := range planned.shares.Entries() {
		if !slices.Contains(outcomes, name) {
			hint := document.OneOf(name, outcomes)
			if before, after, joined := strings.Cut(name, ":"); joined && slices.Contains(outcomes, before) {
				hint = "put a space behind the colon: " + before + ": " + after
			}
			p.add(v.KeyMistake("unknown outcome").WithHint(hint))
			unknown = true
		}
	}
	planned.claim = p.claim(outcomes, claim)
	if planned.shares.Kind() == document.Mapping && planned.shares.Len() == 0 {
		p.add(planned.shares.Mistake("no shares: name at least one outcome and its share"))
	}
	if len(claim.Shares) == 0 || unknown || p.misread(at, step) {
		return planned // what follows would only repeat it
	}
	p.useless(at, planned.claim, own)
	p.problems(at, step, planned)
	if w := p.step.Step.Body; at.Path() == w.Path() && w.Get("verdict").Text() != "failed" {
		p.contradiction(planned.shares, wants(claim))
	}
	return planned
}

func (p *planner) request(v document.Value, f requestFields) sample.Request {
	r := sample.Request{URL: first(f.Path, "/"), Method: first(f.Method, http.MethodGet), Host: f.Host, Body: []byte(f.Body)}
	for name, value := range f.Headers {
		if r.Header == nil {
			r.Header = make(http.Header)
		}
		r.Header.Set(name, value)
	}
	where := v
	if !where.Exists() {
		where = p.step.Step.Body
	}
	if !strings.HasPrefix(r.URL, "/") {
		p.add(at(where, "path").Mistake("want a path that begins with /, got %q", r.URL).WithHint("the gateway's address is in the environment"))
		return r
	}
	whole := r
	whole.URL = "http://gateway" + r.URL
	if err := whole.Check(); err != nil {
		p.add(where.Mistake("%v", err))
	}
	return r
}

func (w *expectWork) run(ctx context.Context, r *Run, s *PlannedStep, out *record.Step) error {
	return r.sample(ctx, w, out)
}
