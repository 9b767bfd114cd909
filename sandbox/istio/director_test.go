package istio

import (
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshassay/assay/sandbox/fault"
	"github.com/meshassay/assay/sandbox/gateway"
	"github.com/meshassay/assay/sandbox/routing"
)

// directed is a director with one real gateway.
func directed(t *testing.T, propagation time.Duration) (*director, *gateway.Gateway) {
	t.Helper()
	g, err := gateway.Listen("cluster1", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return newDirector(map[string]*gateway.Gateway{"cluster1": g}, propagation, slog.New(slog.NewTextHandler(io.Discard, nil))), g
}

// status asks the gateway: 404 without a route, 503 with the ones made here.
func status(t *testing.T, g *gateway.Gateway) int {
	t.Helper()
	resp, err := http.Get("http://" + g.Addr() + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func routes(name string) proxied {
	return proxied{hosts: []routing.Host{{Name: "*", Routes: []routing.Route{{Name: name, Destinations: []routing.Destination{{Host: "a", Weight: 1}}}}}}}
}

func lies(t *testing.T, specs ...map[string]any) []fault.Fault {
	t.Helper()
	var out []fault.Fault
	for _, s := range specs {
		f, problems := fault.Read(&unstructured.Unstructured{Object: map[string]any{"spec": s}}, []string{"cluster1"})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		out = append(out, f)
	}
	return out
}

func TestRoutesComeIntoForceAfterTheDelay(t *testing.T) {
	d, g := directed(t, 50*time.Millisecond)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

	d.plan("cluster1", routes("a"), at(0))
	if next, more := d.advance(at(49)); !more || !next.Equal(at(50)) || status(t, g) != 404 {
		t.Errorf("at 49 ms: next %v, %t, gateway says %d; want 50 ms and 404", next, more, status(t, g))
	}
	d.plan("cluster1", proxied{}, at(30))
	if next, more := d.advance(at(50)); !more || !next.Equal(at(80)) || status(t, g) != 503 {
		t.Errorf("at 50 ms: next %v, %t, gateway says %d; want 80 ms and 503", next, more, status(t, g))
	}
	if _, more := d.advance(at(200)); more || status(t, g) != 404 {
		t.Errorf("at 200 ms: more %t, gateway says %d; want none and 404", more, status(t, g))
	}
}

func TestTheSameRoutesChangeNothing(t *testing.T) {
	d, _ := directed(t, time.Second)
	now := time.Now()
	d.plan("cluster1", routes("a"), now)
	d.plan("cluster1", routes("a"), now)
	if len(d.queue) != 1 {
		t.Errorf("%d changes are on the way, want 1", len(d.queue))
	}
	d.plan("cluster1", routes("b"), now)
	d.plan("cluster1", routes("a"), now) // back again is a change
	if len(d.queue) != 3 {
		t.Errorf("%d changes are on the way, want 3", len(d.queue))
	}
}

func TestFaultsComeAtOnceAndDoNotHurryRoutes(t *testing.T) {
	d, g := directed(t, time.Minute)
	now := time.Now()
	d.plan("cluster1", routes("a"), now.Add(-time.Minute))
	d.advance(now)
	d.plan("cluster1", proxied{}, now)
	abort := map[string]any{"errors": map[string]any{"percent": int64(100), "status": int64(418)}}
	d.lie(lies(t, abort))
	if got := status(t, g); got != 418 {
		t.Errorf("with the fault: %d, want 418 on the routes in force", got)
	}
	d.lie(nil)
	if got := status(t, g); got != 503 {
		t.Errorf("after the fault: %d, want 503", got)
	}
	d.lie(lies(t, abort))
	d.advance(now.Add(time.Minute))
	if got := status(t, g); got != 404 {
		t.Errorf("new routes under the old fault: %d, want 404", got)
	}
	d.plan("cluster1", routes("c"), now.Add(-time.Hour))
	d.advance(now)
	if got := status(t, g); got != 418 {
		t.Errorf("routes that come later have the fault too: %d, want 418", got)
	}
}
