package istio

import "slices"

// names are the names by which the destinations of all clusters go, whether a
// route leads to them or not: their versions, subsets, and services as
// NAME.NS. They come sorted, each once.
func (w world) names() []string {
	var all []string
	add := func(name string) {
		if name != "" {
			all = append(all, name)
		}
	}
	for _, s := range w {
		for key, service := range s.services {
			add(key)
			for _, p := range service.ports {
				for _, e := range p.endpoints {
					add(e.labels["version"])
				}
			}
		}
		for _, e := range s.workloads {
			add(e.labels["version"])
		}
		for _, r := range s.destinationRules {
			for _, part := range r.subsets {
				add(part.name)
				add(part.labels["version"])
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
