package sample

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// One gateway that does everything that gateways do, by the path asked for:
// each is counted as what it is, by several workers at once, and nothing stalls.
func TestEveryHostilityTogether(t *testing.T) {
	type act struct {
		path string
		want Fault
		does func(net.Conn)
	}
	acts := []act{
		{"/blue", "", func(c net.Conn) { io.WriteString(c, blueAnswer) }},
		{"/hang", FirstByteTimeout, hold},
		{"/hang/header", Timeout, func(c net.Conn) { io.WriteString(c, blueAnswer[:20]); hold(c) }},
		{"/trickle", Timeout, func(c net.Conn) {
			for i := 0; ; i++ {
				if _, err := c.Write([]byte{blueAnswer[i%len(blueAnswer)]}); err != nil {
					return
				}
				time.Sleep(60 * time.Millisecond)
			}
		}},
		{"/blue/2", "", func(c net.Conn) { io.WriteString(c, blueAnswer) }},
		{"/reset", Reset, hangsUp},
		{"/close", Cut, func(net.Conn) {}},
		{"/cut", Cut, func(c net.Conn) { io.WriteString(c, blueAnswer[:len(blueAnswer)-3]) }},
		{"/blue/3", "", func(c net.Conn) { io.WriteString(c, blueAnswer) }},
		{"/endless", TooLarge, func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
			for {
				if _, err := c.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}},
		{"/lines", TooLarge, func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\n"+strings.Repeat("a: b\r\n", 100_000)) }},
		{"/garbage", Malformed, func(c net.Conn) { io.WriteString(c, "220 mail.example ESMTP\r\n\r\n") }},
		{"/503", ServerError, func(c net.Conn) { io.WriteString(c, "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nsorry") }},
		{"/404", UnknownAnswer, func(c net.Conn) { io.WriteString(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") }},
		{"", Refused, nil}, // at another port
	}
	// What the examples of a fault show, where it is always the same.
	shows := map[Fault]struct {
		header []string
		body   string
	}{
		"":            {[]string{"HTTP/1.1 200 OK", "Content-Type: application/json", "Content-Length: 16"}, `{"color":"blue"}`},
		ServerError:   {[]string{"HTTP/1.1 503 Busy", "Content-Length: 5"}, "sorry"},
		UnknownAnswer: {[]string{"HTTP/1.1 404 Not Found", "Content-Length: 0"}, ""},
		Malformed:     {[]string{"220 mail.example ESMTP"}, ""},
		Refused:       {}, Reset: {}, Stale: {}, FirstByteTimeout: {},
	}
	address := serve(t, func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			path := readPath(r)
			i := slices.IndexFunc(acts, func(a act) bool { return a.path == path })
			if path == "" || i < 0 {
				return
			}
			if acts[i].does(c); !lives(acts[i].want) {
				return
			}
		}
	})
	for _, reuse := range []bool{false, true} {
		t.Run(fmt.Sprintf("reuse %v", reuse), func(t *testing.T) {
			eachPath(t, func(t *testing.T, portable bool) {
				t.Parallel()
				e := &Examples{}
				o := Options{Classifier: tutorial(), Workers: 12, Timeout: 2 * time.Second, Reuse: reuse, Portable: portable, Examples: e}
				for _, a := range acts {
					url := "http://" + address + a.path
					if a.want == Refused {
						url = "http://" + closedPort(t)
					}
					o.Cases = append(o.Cases, Request{URL: url})
				}
				n := 4 * len(acts)
				carried := make(map[int64]bool) // connections
				seen := make(map[Fault]int)
				for i, got := range collect(t, o, n) {
					want := acts[got.Case].want
					if (want == Cut || want == Reset) && acts[got.Case].path != "/cut" && carried[got.Connection] {
						want = Stale
					}
					if got.Number != int64(i) || got.Case != i%len(acts) || got.Fault != want || (got.Outcome == "blue") != (want == "") {
						t.Errorf("%s: got %+v, want %q", acts[got.Case].path, got, want)
					}
					if (got.Connection < 0) != (want == Refused) || carried[got.Connection] && !reuse {
						t.Errorf("%s: connection %d", acts[got.Case].path, got.Connection)
					}
					carried[got.Connection] = carried[got.Connection] || lives(want) && got.Connection >= 0
					seen[want]++
				}
				shown := make(map[Fault][]string)
				for _, ex := range e.List() {
					shown[ex.Fault] = append(shown[ex.Fault], ex.Which)
					if want, same := shows[ex.Fault]; same && (!slices.Equal(ex.Header, want.header) || ex.Body != want.body) {
						t.Errorf("example of %q: header %q, body %q", ex.Fault, ex.Header, ex.Body)
					}
				}
				for fault, n := range seen {
					// Which connections carried an answer before, and so what is stale, and whether any is, is chance.
					if got := shown[fault]; !slices.Equal(got, []string{"first", "last"}) && (n > 1 || !slices.Equal(got, []string{"first"})) {
						t.Errorf("examples of %q, which came %d times: %q", fault, n, got)
					}
				}
			})
		})
	}
}

// lives says whether the answer came whole, so that the connection may go on.
func lives(f Fault) bool { return f == "" || f == ServerError || f == UnknownAnswer }

// Every request is answered, cut or reset once it was read, and by chance: each
// is read once, so none was repeated.
func TestNoRequestIsRepeated(t *testing.T) {
	for _, reuse := range []bool{false, true} {
		t.Run(fmt.Sprintf("reuse %v", reuse), func(t *testing.T) {
			eachPath(t, func(t *testing.T, portable bool) {
				var mu sync.Mutex
				chance := rand.New(rand.NewPCG(4, 1))
				read := 0
				address := serve(t, func(c net.Conn) {
					for r := bufio.NewReader(c); readPath(r) != ""; {
						mu.Lock()
						read++
						luck := chance.IntN(8)
						mu.Unlock()
						switch luck {
						case 0:
							return
						case 1:
							hangsUp(c)
							return
						}
						io.WriteString(c, blueAnswer)
					}
				})
				o := Options{Cases: []Request{{URL: "http://" + address + "/"}}, Classifier: tutorial(), Reuse: reuse, Portable: portable}
				tally := NewTally()
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				Run(ctx, o, func(b []Observation) bool {
					if tally.Add(b); tally.N >= 300 {
						stop()
					}
					return true // so all is delivered that has come back without a hole
				})
				mu.Lock()
				defer mu.Unlock()
				// The only worker may have had one more under way.
				if late := int64(read) - tally.N; late < 0 || late > 1 {
					t.Errorf("%d requests were read, and there are %d observations", read, tally.N)
				}
				faults := tally.Faults[Cut] + tally.Faults[Reset] + tally.Faults[Stale]
				if tally.Outcomes["blue"]+faults != tally.N || faults == 0 || reuse != (tally.Faults[Stale] > 0) {
					t.Errorf("%v, %v of %d", tally.Outcomes, tally.Faults, tally.N)
				}
			})
		})
	}
}
