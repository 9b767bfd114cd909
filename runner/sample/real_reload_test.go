package sample_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/meshassay/assay/internal/gateways"
	"github.com/meshassay/assay/runner/sample"
)

// While nginx is reloaded under load, again and again, no request is lost from
// the counts: numbers have no hole, every request has an outcome or a fault,
// and nginx's own log has what was counted, each request once. The log may know
// of more requests only where the run ended before their answers came, and it
// knows nothing of a request whose connection it had closed already.
func TestNothingIsLostWhileNGINXReloads(t *testing.T) {
	gateways.Need(t, gateways.NGINX)
	const (
		reloads = 4
		most    = 8_000 // requests
		rate    = 2000  // a second
	)
	certificate, authorities := certificate(t)
	config := func(version int) string {
		// Every answer says which request it is for, and so does the log.
		return fmt.Sprintf(`
log_format number '$http_x_number $status %d';
keepalive_requests 1000000;
server {
  listen @web@;
  listen @secure@ ssl http2;
  ssl_certificate %s;
  ssl_certificate_key %s;
  access_log @folder@/access.log number;
  location / { return 200 '{"number":"$http_x_number"}'; }
}`, version, certificate, certificate)
	}
	ask := func(t *testing.T, o sample.Options) {
		// One worker: of several, nginx 1.22 now and then leaves some connections
		// without an answer while it reloads, until others come. That would be
		// counted too, as time-outs of ten seconds.
		gateway, err := gateways.Start(gateways.Setup{Program: gateways.NGINX, Text: config(0)})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := gateway.Stop(); err != nil {
				t.Error(err)
			}
		}()
		o.Workers, o.Rate = 8, rate
		url := gateway.URL("web")
		if o.Protocol == sample.HTTP2 {
			url, o.TLS = "https://"+gateway.Address("secure"), &tls.Config{RootCAs: authorities}
		}
		for n := range most {
			o.Cases = append(o.Cases, sample.Request{URL: url, Header: http.Header{"X-Number": {strconv.Itoa(n)}}})
		}
		o.Classifier = sample.NewClassifier([]sample.Rule{{JSON: "number"}})

		reloaded := make(chan error, 1)
		var got []sample.Observation
		err = sample.Run(context.Background(), o, func(batch []sample.Observation) bool {
			if len(got) == 0 {
				go func() {
					var err error
					for i := 1; i <= reloads && err == nil; i++ {
						if err = gateway.Reload(config(i)); err == nil {
							err = awaitLine(gateway.File("access.log"), fmt.Sprintf(" 200 %d\n", i))
						}
					}
					reloaded <- err
				}()
			}
			got = append(got, batch...)
			return len(reloaded) == 0 && len(got) < most-8*o.Workers
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := <-reloaded; err != nil {
			t.Fatal(err)
		}
		outcomes, faults := checkNumbered(t, got)
		compareWithLog(t, got, gateway.File("access.log"), reloads)
		if !o.Reuse && len(faults) > 0 {
			t.Errorf("on connections of their own no request fails while nginx reloads, but %v", faults)
		}
		t.Logf("%d requests, %d outcomes, faults %v", len(got), outcomes, faults)
	}
	eachWay(t, ask)
	t.Run("kept, HTTP/2", func(t *testing.T) { ask(t, sample.Options{Reuse: true, Protocol: sample.HTTP2}) })
}

// awaitLine waits until a file has a line with such an end.
func awaitLine(file, end string) error {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		b, err := os.ReadFile(file)
		switch {
		case err != nil || bytes.Contains(b, []byte(end)):
			return err
		case time.Now().After(deadline):
			return fmt.Errorf("%s has no line that ends in %q", file, end)
		}
	}
}

// checkNumbered checks that the observations are numbered without a hole, and
// each has its own outcome or a fault.
func checkNumbered(t *testing.T, got []sample.Observation) (outcomes int, faults map[sample.Fault]int) {
	t.Helper()
	faults = map[sample.Fault]int{}
	for i, x := range got {
		if x.Number != int64(i) {
			t.Fatalf("observation %d has number %d", i, x.Number)
		}
		switch {
		case x.Fault != "" && x.Outcome != "":
			t.Errorf("request %d has an outcome and a fault: %+v", i, x)
		case x.Fault != "":
			// What a gateway that closes an idle connection looks like from here.
			if x.Fault != sample.Stale && x.Fault != sample.GoAway {
				t.Errorf("request %d: %s (%s)", i, x.Fault, x.Detail)
			}
			faults[x.Fault]++
		case x.Outcome != strconv.Itoa(i):
			t.Errorf("request %d got the answer of %q", i, x.Outcome)
		default:
			outcomes++
		}
	}
	return outcomes, faults
}

// compareWithLog compares what was observed with what nginx has logged.
func compareWithLog(t *testing.T, got []sample.Observation, file string, reloads int) {
	t.Helper()
	// A line is written after the answer it tells of: the last may be under way.
	log := readLog(t, file)
	for deadline := time.Now().Add(10 * time.Second); !log.hasAll(got) && time.Now().Before(deadline); {
		log = readLog(t, file)
	}
	for number, times := range log.times {
		if times > 1 {
			t.Errorf("request %d came to nginx %d times", number, times)
		}
	}
	for _, x := range got {
		times := log.times[int(x.Number)]
		if x.Fault == "" && times != 1 {
			t.Fatalf("request %d was answered, but nginx logged it %d times", x.Number, times)
		}
		if x.Fault != "" && times != 0 {
			t.Errorf("request %d: %s (%s), but nginx logged it", x.Number, x.Fault, x.Detail)
		}
	}
	if len(log.versions) != reloads+1 {
		t.Errorf("requests were answered by %d configurations, want %d", len(log.versions), reloads+1)
	}
}

// A numberedLog is nginx's access log: how often it has each number, and the
// versions of the configuration.
type numberedLog struct {
	times    map[int]int
	versions map[string]bool
}

// readLog reads the lines that are whole: a number, a status and a version.
func readLog(t *testing.T, file string) numberedLog {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	l := numberedLog{map[int]int{}, map[string]bool{}}
	whole := b[:bytes.LastIndexByte(b, '\n')+1]
	for line := range strings.Lines(string(whole)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			t.Fatalf("nginx logged %q", line)
		}
		number, err := strconv.Atoi(fields[0])
		if err != nil || fields[1] != "200" {
			t.Errorf("nginx logged %q", line)
		}
		l.times[number]++
		l.versions[fields[2]] = true
	}
	return l
}

// hasAll says whether all that was answered is in the log.
func (l numberedLog) hasAll(got []sample.Observation) bool {
	for _, x := range got {
		if x.Fault == "" && l.times[int(x.Number)] == 0 {
			return false
		}
	}
	return true
}
