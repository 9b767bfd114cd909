package runner

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/verdict"
)

// each answers every request with another name.
func each(t *testing.T) string {
	t.Helper()
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "request-%d", n.Add(1)) }))
	t.Cleanup(server.Close)
	return server.URL
}

func surveyOf(url string, claim *verdict.Claim) SurveyOptions {
	return SurveyOptions{
		Sample:   sample.Options{Cases: []sample.Request{{URL: url}}, Classifier: sample.NewClassifier([]sample.Rule{{BodyValue: true}}), Workers: 4},
		Claim:    claim,
		Requests: 300, Time: time.Minute,
	}
}

// Memory is bounded although every answer is another, and nothing is lost.
func TestSurveyOfManyNames(t *testing.T) {
	s, err := NewSurvey(surveyOf(each(t), nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	found := s.Found()
	if len(found.Shares) != verdict.FoundNames || found.N != 300 || found.Other != 300-verdict.FoundNames || len(s.tally.Outcomes) != verdict.FoundNames+1 {
		t.Errorf("%d shares, %d answers, %d others, %d outcomes", len(found.Shares), found.N, found.Other, len(s.tally.Outcomes))
	}
	claim := verdict.Claim{Shares: []verdict.Share{{Name: "blue", Want: 1}}, Errors: .005, Alpha: .001, Beta: .01}.With(0, .99)
	s, err = NewSurvey(surveyOf(each(t), &claim))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := s.End()
	total := int64(0)
	for _, n := range r.Unlisted {
		total += n
	}
	if len(r.Unlisted) != verdict.FoundNames+1 || total != r.Result.N || r.Counts.Outcomes[1] != total {
		t.Errorf("%d names of %d answers; counts %+v", len(r.Unlisted), total, r.Counts)
	}
}

// It may be looked at while it runs, and ends with its context, which is no error.
func TestSurveyIsLookedAt(t *testing.T) {
	s, err := NewSurvey(surveyOf(each(t), nil))
	if err != nil {
		t.Fatal(err)
	}
	s.options.Requests = 1 << 40
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	for s.Found().N < 10 {
		if s.Sample().Result.N != 0 {
			t.Error("judged without a claim")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if r := s.End(); r.Latency.Count < 10 || r.Rate == 0 || r.Balancing == nil || len(r.Examples) == 0 {
		t.Errorf("got %+v", r)
	}
}

// What cannot be asked is an error, and so is a claim that cannot be judged.
func TestSurveyRefuses(t *testing.T) {
	o := surveyOf("http://127.0.0.1:1", nil)
	o.Sample.Rate = -1
	s, err := NewSurvey(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot be negative") {
		t.Errorf("got %v", err)
	}
	if _, err := NewSurvey(surveyOf("http://127.0.0.1:1", &verdict.Claim{})); err == nil {
		t.Error("a claim without shares is judged")
	}
}
