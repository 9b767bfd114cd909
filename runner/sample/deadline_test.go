package sample

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
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

// What the end of a run cuts is no fault of the gateway's either, whoever was
// reading it.
func TestWhatTheEndOfARunCutsCountsForNothing(t *testing.T) {
	for name, beginning := range map[string]string{
		"nothing yet": "", "a header": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "an odd header": "HTTP/1.1 200 OK\nContent-Length: 5\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			eachPath(t, func(t *testing.T, portable bool) {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				const workers = 20
				var asked atomic.Int64
				address := serve(t, func(c net.Conn) {
					readRequest(c)
					io.WriteString(c, beginning)
					if asked.Add(1) == workers {
						stop()
					}
					hold(c)
				})
				o := Options{Cases: []Request{{URL: "http://" + address}}, Workers: workers, Portable: portable}
				if err := Run(ctx, o, func(batch []Observation) bool {
					t.Errorf("%d observations: %+v", len(batch), batch[0])
					return true
				}); err != context.Canceled {
					t.Error(err)
				}
			})
		})
	}
}
