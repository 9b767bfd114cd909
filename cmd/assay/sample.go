package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/verdict"
)

// sampleFlags are what `assay sample` can be told.
type sampleFlags struct {
	claimFlags
	answers, headers                                   []string
	requests                                           int64
	duration, timeout                                  time.Duration
	rate, host, method, body, cacert                   string
	workers                                            int
	reuse, assume, open, http2, insecure, asJSON, said bool
}

// What is asked at most unless a user says: until a verdict, and to look only.
const (
	judgeTime    = time.Minute
	lookRequests = 10_000
	lookTime     = 10 * time.Second
)

func sampleCommand() *cobra.Command {
	var f sampleFlags
	c := &cobra.Command{
		Use:   "sample URL",
		Short: "Ask a URL until its answers decide, or show how they are divided",
		Long: `Ask a URL many times. With --expect: until the answers decide whether they are divided as wanted, within a
budget (100,000 requests or a minute). Without: 10,000 requests or 10 seconds, and the shares that were
found, each with its interval. --requests and --duration say otherwise; if one is given only that counts.

` + answersHelp + `

` + claimHelp + `

Each request has a connection of its own, so that answers are independent even where a gateway ties a
connection to a backend. --reuse keeps connections alive: faster, but answers may then depend on each other,
so there is no verdict on shares (exit code 3), only the shares and what their order and connections tell of
the balancing; --assume-independent judges them as if they were independent. No request is ever repeated.
A failed one (no answer, a 5xx, an answer that no rule names) is counted as an error.

Ctrl-C ends it and shows what there is.

` + exitCodesHelp + `
Without --expect: 0, or 1 when no rule told a single answer. With --json the verdict is .result.state.`,
		Example: `  assay sample http://127.0.0.1:18001/api --answer json:color --expect blue=80%,green=15%,yellow=5% --tolerance 2pp
  assay sample https://shop.example/ --answer header:X-Version       # who answers, and how often?
  assay sample http://gateway/ --expect 200=90%,503=10% --tolerance 3pp   # is the injected fault in force?
  assay sample http://gateway/api --answer json:color --reuse --duration 10s   # sticky connections?
  assay sample http://gateway/api --answer body --rate 200/s --open --duration 30s   # latency without omission
  assay sample https://10.0.0.7/ --host shop.example --cacert ca.pem --header 'Cookie: beta=1' --answer json:version`,
		RunE: func(c *cobra.Command, args []string) error {
			f.said = slices.ContainsFunc([]string{"expect", "tolerance", "leak", "errors", "alpha", "beta"}, c.Flags().Changed)
			return f.run(c.Context(), c.Flags(), c.OutOrStdout(), c.ErrOrStderr(), args)
		},
	}
	flags := c.Flags()
	flags.StringArrayVar(&f.answers, "answer", nil, "`HOW` an answer tells its outcome, such as json:color (may be repeated; default: status)")
	f.add(flags)
	flags.Int64Var(&f.requests, "requests", 0, "`NUMBER` of requests at most")
	flags.DurationVar(&f.duration, "duration", 0, "`TIME` to ask at most, such as 30s")
	flags.StringVar(&f.rate, "rate", "", "`RATE` of requests at most, such as 200/s")
	flags.IntVar(&f.workers, "workers", 16, "`NUMBER` of requests under way at once")
	flags.BoolVar(&f.open, "open", false, "send at the times that --rate says, whether or not answers came; latency counts from then")
	flags.BoolVar(&f.reuse, "reuse", false, "keep connections alive")
	flags.BoolVar(&f.assume, "assume-independent", false, "with --reuse: judge answers as if connections had no influence")
	flags.StringVar(&f.method, "method", http.MethodGet, "`METHOD` of the request")
	flags.StringArrayVar(&f.headers, "header", nil, "`'NAME: VALUE'` of a header to send (may be repeated)")
	flags.StringVar(&f.host, "host", "", "`HOST` header, and the name asked for with TLS (default: the URL's)")
	flags.StringVar(&f.body, "body", "", "`TEXT` to send")
	flags.DurationVar(&f.timeout, "timeout", sample.DefaultTimeout, "`TIME` that a request may take")
	flags.BoolVar(&f.http2, "http2", false, "speak HTTP/2 where the gateway offers it")
	flags.BoolVar(&f.insecure, "insecure", false, "believe any certificate")
	flags.StringVar(&f.cacert, "cacert", "", "`FILE` of the authorities to believe, in PEM")
	flags.BoolVar(&f.asJSON, "json", false, "print what was found as JSON: the fields of a record's sample")
	flags.SortFlags = false
	return c
}

func (f *sampleFlags) run(ctx context.Context, flags *pflag.FlagSet, stdout, stderr io.Writer, args []string) error {
	options, mistakes := f.options(flags, args)
	if len(mistakes) > 0 {
		return refused(stderr, "sample", mistakes)
	}
	survey, err := runner.NewSurvey(options)
	if err != nil {
		return unjudged(err)
	}
	if c := options.Claim; c != nil {
		for _, p := range verdict.Affordable(*c, options.Requests) {
			fmt.Fprintf(stderr, "note: %s\n", p)
		}
	}
	stopped := f.watch(ctx, survey, newDisplay(stderr))
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "interrupted; this is what there is")
	}
	s := survey.End()
	if len(s.Faults) == 0 && s.Latency.Count == 0 && stopped == nil {
		fmt.Fprintf(stderr, "not one request ended within %s (--timeout says how long one may take: %s)\n", report.Duration(s.Duration), f.timeout)
	}
	if options.Claim == nil {
		err = f.tellFound(stdout, stderr, s, survey.Found())
	} else {
		err = f.tell(stdout, s)
	}
	if stopped != nil {
		return unjudged(stopped)
	}
	return err
}

// watch runs the survey and shows how it goes on.
func (f *sampleFlags) watch(ctx context.Context, survey *runner.Survey, d *display) error {
	ended := make(chan error, 1)
	go func() { ended <- survey.Run(ctx) }()
	tick := time.NewTicker(d.every())
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			d.clear()
			return err
		case <-tick.C:
			s := survey.Sample()
			if len(f.expect) > 0 {
				d.show(report.Live(s), report.Line(s))
			} else {
				found := survey.Found()
				d.show(report.LiveFound(s, found), report.FoundLine(found))
			}
		}
	}
}

// tell prints the verdict and returns its exit code.
func (f *sampleFlags) tell(stdout io.Writer, s record.Sample) error {
	if f.asJSON {
		if err := printJSON(stdout, s); err != nil {
			return unjudged(err)
		}
		return ended(s.Result.State)
	}
	decide := report.ToDecide(s.Result)
	if s.Result.Reason == runner.Dependent {
		decide = "to decide: leave out --reuse, so that each request has a connection of its own; or --assume-independent\n"
	}
	s.Examples = telling(s)
	if _, err := io.WriteString(stdout, report.SampleText(s)+decide); err != nil {
		return unjudged(err)
	}
	return ended(s.Result.State)
}

// telling are the examples that a reader at a terminal needs: the first of each
// fault and of each outcome that nobody named.
func telling(s record.Sample) []record.Example {
	return slices.DeleteFunc(slices.Clone(s.Examples), func(e record.Example) bool {
		_, unlisted := s.Unlisted[e.Of]
		return e.Which != "first" || e.Fault == "" && !unlisted
	})
}

// tellFound prints what was found where nothing was expected.
func (f *sampleFlags) tellFound(stdout, stderr io.Writer, s record.Sample, found verdict.FoundResult) error {
	var err error
	if f.asJSON {
		err = printJSON(stdout, struct {
			record.Sample
			// Nothing was judged: these take the place of the sample's.
			Result *struct{}           `json:"result,omitempty"`
			Counts *struct{}           `json:"counts,omitempty"`
			Found  verdict.FoundResult `json:"found"`
		}{Sample: s, Found: found})
	} else {
		_, err = io.WriteString(stdout, report.FoundText(s, found))
	}
	if err != nil {
		return unjudged(err)
	}
	if found.N > 0 && found.Errors.Count == found.N {
		fmt.Fprintln(stderr, "no rule told a single answer"+f.fieldMeant(s))
	}
	if found.Errors.Count == found.N {
		return outcome{code: exitFailed}
	}
	return nil
}

// fieldMeant looks into the first answer that no rule told for the JSON field
// that was meant.
func (f *sampleFlags) fieldMeant(s record.Sample) string {
	for _, e := range s.Examples {
		var fields map[string]any
		if e.Fault != string(sample.UnknownAnswer) || json.Unmarshal([]byte(e.Body), &fields) != nil {
			continue
		}
		for _, answer := range f.answers {
			field, ok := strings.CutPrefix(answer, "json:")
			if hint := document.OneOf(field, slices.Sorted(maps.Keys(fields))); ok && hint != "" {
				return ": " + answer + " (" + hint + ")"
			}
		}
	}
	return ""
}

// options are what the flags say, with everything that is wrong with them.
func (f *sampleFlags) options(flags *pflag.FlagSet, args []string) (o runner.SurveyOptions, ms document.Mistakes) {
	wrong := func(path, text, hint string) {
		ms = append(ms, document.Mistake{Path: path, Text: text, Hint: hint})
	}
	o.Requests, o.Time = lookRequests, lookTime
	var expected []string
	if f.said {
		claim, mistakes := f.claim()
		ms = append(ms, mistakes...)
		for _, s := range claim.Shares {
			if s.Name != verdict.NotListed {
				expected = append(expected, s.Name)
			}
		}
		o.Claim = &claim
		o.Requests, o.Time = defaultBudget, judgeTime
	}
	f.budget(flags, &o, wrong)
	rules, mistakes := answerRules(f.answers, expected)
	ms = append(ms, mistakes...)
	o.AssumeIndependent = f.assume
	o.Sample = sample.Options{
		Classifier: sample.NewClassifier(rules), Workers: f.workers, Reuse: f.reuse, Open: f.open, Timeout: f.timeout,
	}
	if f.http2 {
		o.Sample.Protocol = sample.HTTP2
	}
	if f.assume && !f.reuse {
		wrong("--assume-independent", "is for --reuse: without it each request has a connection of its own", "leave it out")
	}
	if f.workers < 1 {
		wrong("--workers", fmt.Sprintf("want at least 1, got %d", f.workers), "")
	}
	if f.timeout <= 0 {
		wrong("--timeout", "a time of 0 is over before anything is asked", "for example 10s")
	}
	f.paced(&o.Sample, wrong)
	o.Sample.Cases = []sample.Request{f.request(args, wrong)}
	o.Sample.TLS = f.tls(wrong)
	return o, ms
}

// budget is how much may be asked: what is given, and if one of the two is
// given the other does not count.
func (f *sampleFlags) budget(flags *pflag.FlagSet, o *runner.SurveyOptions, wrong func(path, text, hint string)) {
	requests, duration := flags.Changed("requests"), flags.Changed("duration")
	if requests {
		if o.Requests, o.Time = f.requests, math.MaxInt64; f.requests < 1 {
			wrong("--requests", fmt.Sprintf("want at least 1, got %d", f.requests), "")
		}
	}
	if duration {
		if o.Time = f.duration; f.duration <= 0 {
			wrong("--duration", "a time of 0 is over before anything is asked", "for example 30s")
		}
		if !requests {
			o.Requests = math.MaxInt64
		}
	}
}

// paced reads the rate.
func (f *sampleFlags) paced(o *sample.Options, wrong func(path, text, hint string)) {
	if f.rate == "" {
		if f.open {
			wrong("--open", "sends at fixed times: how many a second?", "for example --rate 200/s")
		}
		return
	}
	text := f.rate
	if !strings.HasSuffix(text, "/s") {
		text += "/s" // 200 is as good
	}
	rate, err := document.ParseRate(text)
	if err != nil {
		wrong("--rate", fmt.Sprintf("want a rate such as 200/s, got %q", f.rate), "")
	}
	o.Rate = float64(rate)
}

// request is what is asked.
func (f *sampleFlags) request(args []string, wrong func(path, text, hint string)) sample.Request {
	r := sample.Request{Method: strings.ToUpper(f.method), Host: f.host, Body: []byte(f.body)}
	if len(args) != 1 {
		wrong("URL", fmt.Sprintf("want one, got %d", len(args)), "for example assay sample http://127.0.0.1:18001/api")
		return r
	}
	if r.URL = args[0]; !strings.Contains(r.URL, "://") {
		wrong("URL", fmt.Sprintf("want http:// or https:// in front of %s", r.URL), "did you mean http://"+r.URL+"?")
		return r
	}
	for _, text := range f.headers {
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			wrong("--header "+text, "want 'NAME: VALUE'", "for example --header 'X-User: ada'")
			continue
		}
		if strings.EqualFold(name, "host") {
			wrong("--header "+text, "the host is said otherwise", "--host "+strings.TrimSpace(value))
			continue
		}
		if r.Header == nil {
			r.Header = make(http.Header)
		}
		r.Header.Add(name, strings.TrimSpace(value))
	}
	if err := r.Check(); err != nil {
		wrong(r.URL, err.Error(), "")
	}
	if f.http2 && !strings.HasPrefix(strings.ToLower(r.URL), "https://") {
		wrong("--http2", "is offered by gateways over https only", "")
	}
	return r
}

// tls is what is believed of https.
func (f *sampleFlags) tls(wrong func(path, text, hint string)) *tls.Config {
	switch {
	case f.insecure && f.cacert != "":
		wrong("--insecure", "believes any certificate, and --cacert only some", "leave one of them out")
	case f.insecure:
		return &tls.Config{InsecureSkipVerify: true}
	case f.cacert != "":
		pem, err := os.ReadFile(f.cacert)
		if err != nil {
			wrong("--cacert", err.Error(), "")
			return nil
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			wrong("--cacert", f.cacert+" has no certificate in PEM", "it begins with -----BEGIN CERTIFICATE-----")
		}
		return &tls.Config{RootCAs: pool}
	}
	return nil
}
