package istio

import (
	"log/slog"
	"reflect"
	"time"

	"github.com/meshassay/assay/sandbox/authorization"
	"github.com/meshassay/assay/sandbox/fault"
	"github.com/meshassay/assay/sandbox/gateway"
	"github.com/meshassay/assay/sandbox/routing"
)

// director decides which routes and policies are in force at which gateway:
// what was built, once the propagation delay is over, with the faults of the
// moment. It is told the time, and used by one goroutine.
type director struct {
	gateways    map[string]*gateway.Gateway // by cluster
	propagation time.Duration
	log         *slog.Logger

	built   map[string]proxied // last, by cluster
	inForce map[string]proxied
	queue   []change // in order of time
	faults  []fault.Fault
}

// proxied is what a proxy is told: where requests go, and who may call.
type proxied struct {
	hosts []routing.Host
	guard authorization.Guard
}

// change is a gateway's next routes, and when they come into force.
type change struct {
	at      time.Time
	cluster string
	next    proxied
}

func newDirector(gateways map[string]*gateway.Gateway, propagation time.Duration, log *slog.Logger) *director {
	return &director{gateways: gateways, propagation: propagation, log: log,
		built: map[string]proxied{}, inForce: map[string]proxied{}}
}

// plan takes note of the routes that were built for a cluster. Routes that are
// as they were change nothing: not even the turn of a deterministic choice.
func (d *director) plan(cluster string, next proxied, now time.Time) {
	if reflect.DeepEqual(d.built[cluster], next) {
		return
	}
	d.built[cluster] = next
	d.queue = append(d.queue, change{now.Add(d.propagation), cluster, next})
}

// advance puts into force what is due, and gives the time of what is next.
func (d *director) advance(now time.Time) (next time.Time, more bool) {
	for len(d.queue) > 0 && !d.queue[0].at.After(now) {
		c := d.queue[0]
		d.queue = d.queue[1:]
		d.inForce[c.cluster] = c.next
		d.swap(c.cluster)
	}
	if len(d.queue) == 0 {
		return time.Time{}, false
	}
	return d.queue[0].at, true
}

// lie puts faults into force at once, in place of those before: a fault is no
// news that has to reach a gateway, it is the gateway's. The same faults again
// change nothing, or a block that is being dealt would begin anew.
func (d *director) lie(faults []fault.Fault) {
	if fault.Same(d.faults, faults) {
		return
	}
	d.faults = faults
	for cluster := range d.gateways {
		d.swap(cluster)
	}
}

func (d *director) swap(cluster string) {
	now := d.inForce[cluster]
	if cluster != sidecarOfVM { // faults are the gateways'
		now.hosts = fault.Apply(d.faults, cluster, now.hosts)
	}
	table, err := routing.New(now.hosts)
	if err != nil { // a mistake of ours: what is refused is refused when it is read
		d.log.Error("routes cannot be put into force", "cluster", cluster, "err", err)
		return
	}
	d.gateways[cluster].Swap(table, &now.guard)
	d.log.Info("routes are in force", "cluster", cluster, "faults", len(d.faults))
}
