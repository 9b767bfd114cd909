package istio

import (
	"log/slog"
	"reflect"
	"time"

	"github.com/meshassay/assay/sandbox/fault"
	"github.com/meshassay/assay/sandbox/gateway"
	"github.com/meshassay/assay/sandbox/routing"
)

// director decides which routes are in force at which gateway: what was built,
// once the propagation delay is over, with the faults of the moment. It is
// told the time, and used by one goroutine.
type director struct {
	gateways    map[string]*gateway.Gateway // by cluster
	propagation time.Duration
	log         *slog.Logger

	built   map[string][]routing.Host // last, by cluster
	inForce map[string][]routing.Host
	queue   []change // in order of time
	faults  []fault.Fault
}

// change is a gateway's next routes, and when they come into force.
type change struct {
	at      time.Time
	cluster string
	hosts   []routing.Host
}

func newDirector(gateways map[string]*gateway.Gateway, propagation time.Duration, log *slog.Logger) *director {
	return &director{gateways: gateways, propagation: propagation, log: log,
		built: map[string][]routing.Host{}, inForce: map[string][]routing.Host{}}
}

// plan takes note of the routes that were built for a cluster. Routes that are
// as they were change nothing: not even the turn of a deterministic choice.
func (d *director) plan(cluster string, hosts []routing.Host, now time.Time) {
	if reflect.DeepEqual(d.built[cluster], hosts) {
		return
	}
	d.built[cluster] = hosts
	d.queue = append(d.queue, change{now.Add(d.propagation), cluster, hosts})
}

// advance puts into force what is due, and gives the time of what is next.
func (d *director) advance(now time.Time) (next time.Time, more bool) {
	for len(d.queue) > 0 && !d.queue[0].at.After(now) {
		c := d.queue[0]
		d.queue = d.queue[1:]
		d.inForce[c.cluster] = c.hosts
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
	table, err := routing.New(fault.Apply(d.faults, cluster, d.inForce[cluster]))
	if err != nil { // a mistake of ours: what is refused is refused when it is read
		d.log.Error("routes cannot be put into force", "cluster", cluster, "err", err)
		return
	}
	d.gateways[cluster].Swap(table)
	d.log.Info("routes are in force", "cluster", cluster, "faults", len(d.faults))
}
