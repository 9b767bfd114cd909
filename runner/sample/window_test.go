package sample

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// A request that hangs holds up those after it, but dispatch does not run away:
// no more wait than the window holds.
func TestWindowBoundsWhatWaits(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		var n atomic.Int64
		release := make(chan struct{})
		address := serve(t, func(c net.Conn) {
			readRequest(c)
			switch n.Add(1) {
			case 1:
				<-release
			case windowSize: // all the others of the first window are here
				close(release)
			}
			io.WriteString(c, blueAnswer)
		})
		seen := 0
		o := Options{Cases: []Request{{URL: "http://" + address}}, Classifier: tutorial(), Portable: portable, Workers: 8, Timeout: time.Minute}
		if err := Run(context.Background(), o, func(b []Observation) bool { seen += len(b); return seen < windowSize+100 }); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWindowGivesOutNoMoreThanItHolds(t *testing.T) {
	w := newWindow(8, pace{})
	for i := range windowSize {
		if number, _, ok := w.dispatch(); !ok || number != int64(i) {
			t.Fatalf("dispatch %d: %d, %v", i, number, ok)
		}
	}
	more := make(chan int64)
	go func() { number, _, _ := w.dispatch(); more <- number }()
	select {
	case number := <-more:
		t.Fatalf("number %d was given out although the window is full", number)
	default:
	}
	w.put(Observation{Number: 1})
	w.put(Observation{Number: 0})
	if got := w.take(make([]Observation, 0, 10)); len(got) != 2 || got[0].Number != 0 || got[1].Number != 1 {
		t.Errorf("took %v", got)
	}
	if number := <-more; number != windowSize {
		t.Errorf("number %d after the full window", number)
	}
}

// The schedule gives out at most Rate a second and does not catch up.
func TestPace(t *testing.T) {
	at := func(ms float64) time.Time { return time.Unix(100, int64(ms*1e6)) }
	p := newPace(100) // every 10 ms
	for _, tt := range []struct{ now, want float64 }{
		{0, 0}, {0, 10}, {1, 19}, {29, 1}, {41, 0}, {41, 9}, {500, 0}, {500, 10}, {500, 20},
	} {
		if got := p.wait(at(tt.now)); got != time.Duration(tt.want*1e6) {
			t.Errorf("at %g ms: wait %s, want %g ms", tt.now, got, tt.want)
		}
	}
	free := newPace(0)
	for range 2 {
		if got := free.wait(at(0)); got != 0 {
			t.Errorf("without a rate it waits %s", got)
		}
	}
	// At a high rate, called late each time, the schedule is kept on the whole.
	p = newPace(10000)
	now, sent := at(0), 0
	for now.Before(at(1000)) {
		now = now.Add(p.wait(now) + 30*time.Microsecond)
		sent++
	}
	if sent < 9900 || sent > 10060 {
		t.Errorf("%d in a second at 10,000/s", sent)
	}
	// An open loop's times are fixed: what is late is due at once, all of it.
	p = newSchedule(100, at(0))
	for _, tt := range []struct{ now, want float64 }{{0, 0}, {0, 10}, {55, 0}, {55, 0}, {55, 0}, {55, 0}, {55, 5}} {
		if got := p.wait(at(tt.now)); got != time.Duration(tt.want*1e6) {
			t.Errorf("open, at %g ms: wait %s, want %g ms", tt.now, got, tt.want)
		}
	}
}

func TestRateIsKept(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		url := web(t, blue)
		all := collect(t, Options{Cases: []Request{{URL: url}}, Classifier: tutorial(), Portable: portable, Workers: 10, Rate: 500}, 150)
		for i, o := range all {
			if earliest := time.Duration(i)*2*time.Millisecond - slack; o.At < earliest {
				t.Fatalf("request %d was sent at %s, not before %s", i, o.At, earliest)
			}
		}
	})
}

// A gateway that is down is not hammered.
func TestBackoff(t *testing.T) {
	sum := time.Duration(0)
	for faults, want := range []time.Duration{0, 0, 2, 4, 8, 16, 32, 64, 128, 250, 250} {
		if got := backoff(faults); got != want*time.Millisecond {
			t.Errorf("after %d faults: %s", faults, got)
		}
		sum += backoff(faults)
	}
	if got := backoff(1 << 40); got != 250*time.Millisecond {
		t.Errorf("after very many: %s", got)
	}
	eachPath(t, func(t *testing.T, portable bool) {
		o := Options{Cases: []Request{{URL: "http://" + closedPort(t)}}, Portable: portable}
		if last := collect(t, o, 10)[9].At; last < sum-500*time.Millisecond {
			t.Errorf("the tenth request at %s", last)
		}
	})
}
