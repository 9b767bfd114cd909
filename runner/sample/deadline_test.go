package sample

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// overdue has a deadline that is over, and has not ended yet: as every context
// with a deadline, for a moment.
type overdue struct{ context.Context }

func (overdue) Deadline() (time.Time, bool) { return longAgo, true }

// That the time is up is no fault of the gateway's.
func TestTheDeadlineOfARunIsNoFault(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("blue")) }))
	defer server.Close()
	for _, portable := range []bool{true, false} {
		o := Options{Cases: []Request{{URL: server.URL}}, Classifier: NewClassifier([]Rule{{BodyValue: true}}), Portable: portable}
		answers := 0
		err := Run(overdue{t.Context()}, o, func(batch []Observation) bool {
			for _, x := range batch {
				if x.Fault != "" {
					t.Fatalf("portable %t: %s: %s", portable, x.Fault, x.Detail)
				}
				answers++
			}
			return answers < 3
		})
		if err != nil || answers < 3 {
			t.Errorf("portable %t: %d answers, %v", portable, answers, err)
		}
	}
}
