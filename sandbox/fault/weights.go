package fault

import (
	"math"
	"strings"

	"github.com/meshassay/assay/sandbox/routing"
	"github.com/meshassay/assay/sandbox/strict"
)

// resolution is how many parts a percentage point is divided into.
const resolution = 100

// readWeights reads weights: {points: 6, from: canary, to: blue}: so many
// percentage points of all requests go to another destination than they
// should, wherever a route has both.
func readWeights(o *strict.Object) effect {
	points := o.Decimal("points", 1.0/resolution, 100)
	if !o.Has("points") {
		o.Refuse("points", "want how many percentage points to move")
	}
	from, to := o.Text("from"), o.Text("to")
	if from != "" && from == to {
		o.Refuse("to", "%q is where the share comes from", to)
	}
	return effect{route: func(r *routing.Route) { move(r, points, from, to) }, moves: &moves{from, to}}
}

// move changes the weights of a route; at most what there is to move.
func move(r *routing.Route, points float64, from, to string) {
	source, sink := pair(r.Destinations, from, to)
	if source < 0 || sink < 0 {
		return
	}
	// Scaled so that points come out exactly: a point of a sum of 100*100*W
	// parts is 100*W of them.
	var sum uint64
	for i := range r.Destinations {
		sum += r.Destinations[i].Weight
		r.Destinations[i].Weight *= 100 * resolution
	}
	moved := min(uint64(math.Round(points*resolution))*sum, r.Destinations[source].Weight)
	r.Destinations[source].Weight -= moved
	r.Destinations[sink].Weight += moved
	reduce(r.Destinations)
}

// reduce makes weights smaller that keep their proportions, so that faults on
// top of each other do not outgrow 64 bits.
func reduce(d []routing.Destination) {
	var divisor, sum uint64
	for i := range d {
		for a, b := divisor, d[i].Weight; ; a, b = b, a%b {
			if b == 0 {
				divisor = a
				break
			}
		}
		sum += d[i].Weight
	}
	for sum/divisor > 1<<44 { // proportions are then off by less than 1e-13
		divisor *= 2
	}
	for i := range d {
		d[i].Weight /= divisor
	}
}

// pair finds the two destinations, -1 for none. Where one is not named it is
// the last (from) or the first (to) other one.
func pair(d []routing.Destination, from, to string) (source, sink int) {
	source, sink = -1, -1
	for i := range d {
		if from != "" && source < 0 && named(d[i], from) {
			source = i
		}
		if to != "" && sink < 0 && named(d[i], to) {
			sink = i
		}
	}
	for i := range d {
		if from == "" && i != sink {
			source = i // ends as the last
		}
	}
	for i := len(d) - 1; i >= 0; i-- {
		if to == "" && i != source {
			sink = i // ends as the first
		}
	}
	if source == sink {
		return -1, -1
	}
	return source, sink
}

// named tells whether a destination goes by a name: its version (of its
// subset, or of all its endpoints), its subset, or its service's host.
func named(d routing.Destination, name string) bool {
	if name == d.Version || name == d.Subset || d.Subset == "version-"+name || name == d.Host {
		return true
	}
	service, _, _ := strings.Cut(d.Host, ".svc.")
	return name == service // NAME.NS
}
