package gateway

import (
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/meshassay/assay/sandbox/routing"
	"github.com/meshassay/assay/sandbox/workload"
)

// BenchmarkFreshConnections is what a judge does: a connection for each
// request, through the gateway, to the tutorial's services. Client, gateway
// and services share the machine.
func BenchmarkFreshConnections(b *testing.B) {
	m := newMesh(b)
	r := routing.Route{Match: []routing.Match{{Path: routing.Text{Kind: routing.Prefix, Value: "/"}}}}
	for i, w := range []uint64{40, 40, 20} {
		s, err := workload.Start(workload.Spec{Image: "blue-green-canary"})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { s.Close() })
		ip := "10.244.0." + string(rune('1'+i))
		m.net.Register(ip, 3000, s.Addr())
		r.Destinations = append(r.Destinations, routing.Destination{Host: ip, Weight: w, Endpoints: []string{ip + ":3000"}})
	}
	m.route(b, r)
	request := []byte("GET /api HTTP/1.1\r\nHost: " + m.Addr() + "\r\nUser-Agent: bench\r\nConnection: close\r\n\r\n")
	var failed atomic.Int64
	began := cpu(b)
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		answer := make([]byte, 4096)
		for pb.Next() {
			c, err := net.Dial("tcp", m.Addr())
			if err != nil {
				b.Error(err)
				return
			}
			c.Write(request)
			n := 0
			for err == nil && n < len(answer) {
				var got int
				got, err = c.Read(answer[n:])
				n += got
			}
			c.Close()
			if n < 12 || string(answer[9:12]) != "200" {
				failed.Add(1)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
	// On a machine that others use too this says more than the line above: two
	// cores bear 2,000,000 over this many requests a second.
	b.ReportMetric(float64((cpu(b)-began).Microseconds())/float64(b.N), "cpu-us/request")
	if failed.Load() > 0 {
		b.Errorf("%d of %d were not answered with 200", failed.Load(), b.N)
	}
}

// cpu is the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
