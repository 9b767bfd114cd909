package runner

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/sample"
)

// callFields calls, from a place that the environment names, and says what must
// be answered: for what is either so or not so, such as a call that an access
// policy denies. For shares use `expect`.
//
// With a `path` every gateway of the environment is called (or those that
// `gateways` names), and each must answer so; with a `url` what it names. It is
// asked again and again until the answer is as wanted, and then that must hold
// 10 times in a row. Every call has a connection of its own; redirects are not
// followed.
type callFields struct {
	// Client is who calls: `local`, the machine that the runner runs on, or a
	// client of the environment, which calls through its proxy or by running
	// curl with its command. Default: local.
	Client string `yaml:"client" schema:"name"`
	// Request is what is asked.
	Request callRequestFields `yaml:"request,required"`
	// Gateways are those to call. Default: every gateway of the environment;
	// of no use with a url.
	Gateways []string `yaml:"gateways" schema:"name,nonempty,unique"`
	// Answer is what must be answered; all that it says must hold.
	Answer answerFields `yaml:"answer,required" schema:"nonempty"`
	// Within is how long it may take until it is so. Default: 30s.
	Within *document.Duration `yaml:"within" schema:"positive"`
}

// callRequestFields is one request.
type callRequestFields struct {
	// Request is all of it when gateways are called, and the rest beside a URL.
	Request requestFields `yaml:",inline"`
	// URL is the whole address, as its client knows it, when it is no gateway
	// that is called. `${NAME}` in it is a var of the environment.
	URL string `yaml:"url" schema:"url,without=path"`
}

// answerFields is an answer, given in part.
type answerFields struct {
	// Status is the HTTP status.
	Status int `yaml:"status" schema:"min=100,max=599,example=200|403"`
	// Is is the outcome that the environment's answers give it: a destination,
	// or another name such as `denied`.
	Is string `yaml:"is" schema:"name"`
	// Headers are header fields by name; `*` stands for any characters.
	Headers map[string]string `yaml:"headers" schema:"keys=header,nonempty"`
	// Body is a part of the body.
	Body string `yaml:"body" schema:"nonempty"`
	// JSON is what the body is as JSON, given in part as objects are for `assert`: `*` in
	// a text stands for any characters, and `null` for what must not be there.
	JSON map[string]any `yaml:"json" schema:"nonempty"`
}

const (
	callWithin = 30 * time.Second
	// callHolds is how many answers in a row must be as wanted: while a change
	// is on its way, answers of the old and the new state alternate.
	callHolds = 10
	// callPause is between two calls of one target.
	callPause = 50 * time.Millisecond
)

type callWork struct {
	client   string
	caller   caller              // nil until run when its proxy is looked up
	proxy    environment.Gateway // where its proxy is looked up
	gateways []string            // none when the request has a URL
	request  sample.Request      // without gateways its URL is whole, else the path
	answer   wantedAnswer
	within   time.Duration
	position string // of the answer wanted
}

func planCall(p *planner, s *PlannedStep) work {
	var f callFields
	body := s.Step.Body
	p.add(body.Decode(&f)...)
	if body.Kind() != document.Mapping {
		return nil
	}
	w := &callWork{client: first(f.Client, environment.Local), within: callWithin, position: body.Get("answer").Pos().String()}
	p.time(body.Get("within"), &w.within)
	w.caller = p.caller(body.Get("client"), w.client)
	if c := p.env.Clients[w.client]; c.Service != "" {
		w.proxy = environment.Gateway{Cluster: c.Cluster, Service: c.Service, Port: c.Port}
		p.used[c.Cluster] = true
	}
	p.called(body, f, w)
	p.hostThroughProxy(body.Get("request"), f)
	w.answer = p.wantedAnswer(body.Get("answer"), f.Answer)
	from := ""
	if w.client != environment.Local {
		from = " from " + w.client
	}
	s.Title = titleOr(s, "call %s%s: %s", first(w.request.URL, f.Request.URL), from, w.answer)
	return w
}

// caller makes the client that the environment describes.
func (p *planner) caller(v document.Value, name string) caller {
	if name == environment.Local {
		return newDirect()
	}
	c, ok := p.env.Clients[name]
	switch {
	case !ok && v.Kind() == document.Scalar:
		p.add(v.Mistake("unknown client %q", name).WithHint(document.OneOf(name, append([]string{environment.Local}, p.env.Order.Clients...))))
	case len(c.Command) > 0:
		return remote(c.Command)
	case c.Proxy != "":
		if proxy, err := url.Parse(c.Proxy); err == nil { // the environment has checked it
			return newProxied(proxy)
		}
	}
	return nil
}

// called checks what is called: a URL, or a path on gateways.
func (p *planner) called(body document.Value, f callFields, w *callWork) {
	v := body.Get("request")
	p.headersOnce(v.Get("headers"))
	target := v.Get("url")
	if !target.Exists() {
		w.request = p.request(v, f.Request.Request)
		w.gateways = p.gateways(body.Get("gateways"), f.Gateways)
		return
	}
	for _, other := range []document.Value{v.Get("path"), body.Get("gateways")} {
		if other.Exists() {
			p.add(other.KeyMistake("want either a url or a path on gateways, not both"))
		}
	}
	before := len(p.mistakes)
	whole, _ := p.expandAll(target, f.Request.URL).(string)
	if target.Kind() != document.Scalar || len(p.mistakes) > before {
		return // it has its mistake
	}
	u, err := url.Parse(whole)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		p.add(target.Mistake("want a URL with http:// or https:// and a host, got %q", whole))
		return
	}
	rest := f.Request.Request
	rest.Path = "/"
	w.request = p.request(v, rest)
	w.request.URL = whole
	if err := w.request.Check(); err != nil && len(p.mistakes) == before {
		p.add(target.Mistake("%v", err))
	}
}

// hostThroughProxy refuses a Host header that a proxy would overwrite: by HTTP's
// rules (RFC 9112, 3.2.2) it takes the host of the URL.
func (p *planner) hostThroughProxy(v document.Value, f callFields) {
	c := p.env.Clients[f.Client]
	if f.Request.Request.Host != "" && (strings.HasPrefix(c.Proxy, "http") || c.Service != "") && !strings.HasPrefix(f.Request.URL, "https://") {
		p.add(v.Get("host").KeyMistake("client %s calls through a proxy, which sends the host of the URL instead", f.Client))
	}
}

func (w *callWork) run(ctx context.Context, r *Run, s *PlannedStep, out *record.Step) error {
	if w.proxy.Service != "" {
		found, err := w.throughProxy(ctx, r)
		if err != nil {
			return err
		}
		w = found
	}
	targets := w.gateways
	if len(targets) == 0 {
		targets = []string{""}
	}
	errs := make([]error, len(targets))
	var all sync.WaitGroup
	for i, gateway := range targets {
		all.Go(func() {
			errs[i] = guarded(func() error { return w.on(ctx, r, gateway, out) })
			if gateway != "" && errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", gateway, errs[i])
			}
		})
	}
	all.Wait()
	slices.Sort(out.Notes)
	return joined(errs)
}

// throughProxy is the same work by way of the proxy, wherever that is now.
func (w *callWork) throughProxy(ctx context.Context, r *Run) (*callWork, error) {
	address, err := r.addressOf(ctx, w.proxy)
	if err != nil {
		return nil, fmt.Errorf("client %s: its proxy: %w", w.client, err)
	}
	proxy, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("client %s: its proxy: %w", w.client, err)
	}
	found := *w
	found.caller = newProxied(proxy)
	return &found, nil
}

// on calls one gateway, or the URL when it is "", until the answer is as wanted
// and has held, or the time is over.
func (w *callWork) on(ctx context.Context, r *Run, gateway string, out *record.Step) error {
	request := w.request
	if gateway != "" {
		address, err := r.address(ctx, gateway)
		if err != nil {
			return err
		}
		request.URL = address + request.URL
	}
	c := &calling{work: w, began: time.Now(), classifier: classifier(r.env)}
	r.live(first(gateway, request.URL), func() string { return c.progress(first(gateway, request.URL)) })
	pause := callPauseOf(r.env)
	for {
		answer, err := w.caller.call(ctx, request)
		if ctx.Err() != nil {
			return fmt.Errorf("stopped: %w", ctx.Err())
		}
		if done, err := c.take(answer, err); done {
			if err != nil {
				return err
			}
			r.note(out, strings.TrimPrefix(fmt.Sprintf("%s: %s", gateway, c.told()), ": "))
			return nil
		}
		if err := sleepUntil(ctx, time.Now().Add(pause)); err != nil {
			return fmt.Errorf("stopped: %w", err)
		}
	}
}

// calling is what is known of one target while it is called.
type calling struct {
	work       *callWork
	classifier *sample.Classifier
	began      time.Time

	mu      sync.Mutex // guards what follows: Progress reads it
	calls   int
	streak  int       // how many of the last answers were as wanted
	since   time.Time // of the first of them
	lost    int       // how often it was as wanted, and then was not
	why     string    // what was not as wanted last
	trouble error     // why the last call could not be made at all
}

// take takes the answer of a call, or why there is none, and says whether that
// was the last. The time limits when the streak begins: one that began in time
// may end.
func (c *calling) take(a *answered, err error) (done bool, _ error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	why := ""
	c.trouble = nil
	switch {
	case isTrouble(err):
		c.trouble = err
		why = err.Error()
	case err != nil:
		why = "no answer: " + err.Error()
	default:
		why = strings.Join(c.work.answer.differ(a, c.classifier), "\n  ")
	}
	if why == "" {
		if c.streak++; c.streak == 1 {
			c.since = time.Now()
		}
		return c.streak >= callHolds, nil
	}
	if c.streak > 0 {
		c.lost++
	}
	c.streak, c.why = 0, why
	if time.Since(c.began) < c.work.within && !errors.Is(err, exec.ErrNotFound) {
		return false, nil
	}
	return true, c.failed()
}

// failed is what to say when the time is over.
func (c *calling) failed() error {
	if c.trouble != nil {
		return fmt.Errorf("%s: client %s: %w", c.work.position, c.work.client, c.trouble)
	}
	text := fmt.Sprintf("%s: not within %s (%d calls)", c.work.position, c.work.within, c.calls)
	if c.lost > 0 {
		text += fmt.Sprintf(", it was so %d times and did not hold %d times in a row", c.lost, callHolds)
	}
	return failf("%s: the last answer: %s", text, c.why)
}

// told is how it came about, for the record.
func (c *calling) told() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == callHolds {
		return fmt.Sprintf("%s at once, %d times in a row", c.work.answer, callHolds)
	}
	return fmt.Sprintf("%s after %s, %d times in a row", c.work.answer, c.since.Sub(c.began).Round(time.Millisecond), callHolds)
}

func (c *calling) progress(target string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := fmt.Sprintf("calling %s: %d calls, the last %d as wanted", target, c.calls, c.streak)
	if c.streak == 0 && c.why != "" {
		text += "; " + c.why
	}
	return text
}
