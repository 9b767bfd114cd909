package main

import (
	"fmt"
	"slices"
	"time"
)

// A group is one load, and the clients that take turns with it. The first of
// them is wrk, to which the others are compared.
type group struct {
	title   string
	load    load
	clients []client
	bars    bars // of the sampler; zero: printed, not judged
}

// bars are what the sampler must reach, as ratios to wrk.
type bars struct {
	rate float64 // requests a second, at least
	cpu  float64 // CPU time per request, at most
}

var (
	keepAliveBars = bars{rate: .95, cpu: 1.2}
	freshBars     = bars{rate: .9, cpu: 1.3}
)

// judgedClient is the name of the client that the bars are for.
const judgedClient = "sampler"

// plan lists the loads, and who is put under each.
func plan(o options, t *tools, s *servers) []group {
	var (
		reference = wrk(o, t.wrk)
		ours      = sampler(o, judgedClient, false, false)
		portable  = sampler(o, "portable", true, false)
		http2     = sampler(o, "HTTP/2", false, true)
	)
	paths := []struct {
		name, url string
		judged    bool
		clients   []client
	}{
		{"straight", s.straight, true, others(o, t, reference, ours, portable)},
		{"nginx", s.nginx, true, []client{reference, ours, portable}},
		{"HAProxy", s.haproxy, false, []client{reference, ours}},
		{"TLS", s.tls, false, []client{reference, ours, http2}},
	}
	var groups []group
	for _, p := range paths {
		if p.url == "" || o.judged && !p.judged {
			continue
		}
		if o.judged {
			p.clients = p.clients[:2]
		}
		for _, reuse := range []bool{true, false} {
			for _, connections := range []int{8, 64} {
				g := group{
					load:    load{URL: p.url, Connections: connections, Reuse: reuse, Duration: time.Duration(o.seconds) * time.Second},
					clients: slices.Clone(p.clients),
				}
				kind, b := "keep-alive", keepAliveBars
				if !reuse {
					kind, b = "fresh", freshBars
					// Many requests on one connection are what HTTP/2 is for.
					g.clients = slices.DeleteFunc(g.clients, func(c client) bool { return c.name == http2.name })
				}
				g.title = fmt.Sprintf("%s, %s, %d", p.name, kind, connections)
				if p.judged {
					g.bars = b
				}
				if o.only.MatchString(g.title) {
					groups = append(groups, g)
				}
			}
		}
	}
	return groups
}

// others adds those that were built from Go modules.
func others(o options, t *tools, clients ...client) []client {
	if path := t.built["fortio"]; path != "" {
		clients = append(clients, fortio(o, path))
	}
	if path := t.built["hey"]; path != "" {
		clients = append(clients, hey(o, path))
	}
	return clients
}
