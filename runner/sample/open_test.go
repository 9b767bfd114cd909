package sample

import (
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// A gateway that stalls for a while holds up only as many requests as there are
// workers. In an open loop the others were due all the same, and their latency
// says how long a user would have waited: the tail is reported as it was, and
// not left out with the requests that were not sent ("coordinated omission").
func TestAnOpenLoopTellsOfAStall(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		t.Run(fmt.Sprintf("reuse %v", reuse), func(t *testing.T) {
			eachPath(t, func(t *testing.T, portable bool) {
				const rate, workers, n, stall = 500, 4, 400, 400 * time.Millisecond
				var asked, held atomic.Int64
				var until atomic.Pointer[time.Time]
				address := serve(t, func(c net.Conn) {
					var buf [2048]byte
					for {
						if n, _ := c.Read(buf[:]); n == 0 {
							return
						}
						if asked.Add(1) == 100 {
							end := time.Now().Add(stall)
							until.Store(&end)
						}
						if end := until.Load(); end != nil && time.Now().Before(*end) {
							held.Add(1)
							time.Sleep(time.Until(*end))
						}
						io.WriteString(c, blueAnswer)
					}
				})
				o := Options{
					Cases: []Request{{URL: "http://" + address}}, Classifier: tutorial(),
					Workers: workers, Rate: rate, Open: true, Reuse: reuse, Portable: portable,
				}
				tally := NewTally()
				late := 0
				for i, got := range collect(t, o, n) {
					tally.Add([]Observation{got})
					if due := time.Duration(i) * time.Second / rate; got.At != due {
						t.Fatalf("request %d was due at %s, not at %s", i, due, got.At)
					}
					if got.Outcome != "blue" {
						t.Errorf("%+v", got)
					}
					if got.Latency > stall/2 {
						late++
					}
				}
				// Due in the first half of the stall: 100 requests. The server held only
				// those that the workers could send.
				if held.Load() > workers || late < 95 {
					t.Errorf("%d requests took more than half of the stall, %d were held by the gateway", late, held.Load())
				}
				if l := tally.Latency(); l.Max < stall*9/10 || l.P90 < stall/2 {
					t.Errorf("a stall of %s does not show in %+v", stall, l)
				}
			})
		})
	}
}

// An open loop does not slow down after faults, nor wait for one that hangs,
// and neither loop exceeds the number of workers.
func TestAnOpenLoopKeepsItsTimes(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		const rate, n = 2000, 1000
		refused := Options{
			Cases: []Request{{URL: "http://" + closedPort(t)}}, Workers: 4, Rate: rate, Open: true, Portable: portable,
		}
		var latencies []time.Duration
		for _, got := range collect(t, refused, n) {
			if got.Fault != Refused || got.Connection != -1 {
				t.Fatalf("%+v", got)
			}
			latencies = append(latencies, got.Latency)
		}
		// With a closed loop's pauses after faults it would have taken a minute.
		slices.Sort(latencies)
		if last := latencies[n-1]; last > 30*time.Second {
			t.Errorf("one was sent %s late", last)
		}
	})
}

func TestAnOpenLoopGoesOnBesideOneThatHangs(t *testing.T) {
	eachPath(t, func(t *testing.T, portable bool) {
		var asked atomic.Int64
		release := make(chan struct{})
		const after = windowSize + 1000
		address := serve(t, func(c net.Conn) {
			var buf [2048]byte
			for {
				if n, _ := c.Read(buf[:]); n == 0 {
					return
				}
				switch asked.Add(1) {
				case 1:
					<-release // it is only answered because the others go on
				case after:
					close(release)
				}
				io.WriteString(c, blueAnswer)
			}
		})
		o := Options{
			Cases: []Request{{URL: "http://" + address}}, Classifier: tutorial(), Timeout: time.Minute,
			Workers: 4, Rate: 20_000, Open: true, Reuse: true, Portable: portable,
		}
		for i, got := range collect(t, o, after) {
			if got.Outcome != "blue" || got.Number != int64(i) {
				t.Fatalf("%+v", got)
			}
		}
	})
}
